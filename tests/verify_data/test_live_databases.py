"""Real databases that are in use: verifying waits for no lock, holds none, and says what it could not judge."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from proxy.data.checks import run_check
from proxy.data.database import Database
from proxy.data.pace import SteadyPace
from proxy.data.results import EXAMPLES
from proxy.data.runner import opened
from rules.data_settings import DataCheck, DataLimits, DataSettings, DataSource
from tests.verify_data.both import Both, Turned, rows_of, table

ONE = table("users", "users", ["credits"], totals=[("credits", None)])
CHECK = DataCheck("credits", "SELECT SUM(credits) FROM users", "SELECT SUM(credits) FROM users", settle=0.0)


@pytest.fixture
def filled(both: Both) -> Both:
    rows = [(number, number * 10) for number in range(1, 21)]
    for side in (both.legacy, both.modern):
        side("CREATE TABLE users (id int PRIMARY KEY, credits int)")
        side("INSERT INTO users VALUES (%s, %s)", *rows)
    return both


def test_rows_that_others_hold_locked_are_read_as_they_were(filled: Both):
    """A transaction under way neither holds up a run, nor is what it has written seen before it ends."""
    with filled.maria.cursor() as cursor, filled.postgres.transaction():
        cursor.execute("BEGIN")
        cursor.execute("UPDATE users SET credits = 0")
        filled.postgres.execute("UPDATE users SET credits = 0")

        found = filled.verified(ONE)

        cursor.execute("ROLLBACK")
        raise psycopg.Rollback

    assert (found.same, found.equal) == (True, 20)


def test_a_run_holds_no_lock_between_two_queries(filled: Both):
    def altered(_result: object, last: int | None, _share: float) -> None:
        if last is not None:  # an exclusive lock on the whole table, from another session, without waiting
            filled.legacy("SET SESSION lock_wait_timeout = 1")
            filled.legacy("ALTER TABLE users ADD COLUMN extra int")
            filled.modern("SET lock_timeout = '1s'")
            filled.modern("ALTER TABLE users ADD COLUMN extra int")

    assert filled.verified(ONE, progress=altered).same


def test_ten_rows_are_shown_and_all_are_counted(filled: Both):
    filled.modern("UPDATE users SET credits = credits + 1")

    found = filled.verified(ONE)

    assert (found.different, len(found.examples), found.by_column) == (20, EXAMPLES, {"credits": 20})
    assert list(rows_of(found)) == [str(number) for number in range(1, EXAMPLES + 1)]


@pytest.mark.parametrize("side", ["legacy", "modern"])
def test_a_check_is_not_judged_while_a_replica_is_behind(filled: Both, monkeypatch: pytest.MonkeyPatch, side: str):
    monkeypatch.setattr(Database, "replica_lag", lambda database: 31.0 if database.side == side else 0.0)
    filled.modern("UPDATE users SET credits = credits + 1")
    with opened(filled.settings(checks=[CHECK]), {}) as databases:
        found = run_check(CHECK, databases, lambda _: None, 30.0)

    assert (found.state, found.reason) == ("not_judged", f"{side}'s replica is 31 s behind (`replica_lag`: 30 s)")


SECONDS = 30
"""How long a statement under load sleeps where a test does not end it before."""


class Load:
    """Sessions of another user that execute a statement each; `end` cuts them off."""

    def __init__(self, both: Both, side: str, sessions: int) -> None:
        self._both, self._side = both, side
        self._threads = [threading.Thread(target=self._statement, daemon=True) for _ in range(sessions)]
        for thread in self._threads:
            thread.start()
        until = time.monotonic() + SECONDS
        while len(self._running()) < sessions:
            assert time.monotonic() < until, "the statements never ran"
            time.sleep(0.01)

    def end(self) -> None:
        for number in self._running():
            if self._side == "legacy":
                self._both.legacy(f"KILL {number}")
            else:
                self._both.modern(f"SELECT pg_terminate_backend({number})")
        for thread in self._threads:
            thread.join(SECONDS)

    def _running(self) -> list[int]:
        if self._side == "modern":
            sql = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
            return [row[0] for row in self._both.postgres.execute(sql).fetchall()]
        with self._both.maria.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
            return [row[0] for row in cursor.fetchall()]

    def _statement(self) -> None:
        both = self._both
        with suppress(pymysql.Error, psycopg.Error):
            if self._side == "legacy":
                with pymysql.connect(host="127.0.0.1", port=both.maria.port, user="test") as other:
                    other.cursor().execute(f"SELECT SLEEP({SECONDS})")
            else:
                with psycopg.connect(both.postgres.info.dsn) as session:
                    session.execute(f"SELECT pg_sleep({SECONDS})")


@dataclass
class Watched:
    """A run whose `side` becomes busy behind its first chunk, until the third look; `selects` of the table by then."""

    both: Both
    side: str
    selects: list[str]
    load: Load | None = None
    course: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)

    def chunk_is_done(self, _result: object, last: int | None, _share: float) -> None:
        if last is None:
            return
        self.course.append("chunk")
        self.both.stop.wait(1)
        if len(self.course) == 1:
            self.load = Load(self.both, self.side, 3)

    def paused(self, reason: str) -> None:
        self.course.append("pause" if reason else "over")
        self.reasons += [reason] * bool(reason)
        self.counts += [(len(self.selects), self.both.selects())] * bool(reason)
        if self.load is not None and self.course.count("pause") == 3:
            self.load.end()


@pytest.mark.parametrize("side", ["legacy", "modern"])
def test_no_row_of_either_side_is_read_while_one_is_busy(filled: Both, side: str, monkeypatch: pytest.MonkeyPatch):
    """Three statements of others run, two are allowed: both sides are let alone until the three have ended."""
    turned = filled.stop = Turned()
    filled.now = lambda: turned.clock
    filled.limits = replace(filled.limits, rows_per_query=5, queries=1, load=2)
    selects = queries_of(monkeypatch, "users")
    watched = Watched(filled, side, selects)
    filled.paused = watched.paused

    found = filled.verified(ONE, progress=watched.chunk_is_done)

    assert (found.same, found.equal) == (True, 20)
    assert watched.course == ["chunk", *["pause"] * 3, "over", *["chunk"] * 3]
    assert watched.reasons == [f"waiting, {side} executes more than 2 statements of others (`load`): 3"] * 3
    assert len(set(watched.counts)) == 1, "neither we nor legacy's server count another SELECT meanwhile"
    assert len(selects) > watched.counts[0][0], "it went on"
    assert f"reading waited 3 s: {side} executes more than 2 statements of others (`load`)" in found.notes


def queries_of(monkeypatch: pytest.MonkeyPatch, table: str) -> list[str]:
    """Return the queries of a table as they are sent from now on."""
    sent: list[str] = []
    fetched = Database._fetched

    def noted(database: Database, sql: str, parameters: Sequence[Any]) -> Any:
        sent.extend([f"{database.side}: {sql}"] * (table in sql))
        return fetched(database, sql, parameters)

    monkeypatch.setattr(Database, "_fetched", noted)
    return sent


def test_with_a_limit_of_0_a_busy_side_is_read_and_not_looked_at(filled: Both, monkeypatch: pytest.MonkeyPatch):
    filled.limits = replace(filled.limits, load=0)
    looks = queries_of(monkeypatch, "running"), queries_of(monkeypatch, "pg_stat_activity")
    load = Load(filled, "legacy", 3)

    assert filled.verified(ONE).same
    assert looks == ([], [])
    load.end()


def test_sqlite_has_nothing_to_wait_for(tmp_path: Path):
    path = tmp_path / "one.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (id integer PRIMARY KEY)")
    both = DataSettings(DataSource(f"sqlite:{path}"), DataSource(f"sqlite:{path}"), DataLimits(load=1))
    with opened(both, {}) as databases:
        turned = Turned()
        steady = SteadyPace(both.limits, databases, lambda: turned.clock, turned)
        steady.before_query()

        assert (turned.clock, steady.unseen()) == (100.0, [])


def test_a_reader_sees_how_busy_mariadb_is_and_is_warned_where_postgresql_does_not_show_it(filled: Both):
    """`Threads_running` needs no privilege; another user's session shows nothing to one who may only SELECT."""
    filled.legacy("CREATE USER IF NOT EXISTS only_reads")
    filled.legacy("GRANT SELECT ON *.* TO only_reads")
    filled.modern("CREATE ROLE only_reads LOGIN")
    filled.modern("GRANT SELECT ON users TO only_reads")
    owner = filled.modern_url
    filled.legacy_url, filled.modern_url = (
        url.replace("test@", "only_reads@") for url in (filled.legacy_url, filled.modern_url)
    )
    filled.limits = replace(filled.limits, load=2)
    try:
        filled.stop = Turned()
        assert filled.verified(ONE).same
        [warning] = filled.warnings
        assert warning.startswith("modern: what other users execute cannot be seen, so their `load` is not waited for")
        with opened(filled.settings(ONE), {}) as (legacy, modern):
            load = Load(filled, "legacy", 3), Load(filled, "modern", 3)
            assert (legacy.running().statements - 1, modern.running().statements - 1) == (3, 0)
            filled.modern("GRANT pg_read_all_stats TO only_reads")
            assert (modern.running().statements - 1, modern.running().unseen) == (3, "")
            for one in load:
                one.end()
    finally:
        filled.modern_url = owner
        filled.modern("DROP OWNED BY only_reads")
        filled.modern("DROP ROLE only_reads")


