"""Says how long to wait before a child that died is started again."""

from __future__ import annotations

FIRST = 0.1
LONGEST = 5.0
HEALTHY_AFTER = 30.0


class Backoff:
    """0, then 0.1 s, doubling up to 5 s; back to 0 once a child has lived for 30 s. `deaths` changes with `after`."""

    __slots__ = ("deaths",)

    def __init__(self) -> None:
        self.deaths = 0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a child that lived for `lived` seconds has died."""
        if lived >= HEALTHY_AFTER:
            self.deaths = 0
        self.deaths += 1
        if self.deaths == 1:
            return 0.0
        # 2 ** 1000 would overflow a float long after the wait has reached its limit
        return float(min(FIRST * 2 ** min(self.deaths - 2, 16), LONGEST))
