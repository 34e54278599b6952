"""Real databases: every planted fault is found at its row and column, and nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy.data import database, row_reading
from proxy.data.database import Database
from proxy.data.pace import StoppedError
from proxy.data.row_settling import READINGS
from proxy.data.run_state import state_in
from proxy.data.runner import TableFailure
from tests.support.databases import Server
from tests.verify_data.both import LIMITS, Both, rows_of, table

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BASE = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The days around the clock's going back."""
MANY = 3000
COLUMNS = ("number", "currency", "status", "total=amount_cents / 100", "paid=is_paid", "created_at", "note")
INVOICES = table(
    "tbl_invoices:id", "invoices:legacy_id", COLUMNS, totals=[("total", "currency"), (None, "status")],
)  # fmt: skip


def filled(both: Both, rows: int = MANY) -> Both:
    both.timezone = "Europe/Amsterdam"
    both.legacy(
        "CREATE TABLE tbl_invoices (id bigint unsigned PRIMARY KEY, number varchar(20), currency char(3),"
        " status enum('open','paid'), amount_cents int, is_paid tinyint(1), created_at datetime, note varchar(50),"
        " updated_at datetime, INDEX (updated_at)) DEFAULT CHARSET latin1"
    )
    both.modern(
        "CREATE TABLE invoices (legacy_id bigint PRIMARY KEY, number text, currency text, status text,"
        " total numeric(12,2), paid boolean, created_at timestamptz, note text, updated_at timestamptz)"
    )
    left, right = [], []
    for number in range(1, rows + 1):
        at, cents, paid = BASE + timedelta(seconds=number * 37), number * 7919 % 100_003, number % 3 > 0
        note = f"é {number}" if number % 5 else ""
        common = (number, f"N{number}", "EUR" if number % 4 else "USD", "paid" if paid else "open")
        local = at.astimezone(AMSTERDAM).replace(tzinfo=None)
        left.append((*common, cents, int(paid), local, note, local))
        right.append((*common, Decimal(cents) / 100, paid, at, note, at))
    both.legacy(f"INSERT INTO tbl_invoices VALUES ({', '.join(['%s'] * 9)})", *left)
    both.modern(f"INSERT INTO invoices VALUES ({', '.join(['%s'] * 9)})", *right)
    return both


SWAPPED = (
    "UPDATE invoices a SET total = b.total FROM invoices b WHERE a.legacy_id IN (400, 404)"
    " AND b.legacy_id = 804 - a.legacy_id"
)
FAULTS = {
    "a cent in one row": ("UPDATE invoices SET total = total + 0.01 WHERE legacy_id = 777", {"777": "total"}),
    "a row that modern lost": ("DELETE FROM invoices WHERE legacy_id = 1500", {"1500": "missing_modern"}),
    "a row of modern's own": (
        "INSERT INTO invoices (legacy_id, number, total) SELECT 900000, number, total FROM invoices LIMIT 1",
        {"900000": "missing_legacy"},
    ),
    "a shifted hour": (
        "UPDATE invoices SET created_at = created_at + interval '1 hour' WHERE legacy_id = 10", {"10": "created_at"},
    ),
    "a null for ''": ("UPDATE invoices SET note = NULL WHERE legacy_id = 25", {"25": "note"}),
    "a swapped pair of rows whose totals agree": (SWAPPED, {"400": "total", "404": "total"}),
    "a blank behind a text": ("UPDATE invoices SET number = number || ' ' WHERE legacy_id = 3000", {"3000": "number"}),
    "another case": ("UPDATE invoices SET number = lower(number) WHERE legacy_id = 1", {"1": "number"}),
    "false for true": ("UPDATE invoices SET paid = false WHERE legacy_id = 2", {"2": "paid"}),
    "a letter lost by an encoding": ("UPDATE invoices SET note = 'Ã© 7' WHERE legacy_id = 7", {"7": "note"}),
}  # fmt: skip