@pytest.mark.parametrize(
    "sql", ["DELETE FROM users", "SELECT 1; DROP TABLE users", "SELECT credits FROM users FOR UPDATE"]
)
def test_what_a_check_could_change_is_refused_by_its_session(filled: Both, sql: str):
    """The file's check refuses it before; were it let through, the session would not do it."""
    with opened(filled.settings(checks=[CHECK]), {}) as databases:
        for check in (replace(CHECK, legacy=sql), replace(CHECK, modern=sql)):
            assert run_check(check, databases, lambda _: None, 30.0).state == "failed"

    assert filled.verified(ONE).equal == 20


def test_a_key_of_several_columns_may_have_none_without_a_value(both: Both):
    both.legacy("CREATE TABLE parts (a int, b int, v int, UNIQUE (a, b))")
    both.modern("CREATE TABLE parts (a int, b int, v int, UNIQUE (a, b))")
    for side in (both.legacy, both.modern):
        side("INSERT INTO parts VALUES (1, 1, 5), (1, NULL, 6)")
    one: Any = table("parts:a,b", "parts:a,b", ["v"])

    assert "is null in 1 rows: leave them out with `where" in both.refused(one).reason

    left_out = [replace(side, where="b is not null") for side in (one.legacy, one.modern)]
    assert both.verified(replace(one, legacy=left_out[0], modern=left_out[1])).equal == 1


def test_a_user_whose_connections_are_refused_is_one_sentence(filled: Both):
    filled.legacy_url = filled.legacy_url.replace("test@", "unknown@")

    found = filled.refused(ONE)

    assert found.reason.startswith("legacy: mysql://127.0.0.1:")
    assert "Access denied" in found.reason
    assert (found.unreachable, "\n" in found.reason) == (False, False)
