"""Says whose turn it is to act on what all instances see together: the one's that leads.

All judge the same traffic, so all come to the same verdict; one rollback, told once, is enough. The others act as well
when the leader does not in time: it may be hanging. Two who act at once do no harm, one of them is written first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from proxy.operating.watching import Seen
from rules.guard.rollout import Move

LEADER_ACTS_WITHIN: Final = 3.0
"""Seconds that the one who leads has: its own look, the way over the store."""
_BACK: Final = ("roll_back", "step_back")


class Turns:
    """Every route. `_since` is when what has to be done was first seen, monotonic; changed by every method."""

    def __init__(self, leads: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._leads = leads
        self._clock = clock
        self._since: dict[str, float] = {}

    def keep(self, routes: Collection[str]) -> None:
        """Know no other routes any more."""
        self._since = {name: at for name, at in self._since.items() if name in routes}

    def is_another_s(self, route: str, seen: Seen, move: Move) -> bool:
        """Whether `move` is left to the instance that leads. What our own traffic shows never is."""
        if not seen.others or self._leads():
            self._since.pop(route, None)
            return False
        if move.kind not in _BACK and not move.latch:
            self._since.pop(route, None)
            return True
        now = self._clock()
        return now - self._since.setdefault(route, now) < LEADER_ACTS_WITHIN
