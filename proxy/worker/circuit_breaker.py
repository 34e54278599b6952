"""Watches for modern failing again and again, so that this worker sends its users back at once.

Nothing is kept for a route whose modern side is well: the usual call costs one look-up that finds nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

import orjson

from proxy.state.live import Live
from proxy.telemetry.records import NEUTRAL, Attempt, Exchange, last_of_each_side
from rules.guard.circuit_breaker import PATIENCE, FailureRun
from rules.model import MODERN
from rules.routing.decide import Generation

Later = Callable[[float, Callable[[], None]], object]
_NOT_JUDGED: Final = "force"
QUIET: Final = 60.0
"""Seconds in which a trip of a route is not reported again while control does not act on it."""


class _Watched:
    """A route whose modern side has failed lately: the run, with what a person will want to know of it."""

    __slots__ = ("kinds", "legacy_answers", "legacy_failed", "run")

    def __init__(self, limit: int) -> None:
        self.run = FailureRun(limit)
        self.kinds: Counter[str] = Counter()
        self.legacy_answers = self.legacy_failed = 0

    def modern(self, attempt: Attempt, now: float) -> bool:
        """Count an answer of modern; whether that trips."""
        if attempt.failed:
            self.kinds[attempt.kind or str(attempt.status)] += 1
        else:
            self.kinds.clear()
            self.legacy_answers = self.legacy_failed = 0
        return self.run.modern(failed=attempt.failed, now=now)

    def legacy(self, attempt: Attempt, now: float) -> bool:
        """Count an answer of legacy; whether that trips."""
        if self.run.failures:
            self.legacy_answers += 1
            self.legacy_failed += attempt.failed
        return self.run.legacy(failed=attempt.failed, now=now)

    def described(self, now: float) -> str:
        """Return the evidence as JSON."""
        found = {
            "failures": self.run.failures,
            "seconds": round(now - self.run.since, 3),
            "kinds": dict(self.kinds),
            "legacy": {"answers": self.legacy_answers, "failed": self.legacy_failed},
        }
        return orjson.dumps(found).decode()


class CircuitBreaker:
    """An observer.

    `_watched` has the routes where modern failed lately; `_since` the generation from which on a route counts: a
    resume or a way back began it. `_quiet` has the time until which a trip emits no second event.
    """

    def __init__(
        self,
        live: Live,
        tripped: Callable[[str, str], None],
        *,
        clock: Callable[[], float] = monotonic,
        later: Later | None = None,
    ) -> None:
        self._live = live
        self._on_open = tripped
        self._clock = clock
        self._later = later or _later
        self._watched: dict[str, _Watched] = {}
        self._since: dict[str, int] = {}
        self._quiet: dict[str, float] = {}
        live.subscribe(self._swapped)

    def observe(self, exchange: Exchange) -> None:
        """Look at one finished call."""
        self.observe_all((exchange,))

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Look at finished calls, in their order."""
        watched = self._watched
        for exchange in exchanges:
            if exchange.route in watched:
                self._judge(exchange)
                continue
            for _, _, _, status, kind, _ in exchange.attempts:
                if kind or status >= 500:  # noqa: PLR2004 - HTTP
                    self._judge(exchange)
                    break

    def _judge(self, exchange: Exchange) -> None:
        if exchange.reason == _NOT_JUDGED or exchange.generation < self._since.get(exchange.route, 0):
            return
        for attempt in last_of_each_side(exchange.attempts):
            if attempt.kind not in NEUTRAL:
                self._count(exchange.route, attempt)

    def _count(self, route: str, attempt: Attempt) -> None:
        watched = self._watched.get(route)
        if watched is None:
            if attempt.side != MODERN or not attempt.failed:
                return
            watched = self._watched[route] = _Watched(self._limit(route))
        now = self._clock()
        if attempt.side != MODERN:
            trips = watched.legacy(attempt, now)
        else:
            trips = watched.modern(attempt, now)
            if not trips and 0 < watched.run.failures == watched.run.limit:
                self._later(PATIENCE, lambda: self._look(route))
        if trips:
            self._open(route, watched)
        elif watched.run.is_over(now):
            del self._watched[route]

    def _look(self, route: str) -> None:
        """Judge again, in case no request comes any more."""
        watched = self._watched.get(route)
        if watched is not None and watched.run.opens(self._clock()):
            self._open(route, watched)

    def _open(self, route: str, watched: _Watched) -> None:
        self._watched.pop(route, None)
        now = self._clock()
        if now >= self._quiet.get(route, now):
            self._quiet[route] = now + QUIET
            self._on_open(route, watched.described(now))

    def _limit(self, route: str) -> int:
        generation = self._live.generation
        compiled = generation.table.compiled_route_of(route)
        override = generation.overrides.get(route)
        if compiled is None or compiled.route.guard is None or (override is not None and override.rolled_back):
            return 0
        return compiled.route.guard.consecutive_failures

    def _swapped(self, old: Generation, new: Generation) -> None:
        """Begin anew where a rollback was lifted or users were sent back, everywhere with another file."""
        if old.snapshot is not new.snapshot:
            self._watched.clear()
            self._quiet.clear()
            known = {route.name for route in new.snapshot.routes}
            self._since = {route: number for route, number in self._since.items() if route in known}
        for route in old.overrides.keys() | new.overrides.keys():
            if _begins(old, new, route):
                self._watched.pop(route, None)
                self._quiet.pop(route, None)
                self._since[route] = new.number


def _begins(old: Generation, new: Generation, route: str) -> bool:
    """Whether what modern did on `route` before says nothing about what was set since."""
    before, after = old.overrides.get(route), new.overrides.get(route)
    if before is after or before == after:
        return False
    if before is not None and before.rolled_back:
        return after is None or not after.rolled_back
    compiled, following = old.table.compiled_route_of(route), new.table.compiled_route_of(route)
    return compiled is not None and following is not None and following.weight < compiled.weight


def _later(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)
