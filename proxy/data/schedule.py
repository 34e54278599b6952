"""When which table is verified, and when which check is asked. Pure: times are handed in, in epoch seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from proxy.data.checks import SHARE_OF_TIME
from proxy.data.run_state import Kept
from rules.data_settings import DataCheck, DataSettings, DataTable

OVERLAP = 300.0
"""Seconds that a run over what changed reaches back behind the last one: transactions that ended late."""


@dataclass(frozen=True, slots=True)
class Due:
    """A table whose turn it is: rows changed since then, or every row (None)."""

    table: str
    since: float | None


def due_tables(
    settings: DataSettings, kept: Mapping[str, Kept], tried: Mapping[str, float], now: float
) -> Iterator[Due]:
    """Yield the tables whose turn it is; `tried` is when a table's run last failed. Without `every`: none."""
    if not settings.every:
        return
    for table in settings.tables:
        last = max(kept[table.name].at if table.name in kept else 0.0, tried.get(table.name, 0.0))
        if now - last >= settings.every and (due := _due(settings, table, kept.get(table.name), now)) is not None:
            yield due


def _due(settings: DataSettings, table: DataTable, kept: Kept | None, now: float) -> Due | None:
    if kept is None or not kept.full or not kept.verified:
        # what differs is read whole again: only that confirms that it is mended
        return Due(table.name, None)
    if settings.full_every and now - kept.full >= settings.full_every:
        return Due(table.name, None)
    return None if table.changed is None else Due(table.name, kept.began - OVERLAP)


def due_checks(settings: DataSettings, asked: Mapping[str, tuple[float, float]], now: float) -> Iterator[DataCheck]:
    """Yield the checks whose turn it is; `asked` is when each was last asked and how many seconds that took."""
    for check in settings.checks:
        at, took = asked.get(check.name, (0.0, 0.0))
        if now - at >= max(check.every, took * SHARE_OF_TIME):
            yield check
