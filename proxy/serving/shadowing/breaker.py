"""Leaves a side alone for a while that fails again and again: a copy that cannot succeed costs a live user's time."""

from __future__ import annotations

from typing import Final

FAILURES: Final = 10
"""Copies in a row that get no whole answer before there is a pause."""
PAUSE: Final = 1.0
"""Seconds without a copy; after that, one at a time finds out whether the side is well again."""


class Breaker:
    """One route towards one side; `failed`, how many in a row did, moves as copies end."""

    __slots__ = ("_until", "failed")

    def __init__(self) -> None:
        self.failed = 0
        self._until = 0.0

    def is_open(self, now: float) -> bool:
        """Whether the side is left alone now."""
        return now < self._until

    def tried(self, now: float) -> None:
        """A copy goes out; of a side that failed lately, no other one before the next pause is over."""
        if self.failed >= FAILURES:
            self._until = now + PAUSE

    def note(self, *, failed: bool, now: float) -> None:
        """A copy has ended."""
        if not failed:
            self.failed = 0
            self._until = 0.0
            return
        self.failed += 1
        if self.failed >= FAILURES:
            self._until = now + PAUSE
