"""Counts a worker's requests and mirrored requests in pre-bound slots."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from proxy.telemetry.aggregation import Exemplar
from proxy.telemetry.metric_names import (
    CODES,
    CONNECTIONS,
    DURATION,
    DURATION_BOUNDS,
    FALLBACKS,
    IN_FLIGHT,
    LIVE,
    MODERN_WRITES,
    NO_ANSWER,
    OVERHEAD,
    OVERHEAD_BOUNDS,
    REQUESTS,
    SHADOW,
    SHADOW_DROPPED,
    UPSTREAM_ERRORS,
    Metric,
)
from proxy.telemetry.records import DROPPED, NO_SIDE, Attempt, Exchange, Shadowed, last_of_each_side
from proxy.telemetry.spans import trace_id
from rules.model import LEGACY, MODERN

Row = tuple[str, tuple[str, ...], tuple[float, ...]]
"""Metric name, label values, then one value, or for a histogram its buckets (not cumulative) followed by its sum."""


class _Side:
    """One side of one route that responded; `sent` is the count when it was last reported.

    `slowest` is the slowest request since the last read of exemplars, `slow` its seconds.
    """

    __slots__ = ("codes", "duration", "seconds", "sent", "slow", "slowest")

    def __init__(self) -> None:
        self.codes = [0] * 10
        self.duration = [0] * (len(DURATION_BOUNDS) + 1)
        self.seconds = 0.0
        self.sent = 0
        self.slow = 0.0
        self.slowest: Exchange | None = None


class _Route:
    """All slots of one route."""

    __slots__ = ("overhead", "overhead_seconds", "sides")

    def __init__(self) -> None:
        self.sides = {LEGACY: _Side(), MODERN: _Side(), NO_SIDE: _Side()}
        self.overhead = [0] * (len(OVERHEAD_BOUNDS) + 1)
        self.overhead_seconds = 0.0


class Counts:
    """An observer. Slots change with each exchange, `_routes` with each new route name, only on the event loop."""

    __slots__ = ("_rare", "_rare_sent", "_routes")

    def __init__(self) -> None:
        self._routes: dict[str, _Route] = {}
        self._rare: dict[tuple[Metric, tuple[str, ...]], float] = {}
        self._rare_sent: dict[tuple[Metric, tuple[str, ...]], float] = {}

    def observe(self, exchange: Exchange) -> None:
        """Count one finished request."""
        self.observe_all((exchange,))

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count finished requests."""
        routes = self._routes
        for exchange in exchanges:
            name = exchange.route
            route = routes.get(name)
            if route is None:
                route = routes[name] = _Route()
            side = route.sides[exchange.answered]
            side.codes[exchange.status // 100] += 1
            if not exchange.tunnel:  # a tunnel lasts as long as its user likes
                seconds, overhead = exchange.duration, exchange.overhead
                side.duration[bisect_left(DURATION_BOUNDS, seconds)] += 1
                side.seconds += seconds
                if seconds > side.slow:
                    side.slow, side.slowest = seconds, exchange
                route.overhead[bisect_left(OVERHEAD_BOUNDS, overhead)] += 1
                route.overhead_seconds += overhead
            if exchange.fallback:
                self.increment(FALLBACKS, (name, exchange.fallback))
            for _, _, _, status, kind, _ in exchange.attempts:
                if kind or status >= 500:  # noqa: PLR2004 - HTTP
                    self._count_errors(exchange.attempts)
                    break

    def increment(self, metric: Metric, labels: tuple[str, ...], amount: float = 1) -> None:
        """Count something rare."""
        key = metric, labels
        self._rare[key] = self._rare.get(key, 0) + amount

    def set(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """Set the present value of a gauge."""
        self._rare[metric, labels] = value

    def keep_only(self, routes: Iterable[str]) -> None:
        """Drop the routes that no generation has any more."""
        wanted = set(routes)
        self._routes = {name: route for name, route in self._routes.items() if name in wanted}

    def resend(self) -> None:
        """Report everything the next time: the receiver is a new one."""
        self._rare_sent.clear()
        for route in self._routes.values():
            for side in route.sides.values():
                side.sent = 0

    def changed(self) -> list[Row]:
        """Return the rows that changed since the last call; values count from this worker's start."""
        rows: list[Row] = []
        for name, route in self._routes.items():
            before = len(rows)
            for answered, side in route.sides.items():
                count = sum(side.codes)
                if count != side.sent:
                    side.sent = count
                    rows += _side_rows(name, answered, side)
            if len(rows) > before:
                rows.append((OVERHEAD.name, (name,), (*route.overhead, route.overhead_seconds)))
        for key, value in self._rare.items():
            if self._rare_sent.get(key) != value:
                self._rare_sent[key] = value
                rows.append((key[0].name, key[1], (value,)))
        return rows

    def exemplars(self) -> list[Exemplar]:
        """Return the slowest request of each side of each route since the last call.

        One per series at a time, chosen by one comparison a request: slow requests are the interesting ones.
        """
        found: list[Exemplar] = []
        for name, route in self._routes.items():
            for answered, side in route.sides.items():
                call = side.slowest
                if call is not None:
                    side.slow, side.slowest = 0.0, None
                    found.append(_exemplar((name, answered, LIVE), call))
        return found

    def _count_errors(self, attempts: tuple[Attempt, ...]) -> None:
        for attempt in last_of_each_side(attempts):
            if attempt.failed:
                self.increment(UPSTREAM_ERRORS, (attempt.side, attempt.kind or "status"))


def _side_rows(route: str, answered: str, side: _Side) -> list[Row]:
    rows: list[Row] = [
        (REQUESTS.name, (route, answered, LIVE, code), (side.codes[hundred],))
        for hundred, code in enumerate(CODES, 1)
        if side.codes[hundred]
    ]
    rows.append((DURATION.name, (route, answered, LIVE), (*side.duration, side.seconds)))
    return rows


def _exemplar(labels: tuple[str, ...], call: Exchange) -> Exemplar:
    seconds = call.duration
    trace = trace_id(call.request_id, call.traceparent)
    return Exemplar(DURATION.name, labels, bisect_left(DURATION_BOUNDS, seconds), trace, seconds, call.at + seconds)


def gauges(stats: Mapping[str, float], put: Callable[[Metric, tuple[str, ...], float], None]) -> None:
    """Set the data path's own figures, by prefixes of their names; others are not exported."""
    for name, value in stats.items():
        if name.startswith("connections_"):
            put(CONNECTIONS, (name.removeprefix("connections_"),), value)
        elif name.startswith("in_flight_"):
            put(IN_FLIGHT, (name.removeprefix("in_flight_"), LIVE), value)
        elif name.startswith("shadows_in_flight_"):
            put(IN_FLIGHT, (name.removeprefix("shadows_in_flight_"), SHADOW), value)


# Counts the copies that a worker sends to a side, apart from what users wait for.


class _Copies:
    """One side of one route; `fresh` when something was not reported yet."""

    __slots__ = ("codes", "duration", "fresh", "seconds")

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.duration = [0] * (len(DURATION_BOUNDS) + 1)
        self.seconds = 0.0
        self.fresh = False


class ShadowCounts:
    """An observer of shadows; values count from this worker's start."""

    def __init__(self) -> None:
        self._copies: dict[tuple[str, str], _Copies] = {}
        self._dropped: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, str], int] = {}

    def observe(self, shadowed: Shadowed) -> None:
        """Count one mirrored request."""
        self.observe_all((shadowed,))

    def observe_all(self, records: Sequence[Shadowed]) -> None:
        """Count mirrored requests."""
        dropped = self._dropped
        for record in records:
            reason = record.reason
            if reason and reason in DROPPED:
                key = record.route, reason
                dropped[key] = dropped.get(key, 0) + record.times
            for attempt, seconds in record.calls:
                self._add(record.route, attempt, seconds)

    def keep_only(self, routes: Iterable[str]) -> None:
        """Drop the routes that no generation has any more."""
        wanted = set(routes)
        self._copies = {key: copies for key, copies in self._copies.items() if key[0] in wanted}
        self._dropped = {key: count for key, count in self._dropped.items() if key[0] in wanted}

    def resend(self) -> None:
        """Report everything the next time: the receiver is a new one."""
        self._told.clear()
        for copies in self._copies.values():
            copies.fresh = True

    def changed(self) -> list[Row]:
        """Return the rows that changed since the last call."""
        rows: list[Row] = []
        for (route, side), copies in self._copies.items():
            if copies.fresh:
                copies.fresh = False
                rows += [(REQUESTS.name, (route, side, SHADOW, code), (count,)) for code, count in copies.codes.items()]
                rows.append((DURATION.name, (route, side, SHADOW), (*copies.duration, copies.seconds)))
        for key, count in self._dropped.items():
            if self._told.get(key) != count:
                self._told[key] = count
                rows.append((SHADOW_DROPPED.name, key, (count,)))
        return rows

    def _add(self, route: str, attempt: Attempt, seconds: float) -> None:
        key = route, attempt.side
        copies = self._copies.get(key)
        if copies is None:
            copies = self._copies[key] = _Copies()
        code = CODES[attempt.status // 100 - 1] if attempt.status else NO_ANSWER
        copies.codes[code] = copies.codes.get(code, 0) + 1
        copies.duration[bisect_left(DURATION_BOUNDS, seconds)] += 1
        copies.seconds += seconds
        copies.fresh = True


# Counts the writes that only modern has served: what a rollback would leave behind where databases are separate.


_READS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_DONE: Final = range(200, 400)


class ModernWrites:
    """An observer; it stores nothing itself but increments the common counters."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count the writes among finished requests, most of which are reads."""
        for exchange in exchanges:
            if is_write_of_modern(exchange):
                self._counts.increment(MODERN_WRITES, (exchange.route,))


def is_write_of_modern(exchange: Exchange) -> bool:
    """Whether modern has changed something that legacy has only where both share a database."""
    return exchange.method not in _READS and exchange.answered == MODERN and exchange.status in _DONE
