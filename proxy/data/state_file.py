"""Keeps what verifying came to, in a small SQLite file: how far a run came that was cut off, each table's last result.

The command and the process beside the proxy share it, so that a run by hand counts as one by the clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rules.data_settings import DataTable

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, settings TEXT, last TEXT, result TEXT, at REAL)",
    "CREATE TABLE IF NOT EXISTS results (name TEXT PRIMARY KEY, settings TEXT, verified REAL, kept TEXT)",
)
_BUSY = 5.0
FRESH = 86_400.0
"""Seconds after which a place is too old: the rows before it were read too long ago."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last key that was verified, and the result's document up to there."""

    last: int
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A table's last result. Times are epoch seconds, 0 for never.

    `began` and `at` are of that run, `full` is the end of the last run over every row. `verified` is when both sides
    were last known to be the same: since a difference was found, only a run over every row says so again.
    """

    document: dict[str, Any]
    began: float
    at: float
    full: float
    verified: float


def after(before: Kept | None, document: dict[str, Any], began: float, at: float) -> Kept:
    """Return what is kept of a table once a run came to `document`."""
    whole = bool(document["full"])
    known = whole or (before is not None and before.verified > 0)
    verified = at if document["same"] and known else 0.0
    full = at if whole else before.full if before is not None else 0.0
    if before is not None and document["same"] and not known:
        return Kept(before.document, began, at, full, 0.0)  # what differed is still to be shown
    return Kept(document, began, at, full, verified)


class StateFile:
    """The file. A file that cannot be written keeps nothing: runs begin at the beginning. Its rows change."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def place(self, table: DataTable, now: float) -> Place | None:
        """Return where a run over this table, with these settings, ended too early within the last day."""
        rows = self._do("SELECT settings, last, result, at FROM places WHERE name = ?", table.name)
        if not rows or rows[0][0] != _settings(table) or now - rows[0][3] > FRESH:
            return None
        return Place(int(rows[0][1]), json.loads(rows[0][2]))

    def keep(self, table: DataTable, last: int, result: dict[str, Any], now: float) -> None:
        """Keep how far a run came."""
        self._do(
            "REPLACE INTO places VALUES (?, ?, ?, ?, ?)",
            table.name,
            _settings(table),
            str(last),
            json.dumps(result),
            now,
        )

    def forget(self, table: DataTable) -> None:
        """Forget the place of a run that came to its end."""
        self._do("DELETE FROM places WHERE name = ?", table.name)

    def results(self, tables: Iterable[DataTable]) -> dict[str, Kept]:
        """Return the last result of each of these tables that was verified under the same settings."""
        wanted = {table.name: _settings(table) for table in tables}
        rows = self._do("SELECT name, settings, kept FROM results")
        return {name: Kept(**json.loads(kept)) for name, settings, kept in rows if wanted.get(name) == settings}

    def finished(self, table: DataTable, document: dict[str, Any], began: float, at: float) -> Kept:
        """Keep a run's result; return what is known of the table now."""
        kept = after(self.results([table]).get(table.name), document, began, at)
        values = (table.name, _settings(table), kept.verified, json.dumps(asdict(kept)))
        self._do("REPLACE INTO results VALUES (?, ?, ?, ?)", *values)
        return kept

    def _do(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            connection = sqlite3.connect(self._path, timeout=_BUSY)
            try:
                with connection:
                    for statement in _SCHEMA:
                        connection.execute(statement)
                    return connection.execute(sql, parameters).fetchall()
            finally:
                connection.close()
        except sqlite3.Error:
            return []


def _settings(table: DataTable) -> str:
    return sha256(repr(table).encode()).hexdigest()
