"""Lets a route rest whose pairs have cost a judge its life, so that the other routes' pairs are judged meanwhile."""

from __future__ import annotations

from collections.abc import Callable

FIRST = 1.0
LONGEST = 300.0
FORGIVEN_AFTER = 600.0


class Resting:
    """How long each route rests: a second after the first judge, twice as long after each further one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, float]] = {}

    def cost_a_judge(self, route: str) -> None:
        """A pair of `route` was over its limit, or ended its judge."""
        now = self._clock()
        until, rest = self._until.get(route, (0.0, 0.0))
        rest = FIRST if now - until > FORGIVEN_AFTER else min(2 * rest, LONGEST)
        self._until[route] = now + rest, rest

    def rests(self, route: str) -> bool:
        """Whether the pairs of `route` are not judged now."""
        there = self._until.get(route)
        return there is not None and self._clock() < there[0]
