"""Since when modern serves all users; writes that legacy lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from time import time
from typing import Any

import orjson

from proxy.control.reload import Current
from proxy.control.route_evidence import RouteWindows
from proxy.ipc.messages import RouteWrites, Write, Writes
from proxy.state.request_outcomes import KEPT
from proxy.storage.store import Store, StoreError
from proxy.telemetry.aggregation import Worker
from proxy.telemetry.events import timestamp
from rules.guard.rollout import Served, retirement
from rules.model import LEGACY, MODERN, Route
from rules.routing.compiled_route import effective_weight

EVERY = 60.0
NAME = "all_modern_since"
"""Under this name the store keeps the moments, because the longest wait is a week."""
_ALL = 100.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the totals of a route were when modern began to serve all of it."""

    modern: int = 0
    legacy: int = 0


@dataclass(slots=True)
class _Moments:
    """`since` (epoch seconds) and `marks` by route; `kept` is what the store has of the former."""

    since: dict[str, float] = field(default_factory=dict)
    marks: dict[str, _Mark] = field(default_factory=dict)
    kept: dict[str, float] | None = None


class Retirements:
    """Reads the weights each minute, and whenever they change. Counts are of this process, moments of the store."""

    def __init__(
        self,
        current: Callable[[], Current],
        windows: RouteWindows,
        open_groups: Callable[[str], int],
        store: Store,
        clock: Callable[[], float] = time,
    ) -> None:
        self._current = current
        self._windows = windows
        self._open_groups = open_groups
        self._store = store
        self._clock = clock
        self._moments = _Moments()

    async def run(self) -> None:
        """Run for ever."""
        while True:
            await self.remember()
            await asyncio.sleep(EVERY)

    async def remember(self) -> None:
        """Read the weights, store new moments; what cannot be stored is tried again the next time."""
        moments = self._moments
        try:
            if moments.kept is None:
                moments.kept = _read(await self._store.value(NAME))
                self.look()
                # an earlier process may have stored an earlier moment
                moments.since.update({name: moments.kept[name] for name in moments.since.keys() & moments.kept.keys()})
            self.look()
            now = dict(moments.since)
            if now != moments.kept:
                await self._store.keep(NAME, orjson.dumps(now).decode())
                moments.kept = now
        except StoreError:
            return

    def look(self) -> None:
        """Note which routes modern serves wholly, from now on or still."""
        moments, full = self._moments, {route.name for route in self._routes() if self._weight(route) >= _ALL}
        for gone in moments.since.keys() - full:
            del moments.since[gone]
            moments.marks.pop(gone, None)
        for name in full - moments.since.keys():
            moments.since[name] = self._clock()
            moments.marks[name] = _Mark(*self._answered(name))

    def document(self, name: str) -> dict[str, Any] | None:
        """Return what of legacy may be deleted once nothing is missing; None as long as users are on legacy."""
        since = self._moments.since.get(name)
        route = next((route for route in self._routes() if route.name == name), None)
        if since is None or route is None:
            return None
        mark = self._moments.marks.get(name, _Mark())
        modern, legacy = self._answered(name)
        served = Served(
            self._weight(route),
            since,
            requests=max(0, modern - mark.modern),
            legacy_requests=max(0, legacy - mark.legacy),
            open_groups=self._open_groups(name),
        )
        return {"since": timestamp(since), **asdict(retirement(route, served, self._routes(), self._clock()))}

    def _answered(self, name: str) -> tuple[int, int]:
        return self._windows.totals(name, MODERN).requests, self._windows.totals(name, LEGACY).requests

    def _weight(self, route: Route) -> float:
        current = self._current()
        if current.configuration.legacy_only:
            return 0.0
        return effective_weight(route, current.generation.overrides.get(route.name))

    def _routes(self) -> Iterable[Route]:
        return self._current().configuration.snapshot.routes


def _read(text: str | None) -> dict[str, float]:
    try:
        found: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(found, Mapping):
        return {}
    return {str(name): float(at) for name, at in found.items() if isinstance(at, int | float)}


# Collects the writes that legacy lacks, for the evidence of a rollback that loses them.
#
# The workers of this instance report their own first and last writes of a route. An ended worker has
# no successor that reports its writes, so they stay.


_ENDED_WORKERS: Worker = (-1, -1)


class UnseenWrites:
    """`_reports` is each worker's last report, by route; those of ended workers are merged under a key of no worker."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._reports: dict[str, dict[Worker, RouteWrites]] = {}

    def record_writes(self, worker: Worker, writes: Writes) -> None:
        """Replace a worker's report."""
        for route in writes.routes:
            reports = self._reports.setdefault(route.route, {})
            reports[worker] = route
            if len(reports) > KEPT:
                self._reports[route.route] = {_ENDED_WORKERS: _merged(route.route, reports.values())}

    def keep_only(self, routes: Iterable[str]) -> None:
        """Drop the routes that no longer exist."""
        for name in self._reports.keys() - set(routes):
            del self._reports[name]

    def evidence(self, route: Route) -> dict[str, Any]:
        """Return what an operator must know of writes that a rollback loses; empty where none are lost."""
        if route.guard is None or route.guard.rollback != "lossy":
            return {}
        known = _merged(route.name, self._reports.get(route.name, {}).values())
        return {
            "writes_legacy_has_not_seen": self._count(route.name),
            "writes_since": timestamp(known.since) if known.last else None,
            "last_writes": [write._asdict() | {"at": timestamp(write.at)} for write in known.last],
        }

    def words(self, route: Route) -> str:
        """Return the same as a document, empty where there is none."""
        found = self.evidence(route)
        return orjson.dumps(found).decode() if found else ""


def _merged(name: str, reports: Iterable[RouteWrites]) -> RouteWrites:
    """Merge several reports: the earliest moment, the newest writes."""
    several = tuple(reports)
    last: list[Write] = sorted({write for each in several for write in each.last})
    return RouteWrites(name, min((each.since for each in several), default=0.0), tuple(last[-KEPT:]))
