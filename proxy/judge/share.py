"""Keeps a judge to its share of a processor: above it, it rests."""

from __future__ import annotations

import time
from collections.abc import Callable

SAVED = 1.0
"""Seconds of work that a judge without work saves up at most."""
LONGEST = 5.0
"""Seconds of rest at most: a judge that seems not to move is ended."""


class Share:
    """How much of the processor was used beyond the share; moves with `rest`. `allowed` is 0…1, 0 is no limit."""

    def __init__(self, processor: Callable[[], float] = time.process_time) -> None:
        self._processor = processor
        self._allowed = 0.0
        self._left = 0.0
        self._at = 0.0
        self._used = processor()

    def allow(self, share: float) -> None:
        """Keep to this share from now on."""
        self._allowed = share

    def rest(self, now: float) -> float:
        """Return for how many seconds to rest, as a rule 0."""
        used = self._processor()
        earned, spent = (now - self._at) * self._allowed, used - self._used
        self._at, self._used = now, used
        if not self._allowed:
            return 0.0
        self._left = max(-LONGEST * self._allowed, min(SAVED * self._allowed, self._left + earned) - spent)
        return max(0.0, -self._left / self._allowed)
