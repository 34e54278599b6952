"""Says how long somebody who asks too often has to wait."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rates:
    """A bucket of `burst` requests for each asker, filled again by `per_second`.

    The buckets change with `wait`; the `kept` latest askers have one, whoever is forgotten begins with a full one.
    """

    def __init__(
        self, per_second: float, burst: int, *, kept: int = 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._kept = kept
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, who: str) -> float:
        """Count one request of `who`; return the seconds until it would be welcome, 0 when it is now."""
        now = self._clock()
        left, since = self._buckets.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        seconds = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._buckets[who] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > self._kept:
            del self._buckets[next(iter(self._buckets))]
        return seconds
