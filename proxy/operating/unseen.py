"""Knows which writes legacy has not seen, for the evidence of a rollback that loses them.

What this instance's workers told: each names its own first and last writes of a route. A worker that is gone has
nobody to tell its writes again, so they stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from proxy.ipc.messages import RouteWrites, Write, Writes
from proxy.state.request_outcomes import KEPT
from proxy.telemetry.aggregation import Worker
from proxy.telemetry.events import timestamp
from rules.model import Route

_NOBODY: Worker = (-1, -1)


class Unseen:
    """`_told` is what each worker said last, for each route; that of many workers is put together under nobody."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._told: dict[str, dict[Worker, RouteWrites]] = {}

    def take(self, worker: Worker, writes: Writes) -> None:
        """Hear what a worker knows; it takes the place of what the same worker said."""
        for route in writes.routes:
            told = self._told.setdefault(route.route, {})
            told[worker] = route
            if len(told) > KEPT:
                self._told[route.route] = {_NOBODY: _together(route.route, told.values())}

    def keep_only(self, routes: Iterable[str]) -> None:
        """Forget the routes that are no more."""
        for name in self._told.keys() - set(routes):
            del self._told[name]

    def evidence(self, route: Route) -> dict[str, Any]:
        """Return what an operator needs to know of writes that a rollback loses; nothing where none are lost."""
        if route.guard is None or route.guard.rollback != "lossy":
            return {}
        known = _together(route.name, self._told.get(route.name, {}).values())
        return {
            "writes_legacy_has_not_seen": self._count(route.name),
            "writes_since": timestamp(known.since) if known.last else None,
            "last_writes": [write._asdict() | {"at": timestamp(write.at)} for write in known.last],
        }

    def words(self, route: Route) -> str:
        """Return the same as a document, empty where there is none."""
        found = self.evidence(route)
        return orjson.dumps(found).decode() if found else ""


def _together(name: str, told: Iterable[RouteWrites]) -> RouteWrites:
    """Return the earliest moment, the newest writes of several."""
    several = tuple(told)
    last: list[Write] = sorted({write for each in several for write in each.last})
    return RouteWrites(name, min((each.since for each in several), default=0.0), tuple(last[-KEPT:]))