def test_each_planted_fault_is_found_at_its_row_and_column_and_nothing_else(both: Both):
    filled(both)
    clean = both.verified(INVOICES)
    assert (clean.same, clean.equal, clean.totals) == (True, MANY, [])
    assert clean.forgiven["convert"] == clean.forgiven["tinyint_boolean"] == MANY
    assert max(both.reads) < 100, "equal rows stay where they are"

    for name, (sql, expected) in FAULTS.items():
        both.modern("BEGIN; CREATE TABLE kept AS TABLE invoices; COMMIT")
        both.modern(sql)

        found = both.verified(INVOICES)

        assert rows_of(found) == expected, name
        assert found.compared == MANY + ("900000" in expected)
        both.modern("TRUNCATE invoices; INSERT INTO invoices SELECT * FROM kept; DROP TABLE kept")


def test_totals_find_what_a_sum_hides_and_stay_silent_where_only_rows_are_swapped(both: Both):
    filled(both, 300)
    both.modern(SWAPPED.replace("400, 404", "200, 204").replace("804", "404"))
    assert both.verified(INVOICES).totals == []

    both.modern("UPDATE invoices SET total = total + 0.01 WHERE legacy_id = 3")
    found = both.verified(INVOICES).totals

    assert [(one.what, one.group) for one in found] == [("sum of total by currency", "EUR")]
    assert Decimal(found[0].modern) - Decimal(found[0].legacy) == Decimal("0.01")


CHANGING = table("tbl_invoices:id", "invoices:legacy_id", COLUMNS, changed="updated_at")


def test_a_run_over_what_changed_reads_the_changed_rows_and_finds_deletions_on_both_sides(both: Both):
    filled(both)
    since = (BASE + timedelta(seconds=37 * 2990)).timestamp()
    both.modern("UPDATE invoices SET note = 'old fault' WHERE legacy_id = 5")
    both.modern("UPDATE invoices SET note = 'new fault' WHERE legacy_id = 2995")
    both.modern("DELETE FROM invoices WHERE legacy_id IN (12, 2996)")
    both.legacy("DELETE FROM tbl_invoices WHERE id = 2000")

    found = both.verified(CHANGING, since)

    assert rows_of(found) == {
        "12": "missing_modern", "2000": "missing_legacy", "2995": "note", "2996": "missing_modern",
    }  # fmt: skip
    assert not found.full
    assert found.equal == 9, "2990 to 3000 without the two that differ"


class Arriving:
    """What a run waits by: a late write arrives while it does. `waits` grows."""

    def __init__(self, both: Both) -> None:
        self.both = both
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.both.legacy("UPDATE tbl_invoices SET note = 'late' WHERE id = 9")
        return False

    def is_set(self) -> bool:
        return False


def test_a_row_in_flight_is_no_difference_and_one_that_stays_is(both: Both):
    filled(both, 50)
    both.modern("UPDATE invoices SET note = 'late' WHERE legacy_id IN (8, 9)")
    both.stop = arriving = Arriving(both)  # type: ignore[assignment]  # a run waits by what stops it

    found = both.verified(table("tbl_invoices:id", "invoices:legacy_id", COLUMNS, settle=1.5))

    assert (rows_of(found), found.settled, found.equal) == ({"8": "note"}, 1, 49)
    assert arriving.waits == [1.5]


def test_a_row_that_never_stands_still_is_left_for_the_next_run(both: Both):
    filled(both, 50)
    both.modern("UPDATE invoices SET note = 'other' WHERE legacy_id = 9")

    class Moving(Arriving):
        def wait(self, seconds: float) -> bool:
            self.waits.append(seconds)
            self.both.legacy(f"UPDATE tbl_invoices SET note = 'late {len(self.waits)}' WHERE id = 9")
            return False

    both.stop = moving = Moving(both)  # type: ignore[assignment]  # a run waits by what stops it

    found = both.verified(table("tbl_invoices:id", "invoices:legacy_id", COLUMNS, settle=1.5))

    assert (found.different, found.equal, moving.waits) == (0, 49, [1.5] * READINGS)
    assert found.notes == ["1 rows changed at every reading and were left for the next run"]


def test_a_row_that_differs_is_sent_once_and_its_neighbours_stay_where_they_are(both: Both):
    wide = "x" * 20_000
    both.legacy("CREATE TABLE wide (id int PRIMARY KEY, v text)")
    both.modern("CREATE TABLE wide (id int PRIMARY KEY, v text)")
    both.legacy("INSERT INTO wide SELECT seq, REPEAT('x', 20000) FROM seq_1_to_300")
    both.modern("INSERT INTO wide SELECT i, repeat('x', 20000) FROM generate_series(1, 300) i")
    both.modern("UPDATE wide SET v = 'short' WHERE id IN (7, 8, 200)")
    before = both.sent()

    found = both.verified(table("wide", "wide", ["v"]))

    assert rows_of(found) == {"7": "v", "8": "v", "200": "v"}
    assert both.sent() - before < 4 * len(wide), "three rows and some checksums"


