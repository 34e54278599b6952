"""Collects a worker's outcomes for each route with its sides, handed on once a second."""

from __future__ import annotations

from proxy.link.messages import SideOutcomes
from proxy.observe import Attempt, Exchange
from proxy.state.outcomes import last_of_each_side
from rules.window import Tally

_CLIENT_ERRORS = range(400, 500)
Key = tuple[str, str, int]
"""Route, side, generation."""


class Outcomes:
    """An observer. `_tallies` fills with each exchange, is emptied by `take`, both on the event loop."""

    __slots__ = ("_tallies",)

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}

    def observe(self, exchange: Exchange) -> None:
        """Add one finished call to every side that took part."""
        attempts = exchange.attempts
        if len(attempts) == 1:
            side, _, _, status, kind, wait = attempts[0]
            if not kind and status < 400 and not exchange.tunnel:  # noqa: PLR2004 - HTTP
                key = exchange.route, side, exchange.generation
                tally = self._tallies.get(key)
                if tally is None:
                    tally = self._tallies[key] = Tally()
                tally.add(wait)
                return
        for attempt in last_of_each_side(attempts):
            self._add(exchange, attempt)

    def take(self) -> tuple[SideOutcomes, ...]:
        """Return what was collected since the last call, forget it."""
        taken, self._tallies = self._tallies, {}
        return tuple(_pack(key, tally) for key, tally in taken.items())

    def _add(self, exchange: Exchange, attempt: Attempt) -> None:
        key = exchange.route, attempt.side, exchange.generation
        tally = self._tallies.setdefault(key, Tally())
        if exchange.tunnel or attempt.kind in ("connect", "declined"):
            # it was never put to the side, or lasts as long as its user likes: no latency to speak of
            tally.requests += 1
        else:
            tally.add(attempt.wait)
        tally.errors += attempt.failed
        tally.client_errors += attempt.status in _CLIENT_ERRORS


def _pack(key: Key, tally: Tally) -> SideOutcomes:
    route, side, generation = key
    return SideOutcomes(
        route,
        side,
        generation,
        tally.requests,
        tally.errors,
        tally.client_errors,
        tuple(tally.latencies.items()),
    )


def unpack(outcomes: SideOutcomes) -> Tally:
    """Return the tally that was packed."""
    tally = Tally()
    tally.requests = outcomes.requests
    tally.errors = outcomes.errors
    tally.client_errors = outcomes.client_errors
    tally.latencies = dict(outcomes.latencies)
    return tally
