"""Real databases that are in use: verifying waits for no lock, holds none, and says what it could not judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from proxy.data.checks import run_check
from proxy.data.database import Database
from proxy.data.results import EXAMPLES
from proxy.data.runner import opened
from rules.data_settings import DataCheck
from tests.verify_data.both import Both, rows_of, table

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
