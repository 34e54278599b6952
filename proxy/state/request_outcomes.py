"""A worker's outcomes by route and second; the last writes only modern has seen."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from proxy.ipc.messages import RouteWrites, SideOutcomes, Write, Writes
from proxy.state.live import Live
from proxy.telemetry.metric_names import LIVE, SHADOW
from proxy.telemetry.records import UNHEALTHY, Attempt, Exchange, Shadowed, last_of_each_side
from proxy.telemetry.worker_metrics import is_write_of_modern
from rules.guard.window import Tally
from rules.masking import MASK

FORCED: Final = "force"
_CLIENT_ERRORS: Final = range(400, 500)
Key = tuple[str, str, int]
"""Route, side, generation."""
Age = tuple[str, str, int, float]
"""Route, side, generation, seconds."""


class Outcomes:
    """An observer.

    `_tallies` fills with each exchange, `_copies` with each shadow; both are emptied by `drain_counts`.
    """

    __slots__ = ("_copies", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}
        self._copies: dict[Key, Tally] = {}

    def observe(self, exchange: Exchange) -> None:
        """Add one finished request to every side that took part."""
        self.observe_all((exchange,))

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Add finished requests to every side that took part in them."""
        tallies = self._tallies
        for exchange in exchanges:
            if exchange.reason == FORCED:
                continue  # a request that forced its side is not evidence about users
            attempts = exchange.attempts
            if len(attempts) == 1:
                side, _, _, status, kind, wait = attempts[0]
                if not kind and status < 400 and not exchange.tunnel:  # noqa: PLR2004 - HTTP
                    key = exchange.route, side, exchange.generation
                    tally = tallies.get(key)
                    if tally is None:
                        tally = tallies[key] = Tally()
                    tally.count_response(wait)
                    continue
            for attempt in last_of_each_side(attempts):
                self._add(exchange, attempt)

    def observe_shadow(self, shadowed: Shadowed) -> None:
        """Add the copies of one mirrored request, apart from what users wait for."""
        self.observe_shadows((shadowed,))

    def observe_shadows(self, records: Sequence[Shadowed]) -> None:
        """Add the copies of mirrored requests."""
        copies = self._copies
        for shadowed in records:
            for attempt, _ in shadowed.calls:
                key = shadowed.route, attempt.side, shadowed.generation
                tally = copies.get(key)
                if tally is None:
                    tally = copies[key] = Tally()
                if not attempt.kind and attempt.status < 400:  # noqa: PLR2004 - HTTP
                    tally.count_response(attempt.wait)
                else:
                    _count(tally, attempt, timed=True)

    def drain_counts(self, waiting: Mapping[Key, Tally] = MappingProxyType({})) -> tuple[SideOutcomes, ...]:
        """Return what was collected since the last call, and reset it.

        `waiting` are the ages of those still waiting.
        """
        taken, self._tallies = self._tallies, {}
        copies, self._copies = self._copies, {}
        for key in waiting:
            taken.setdefault(key, Tally())
        live = [_pack(key, tally, LIVE, waiting.get(key)) for key, tally in taken.items()]
        return (*live, *(_pack(key, tally, SHADOW, None) for key, tally in copies.items()))

    def _add(self, exchange: Exchange, attempt: Attempt) -> None:
        if attempt.kind == "busy":
            return  # it was never sent to the side
        key = exchange.route, attempt.side, exchange.generation
        _count(self._tallies.setdefault(key, Tally()), attempt, timed=not exchange.tunnel)


def _count(tally: Tally, attempt: Attempt, *, timed: bool) -> None:
    if not timed or attempt.kind in ("connect", "declined", UNHEALTHY):
        # it was never sent to the side, or lasts as long as its user likes: it has no latency
        tally.requests += 1
    else:
        tally.count_response(attempt.wait)
    tally.errors += attempt.failed
    tally.client_errors += attempt.status in _CLIENT_ERRORS


