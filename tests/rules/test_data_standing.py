"""A route's data may be relied on when its tables hold the same, recently enough, and no check is violated."""

from __future__ import annotations

import pytest

from rules.data_settings import DataCheck, DataSettings, DataSource, DataTable, TableSide
from rules.data_standing import TableStanding, unverified

SIDE = TableSide("t", ("id",))
SETTINGS = DataSettings(
    DataSource("sqlite:a"),
    DataSource("sqlite:b"),
    tables=(DataTable("invoices", SIDE, SIDE, (), routes=("bills",)), DataTable("logs", SIDE, SIDE, ())),
    checks=(DataCheck("credits", "select 1", "select 1", routes=("bills",)),),
    max_age=3600.0,
)
NOW = 100_000.0


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (None, "table invoices was not verified yet"),
        (TableStanding(), "table invoices was not verified yet"),
        (TableStanding(verified=NOW - 60, at=NOW - 60), ""),
        (TableStanding(verified=NOW - 3600, at=NOW - 3600), ""),
        (
            TableStanding(verified=NOW - 7200, at=NOW - 7200),
            "table invoices was last verified 2 h ago (`max_age`: 1 h)",
        ),
        (TableStanding(at=NOW, apart=1234), "table invoices differs (1,234 rows or totals)"),
        (TableStanding(reason="legacy: gone"), "table invoices was not verified: legacy: gone"),
        (
            TableStanding(verified=NOW - 7200, at=NOW - 7200, reason="legacy: gone"),
            "table invoices was last verified 2 h ago (`max_age`: 1 h): legacy: gone",
        ),
        (TableStanding(verified=NOW - 60, at=NOW - 60, reason="legacy: gone"), ""),
    ],
)
def test_why_a_route_waits(known: TableStanding | None, why: str):
    tables = {} if known is None else {"invoices": known}

    assert unverified(SETTINGS, tables, frozenset(), "bills", NOW) == why


def test_a_route_that_no_table_names_waits_for_none():
    assert unverified(SETTINGS, {}, frozenset({"credits"}), "other", NOW) == ""


def test_a_violated_check_is_a_reason_beside_the_tables():
    tables = {"invoices": TableStanding(at=NOW, apart=1)}

    found = unverified(SETTINGS, tables, frozenset({"credits"}), "bills", NOW)

    assert found == "table invoices differs (1 rows or totals); check credits is violated"