@pytest.mark.parametrize("queries", [1, 2])
def test_no_more_queries_than_allowed_are_asked_at_a_time(both: Both, monkeypatch: pytest.MonkeyPatch, queries: int):
    filled(both, 2000)
    both.modern("UPDATE invoices SET note = 'x' WHERE legacy_id % 400 = 0")
    both.limits = replace(LIMITS, queries=queries)
    now, most, lock, rows = Counter[str](), Counter[str](), threading.Lock(), Database._fetched

    def counted(database: Database, *asked: Any) -> Any:
        with lock:
            now[database.side] += 1
            most[database.side] = max(most[database.side], now[database.side])
        found = rows(database, *asked)
        with lock:
            now[database.side] -= 1
        return found

    monkeypatch.setattr(Database, "_fetched", counted)
    found = both.verified(INVOICES)

    assert (found.different, found.equal) == (5, 1995)
    assert most == {"legacy": queries, "modern": queries}


def test_a_run_that_was_stopped_goes_on_behind_what_is_done(both: Both, tmp_path: Path):
    filled(both)
    both.modern("UPDATE invoices SET note = 'x' WHERE legacy_id IN (20, 2990)")
    both.state = state_in("memory", tmp_path)

    def cut(_result: object, last: int | None, _share: float) -> None:
        if last is not None and last >= 1500:
            raise StoppedError

    with pytest.raises(StoppedError):
        both.verified(INVOICES, progress=cut)
    seen: list[int | None] = []
    found = both.verified(INVOICES, progress=lambda _result, last, _share: seen.append(last))

    assert (found.equal, rows_of(found)) == (MANY - 2, {"20": "note", "2990": "note"})
    assert min(one for one in seen if one) > 1500
    assert any("went on behind" in note for note in found.notes)
    assert both.verified(INVOICES).notes == [], "a run that ended is forgotten"


@pytest.mark.parametrize("side", [0, 1], ids=["mariadb", "postgresql"])
def test_a_database_that_restarts_in_the_middle_is_one_sentence_and_the_run_goes_on_behind_what_is_done(
    both: Both, servers: tuple[Server, Server], tmp_path: Path, side: int
):
    filled(both)
    both.modern("UPDATE invoices SET note = 'x' WHERE legacy_id IN (20, 2990)")
    both.state = state_in("memory", tmp_path)
    done: list[int] = []

    def shut_down(_result: object, last: int | None, _share: float) -> None:
        if last is not None:
            done.append(last)
            if len(done) == 2:
                servers[side].program.stop()

    try:
        failed = both.outcome(INVOICES, progress=shut_down)
    finally:
        servers[side].program.start()
    went_on: list[int | None] = []
    found = both.verified(INVOICES, progress=lambda _result, last, _share: went_on.append(last))

    assert isinstance(failed, TableFailure)
    assert (failed.unreachable, failed.reason.count("\n")) == (True, 0)
    assert failed.reason.startswith(f"{('legacy', 'modern')[side]}: {servers[side].scheme}://127.0.0.1:")
    assert (found.equal, rows_of(found)) == (MANY - 2, {"20": "note", "2990": "note"})
    assert min(one for one in went_on if one) > done[1]


def test_connections_that_break_in_the_middle_are_made_again(both: Both):
    filled(both, 1500)
    ends: list[int | None] = []

    def broken(_result: object, last: int | None, _share: float) -> None:
        ends.append(last)
        if len(ends) > 1:
            return
        both.modern("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND datname = current_database()")  # fmt: skip

    assert both.verified(INVOICES, progress=broken).equal == 1500


