"""Collects a worker's outcomes for each route with its sides, handed on once a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from proxy.ipc.messages import SideOutcomes
from proxy.telemetry.metric_names import LIVE, SHADOW
from proxy.telemetry.records import Attempt, Exchange, Shadowed, last_of_each_side
from rules.guard.window import Tally

FORCED = "force"
_CLIENT_ERRORS = range(400, 500)
Key = tuple[str, str, int]
"""Route, side, generation."""
Age = tuple[str, str, int, float]
"""Route, side, generation, seconds."""


class Outcomes:
    """An observer. `_tallies` fills with each exchange, `_copies` with each shadow; both are emptied by `take`."""

    __slots__ = ("_copies", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}
        self._copies: dict[Key, Tally] = {}

    def observe(self, exchange: Exchange) -> None:
        """Add one finished call to every side that took part."""
        self.observe_all((exchange,))

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Add finished calls to every side that took part in them."""
        tallies = self._tallies
        for exchange in exchanges:
            if exchange.reason == FORCED:
                continue  # whoever chose the side for one request is not a user whose luck is judged
            attempts = exchange.attempts
            if len(attempts) == 1:
                side, _, _, status, kind, wait = attempts[0]
                if not kind and status < 400 and not exchange.tunnel:  # noqa: PLR2004 - HTTP
                    key = exchange.route, side, exchange.generation
                    tally = tallies.get(key)
                    if tally is None:
                        tally = tallies[key] = Tally()
                    tally.add(wait)
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
                    tally.add(attempt.wait)
                else:
                    _count(tally, attempt, timed=True)

    def take(self, waiting: Mapping[Key, Tally] = MappingProxyType({})) -> tuple[SideOutcomes, ...]:
        """Return what was collected since the last call, forget it; `waiting` are the ages of those still waiting."""
        taken, self._tallies = self._tallies, {}
        copies, self._copies = self._copies, {}
        for key in waiting:
            taken.setdefault(key, Tally())
        live = [_pack(key, tally, LIVE, waiting.get(key)) for key, tally in taken.items()]
        return (*live, *(_pack(key, tally, SHADOW, None) for key, tally in copies.items()))

    def _add(self, exchange: Exchange, attempt: Attempt) -> None:
        key = exchange.route, attempt.side, exchange.generation
        _count(self._tallies.setdefault(key, Tally()), attempt, timed=not exchange.tunnel)


def _count(tally: Tally, attempt: Attempt, *, timed: bool) -> None:
    if not timed or attempt.kind in ("connect", "declined"):
        # it was never put to the side, or lasts as long as its user likes: no latency to speak of
        tally.requests += 1
    else:
        tally.add(attempt.wait)
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
    """Return the ages of requests that wait, as `take` wants them: route, side, generation, seconds each."""
    tallies: dict[Key, Tally] = {}
    for route, side, generation, seconds in ages:
        tallies.setdefault((route, side, generation), Tally()).add(seconds)
    return tallies


def unpack(outcomes: SideOutcomes) -> Tally:
    """Return the tally that was packed."""
    tally = Tally()
    tally.requests = outcomes.requests
    tally.errors = outcomes.errors
    tally.client_errors = outcomes.client_errors
    tally.latencies = dict(outcomes.latencies)
    return tally
