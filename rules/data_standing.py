"""Whether the data behind a route may be relied on: its tables hold the same and were verified recently enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.data_settings import DataSettings

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class TableStanding:
    """The state of a table. Times are epoch seconds, 0 for never.

    `verified` is when both sides were last verified to be the same, `apart` counts rows and totals that differ,
    `reason` why the last run could not verify it (empty: it could).
    """

    verified: float = 0.0
    at: float = 0.0
    apart: int = 0
    reason: str = ""


def unverified(
    settings: DataSettings, tables: Mapping[str, TableStanding], violated: frozenset[str], route: str, now: float
) -> str:
    """Return why a route's data may not be relied on; empty when it may, or no table and no check names the route."""
    return "; ".join(_reasons(settings, tables, violated, route, now))


def _reasons(
    settings: DataSettings, tables: Mapping[str, TableStanding], violated: frozenset[str], route: str, now: float
) -> Iterator[str]:
    for table in settings.tables:
        if route in table.routes and (reason := _of_table(tables.get(table.name), settings.max_age, now)):
            yield f"table {table.name} {reason}"
    for check in settings.checks:
        if route in check.routes and check.name in violated:
            yield f"check {check.name} is violated"


def _of_table(known: TableStanding | None, max_age: float, now: float) -> str:
    if known is None or not (known.at or known.reason):
        return "was not verified yet"
    if known.at and not known.verified:
        return f"differs ({known.apart:,} rows or totals)"
    if not known.at or (max_age and now - known.verified > max_age):
        because = f": {known.reason}" if known.reason else ""
        age = f"was last verified {_ago(now - known.verified)} ago" if known.verified else "was not verified"
        limit = f" (`max_age`: {_ago(max_age)})" if known.verified else ""
        return f"{age}{limit}{because}"
    return ""


def _ago(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