def _pack(key: Key, tally: Tally, role: str, waiting: Tally | None) -> SideOutcomes:
    route, side, generation = key
    return SideOutcomes(
        route,
        side,
        generation,
        tally.requests,
        tally.errors,
        tally.client_errors,
        tuple(tally.latencies.items()),
        role,
        tuple(waiting.latencies.items()) if waiting is not None else (),
    )


def waiting(ages: Iterable[Age]) -> dict[Key, Tally]:
    """Return the ages of requests that wait, as `drain_counts` needs them: route, side, generation, seconds each."""
    tallies: dict[Key, Tally] = {}
    for route, side, generation, seconds in ages:
        tallies.setdefault((route, side, generation), Tally()).count_response(seconds)
    return tallies


def unpack(outcomes: SideOutcomes) -> Tally:
    """Return the tally that was packed."""
    tally = Tally()
    tally.requests = outcomes.requests
    tally.errors = outcomes.errors
    tally.client_errors = outcomes.client_errors
    tally.latencies = dict(outcomes.latencies)
    return tally


# Keeps the last writes that only modern has done, for a rollback after which legacy lacks them.
#
# Only of routes whose rollback is declared lossy: elsewhere both sides share a database, or nothing could be done
# with the list. Kept are the path without its query (steps that look like tokens are masked) with the request's id,
# under which the access log has the rest; never a body.


KEPT: Final = 20
"""Writes of each route."""
LONGEST_PATH: Final = 200
# Random text long enough to be a token; a UUID or a ULID names a row, which is what the list is for.
_TOKEN: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[\w.~%=-]{27,}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class LastWrites:
    """An observer. `_since` is when each route's first write was, `_last` the newest, `_news` what is not sent yet."""

    def __init__(self, is_lossy: Callable[[str], bool]) -> None:
        self._is_lossy = is_lossy
        self._since: dict[str, float] = {}
        self._last: dict[str, deque[Write]] = {}
        self._news: set[str] = set()

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Record the writes among finished requests, most of which are reads."""
        for exchange in exchanges:
            if is_write_of_modern(exchange) and self._is_lossy(exchange.route):
                self._keep(exchange)

    def news(self) -> Writes | None:
        """Return the routes with writes that were not sent yet, None without any."""
        told, self._news = self._news, set()
        known = [RouteWrites(name, self._since[name], tuple(self._last[name])) for name in sorted(told)]
        return Writes(tuple(known)) if known else None

    def unheard(self, writes: Writes) -> None:
        """Note that `writes` were not received: they are sent again."""
        self._news |= {each.route for each in writes.routes if each.route in self._last}

    def resend(self) -> None:
        """Send everything again, to a new receiver."""
        self._news = set(self._last)

    def keep_only(self, routes: Iterable[str]) -> None:
        """Drop the routes that no longer exist."""
        for name in self._last.keys() - set(routes):
            del self._last[name], self._since[name]
            self._news.discard(name)

    def _keep(self, exchange: Exchange) -> None:
        name = exchange.route
        if name not in self._last:
            self._last[name], self._since[name] = deque(maxlen=KEPT), exchange.at
        path = shown(exchange.path)
        self._last[name].append(Write(exchange.at, exchange.method, path, exchange.status, exchange.request_id))
        self._news.add(name)


def lossy_in(live: Live) -> Callable[[str], bool]:
    """Return a function that says whether a rollback of a route loses writes, by the running file."""

    def is_lossy(name: str) -> bool:
        compiled = live.generation.table.compiled_route_of(name)
        guard = compiled.route.guard if compiled is not None else None
        return guard is not None and guard.rollback == "lossy"

    return is_lossy


def shown(path: str) -> str:
    """Return a path as it may be shown: without its query, tokens masked, cut."""
    steps = path.partition("?")[0].split("/")
    return "/".join(MASK if _TOKEN.fullmatch(step) and not _UUID.fullmatch(step) else step for step in steps)[
        :LONGEST_PATH
    ]
