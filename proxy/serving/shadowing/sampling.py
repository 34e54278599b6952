"""Bounds how often something is done: at least so often on a rare route, at most so often on a busy one."""

from __future__ import annotations

from typing import Final

FIRST: Final = 200
"""Requests of a route that are mirrored whatever its sample, so that a new route is soon known."""
AT_LEAST_EVERY: Final = 180.0
"""Seconds after which the next request is mirrored whatever the sample: twenty an hour of the rarest route."""


class Floor:
    """The least that a route is mirrored: `first` requests, then one now and then; moves with each request that is."""

    __slots__ = ("_last", "_taken", "first")

    def __init__(self) -> None:
        self.first = FIRST
        self._taken = 0
        self._last = 0.0

    def wants(self, now: float) -> bool:
        """Whether this request is wanted although it is not in the sample."""
        return self._taken < self.first or now - self._last > AT_LEAST_EVERY

    def took(self, now: float) -> None:
        """A request was mirrored."""
        self._taken += 1
        self._last = now


class Allowance:
    """At most `most` of something within `seconds` (0: as many as one likes), evenly refilled; moves with `spend`."""

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, most: int, seconds: float) -> None:
        self._most = float(most)
        self._rate = most / seconds
        self._left = float(most)
        self._at = 0.0

    def spend(self, now: float, amount: float = 1.0) -> bool:
        """Whether so much is left, which is gone then."""
        if not self._most:
            return True
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True
