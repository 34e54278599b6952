"""So many of something within a time, evenly refilled: what worker, control and judges spend on second looks."""

from __future__ import annotations


class TokenBucket:
    """At most `most` of something within `seconds` (0: as many as one likes), evenly refilled.

    It moves with `spend`, `give_back`.
    """

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, most: int, seconds: float) -> None:
        self._most = float(most)
        self._rate = most / seconds
        self._left = float(most)
        self._at = 0.0

    def spend(self, now: float, amount: float = 1.0, leaving: float = 0.0) -> bool:
        """Whether so much is left, and `leaving` beyond it; `amount` is gone then."""
        if not self._most:
            return True
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < amount + leaving:
            return False
        self._left -= amount
        return True

    def give_back(self, amount: float = 1.0) -> None:
        """Take back what was spent on nothing."""
        self._left = min(self._most, self._left + amount)
