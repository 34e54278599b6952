from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from examples.paymenter import seed


def _dump(path):
    seed.seed(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_two_seeded_databases_are_equal_row_by_row(tmp_path):
    first, second = _dump(tmp_path / "a.db"), _dump(tmp_path / "b.db")

    assert len(first) > 3000
    assert first == second


def test_the_seed_holds_every_kind_of_thing(tmp_path):
    seed.seed(f"sqlite:///{tmp_path}/a.db")

    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        counts = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]

    assert counts["users"] == seed.USERS == 200
    assert min(counts.values()) >= 8
    assert mode == "wal"


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="sqlite:///"):
        seed.seed("postgres://localhost/x")
