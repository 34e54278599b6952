"""The last day in moments, for charts and the report.

Ten-second moments for the last hour, one a minute for the last day. A quiet route costs nothing: only moments in
which something happened are kept, between two zeros, so that a line falls and rises with traffic.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from time import time

from dashboards.charts import Moment, SideMoment
from proxy.control.reload import Current
from proxy.ipc.messages import Outcomes
from proxy.state.request_outcomes import unpack
from proxy.telemetry.metric_names import LIVE
from rules.guard.window import ComparedTally, Tally
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN
from rules.routing.compiled_route import effective_weight

FINE, COARSE = 10.0, 60.0
FINE_KEPT, COARSE_KEPT = 360, 1440
BUDGET = 400_000
"""Moments of all routes together; with very many routes each keeps fewer."""
_LEAST_KEPT = 60
_WEIGHTS_KEPT = 500

Pairs = tuple[int, int, int]
"""Equal or different, different, eligible: since the start."""


class _Ring:
    """Moments of one length; `_sides` fills with each report until the next `close`."""

    def __init__(self, span: float, kept: int) -> None:
        self.moments: deque[Moment] = deque(maxlen=kept)
        self._span = span
        self._sides: dict[str, Tally] = {}
        self._pairs: Pairs = (0, 0, 0)

    def add_tally(self, side: str, tally: Tally) -> None:
        self._sides.setdefault(side, Tally()).merge(tally)

    def close(self, now: float, pairs: Pairs) -> None:
        """End the moment that is open."""
        compared, different, eligible = (max(0, a - b) for a, b in zip(pairs, self._pairs, strict=True))
        sides, self._sides, self._pairs = self._sides, {}, pairs
        happened = bool(sides) or eligible > 0
        last = self.moments[-1] if self.moments else None
        if not happened:
            if last is not None and _is_busy(last):
                self.moments.append(Moment(now, self._span))
            return
        if last is not None and now - last.at > 1.5 * self._span:
            self.moments.append(Moment(now - self._span, self._span))
        legacy, modern = _moment(sides.get(LEGACY)), _moment(sides.get(MODERN))
        self.moments.append(Moment(now, self._span, legacy, modern, compared, different, eligible))


class _Route:
    """The history of one route."""

    def __init__(self, share: int) -> None:
        self.fine = _Ring(FINE, max(_LEAST_KEPT, min(FINE_KEPT, share)))
        self.coarse = _Ring(COARSE, max(_LEAST_KEPT, min(COARSE_KEPT, share)))
        self.weights: deque[tuple[float, float]] = deque(maxlen=_WEIGHTS_KEPT)
        self.ever: dict[str, Tally] = {LEGACY: Tally(), MODERN: Tally()}


class History:
    """Fills with `record_outcomes`, is cut into moments by `tick`, both on control's loop.

    `apply_routes` drops routes that are gone.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self._routes: dict[str, _Route] = {}
        self._minute = began

    def apply_routes(self, routes: Iterable[str]) -> None:
        """Keep these routes from now on."""
        wanted = tuple(routes)
        share = BUDGET // max(1, len(wanted)) // 2
        self._routes = {name: self._routes.get(name) or _Route(share) for name in wanted}

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one worker's second."""
        for side in outcomes.sides:
            route = self._routes.get(side.route)
            if route is None or side.role != LIVE or not side.requests:
                continue
            tally = unpack(side)
            route.fine.add_tally(side.side, tally)
            route.coarse.add_tally(side.side, tally)
            route.ever[side.side].merge(tally)

    def tick(self, now: float, weights: Mapping[str, float], pairs: Callable[[str], Pairs]) -> None:
        """Close the ten seconds that end `now` (epoch seconds), with `weights` in effect, `pairs` counted so far."""
        is_minute = now - self._minute >= COARSE - FINE / 2
        if is_minute:
            self._minute = now
        for name, route in self._routes.items():
            counted = pairs(name)
            route.fine.close(now, counted)
            if is_minute:
                route.coarse.close(now, counted)
            self._note_weight(route, now, weights.get(name, 0.0))

    def weigh(self, now: float, weights: Mapping[str, float]) -> None:
        """Note the weights that are in effect from `now` on."""
        for name, route in self._routes.items():
            self._note_weight(route, now, weights.get(name, 0.0))

    def moments(self, route: str, start: float, now: float) -> Sequence[Moment]:
        """Return the moments of `route` since `start`: finely when that is within the hour."""
        found = self._routes.get(route)
        if found is None:
            return ()
        ring = found.fine if now - start <= FINE_KEPT * FINE + FINE else found.coarse
        return tuple(moment for moment in ring.moments if moment.at >= start)

    def weights(self, route: str) -> Sequence[tuple[float, float]]:
        """Return the changes of the weight of `route`, with their times."""
        found = self._routes.get(route)
        return tuple(found.weights) if found is not None else ()

    def ever(self, route: str, side: str) -> Tally:
        """Return the sum of `side` of `route` since control began."""
        found = self._routes.get(route)
        return found.ever[side] if found is not None else Tally()

    @staticmethod
    def _note_weight(route: _Route, now: float, weight: float) -> None:
        if not route.weights or route.weights[-1][1] != weight:
            route.weights.append((now, weight))


def _is_busy(moment: Moment) -> bool:
    return replace(moment, at=0.0) != Moment(0.0, moment.span)


def _moment(tally: Tally | None) -> SideMoment:
    if tally is None:
        return SideMoment()
    p50, p95, p99 = (tally.percentile(share) for share in (0.5, 0.95, 0.99))
    return SideMoment(tally.requests, tally.errors, p50, p95, p99)


# Cuts the history into moments as time goes by.


class HistorySampler:
    """Feeds the history; immutable itself."""

    def __init__(self, current: Callable[[], Current], counted: Callable[[str], ComparedTally]) -> None:
        self.history = History(time())
        self._current = current
        self._counted = counted

    def changed(self) -> None:
        """Note the weights in effect from now on."""
        snapshot = self._current().configuration.snapshot
        self.history.apply_routes((*(route.name for route in snapshot.routes), DEFAULT_ROUTE))
        self.history.weigh(time(), self._weights())

    async def run(self) -> None:
        """Record moments, for ever."""
        self.changed()
        while True:
            await asyncio.sleep(FINE)
            self.history.tick(time(), self._weights(), self._pairs)

    def _weights(self) -> dict[str, float]:
        current = self._current()
        if current.configuration.legacy_only:
            return {}
        overrides = current.generation.overrides
        routes = current.configuration.snapshot.routes
        return {route.name: effective_weight(route, overrides.get(route.name)) for route in routes}

    def _pairs(self, route: str) -> Pairs:
        tally = self._counted(route)
        return tally.compared, tally.different, tally.eligible