@pytest.mark.parametrize("doc", [False, True], ids=["checked by databases", "fetched"])
def test_a_table_with_a_text_key_is_read_in_parts_and_resumed_behind_what_is_done(
    both: Both, tmp_path: Path, doc: bool
):
    rows = [(f"Ünï-{number}" if number % 2 else f"k{number}", f"v{number}", "{}") for number in range(1200)]
    both.legacy("CREATE TABLE named (name varchar(40) PRIMARY KEY, v text, doc json) DEFAULT CHARSET utf8mb4")
    both.modern("CREATE TABLE named (name text PRIMARY KEY, v text, doc jsonb)")
    both.legacy("INSERT INTO named VALUES (%s, %s, %s)", *rows)
    both.modern("INSERT INTO named VALUES (%s, %s, %s)", *rows)
    both.modern("UPDATE named SET v = 'x' WHERE name IN ('k10', 'Ünï-1199')")
    both.modern("DELETE FROM named WHERE name = 'k500'")
    one = table("named:name", "named:name", ["v", "doc"] if doc else ["v"])
    both.state = state_in("memory", tmp_path)
    both.limits = replace(LIMITS, rows_per_query=125)
    done: list[int] = []

    def cut(_result: object, last: int | None, _share: float) -> None:
        if last is not None:
            done.append(last)
        if len(done) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        both.verified(one, progress=cut)
    found = both.verified(one, progress=lambda _result, last, _share: done.append(last))

    assert rows_of(found) == {"Ünï-1199": "v", "k10": "v", "k500": "missing_modern"}
    assert found.equal == 1197
    assert done[:-1] == sorted(set(done[:-1])), "no part is read twice"
    assert len(done) == 4, "1,200 rows, four times 125 a query: three parts and the end"


@pytest.mark.parametrize(("declared", "longest"), [("varchar(500)", 500), ("text", 3000)])
def test_rows_that_are_long_are_digested_alike_whatever_a_side_declares(both: Both, declared: str, longest: int):
    """A row above `LONG` bytes stands as its MD5 among its neighbours; a side that has none leaves the rule out."""
    made_of(both, f"a {declared}, b {declared}", "a text, b text")
    lengths = (1, 2047, 2048, 2049, 3000)
    rows = [(key, "é" * min(many // 2, longest), "|" * min(many, longest)) for key, many in enumerate(lengths, 1)]
    for side in (both.legacy, both.modern):
        side("INSERT INTO t VALUES (%s, %s, %s)", *rows)
    one = table("t", "t", ["a", "b"])

    assert both.verified(one).same
    assert max(both.reads) < 2 + 1 + len(rows), "no row was read"

    both.modern("UPDATE t SET a = a || '|', b = substr(b, 2) WHERE id IN (1, 5)")
    assert rows_of(both.verified(one)) == {"1": "a,b", "5": "a,b"}


@pytest.mark.parametrize("cut", ["many rows in one range", "more text than is put together"])
def test_what_cannot_be_digested_together_is_added_up(both: Both, cut: str, monkeypatch: pytest.MonkeyPatch):
    """Keys far apart leave many rows in one range; MySQL cuts long texts, behind which all may be equal."""
    if cut.startswith("many"):
        monkeypatch.setattr(row_reading, "MOST_OF_GROUP", 8)
    else:
        monkeypatch.setattr(database, "_LONGEST_GROUP", 64)
    added = sums_of(monkeypatch)
    made_of(both, "v int", "v int")
    rows = [(number if number < 30 else number * 10**6, number) for number in range(1, 41)]
    for side in (both.legacy, both.modern):
        side("INSERT INTO t VALUES (%s, %s)", *rows)

    assert both.verified(table("t", "t", ["v"])).equal == 40
    both.modern("UPDATE t SET v = 0 WHERE id IN (29, 40000000)")

    assert rows_of(both.verified(table("t", "t", ["v"]))) == {"29": "v", "40000000": "v"}
    assert added, "checksums were added up"


def made_of(both: Both, legacy: str, modern: str) -> None:
    both.legacy(f"CREATE TABLE t (id int PRIMARY KEY, {legacy}) DEFAULT CHARSET utf8mb4")
    both.modern(f"CREATE TABLE t (id int PRIMARY KEY, {modern})")


def sums_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the sides that add up checksums from now on."""
    asked: list[str] = []
    checksums = row_reading.checksums

    def noted(side: Any, one: Database, *more: Any) -> Any:
        asked.append(one.side)
        return checksums(side, one, *more)

    monkeypatch.setattr(row_reading, "checksums", noted)
    return asked
