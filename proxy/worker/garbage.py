"""When Python's collector of reference cycles may hold up a worker, and for how long.

Nothing of the path of a request makes a cycle; what the collector finds are faults and their tracebacks. Left to itself
it looks through everything that caches hold whenever they have grown by a quarter: 9 ms every few seconds of load, in
which every user of the worker waits, and at 80 % of a processor the queue takes five times as long to be served.
So new objects are looked at as ever, and the caches when nobody waits.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from time import monotonic
from typing import Final

YOUNG: Final = 700
MIDDLE: Final = 3
"""Objects, then rounds of these, after which the new ones are looked at: a third of a millisecond."""
BY_ITSELF: Final = 1_000_000
"""Rounds of the middle ones after which Python would look at everything by itself: days, whatever the load."""
EVERY: Final = 600.0
"""Seconds between two looks at everything, each in a moment without a request."""
AT_THE_LATEST: Final = 3600.0
"""Seconds after which it is looked at everything although somebody waits."""
_A_MOMENT: Final = 0.5


def set_up() -> None:
    """Leave out what was loaded, for it stays for good; look at new objects often, at all others when asked to."""
    gc.collect()
    gc.freeze()
    if sys.version_info < (3, 14):  # from then on Python looks at old objects a few at a time
        gc.set_threshold(YOUNG, MIDDLE, BY_ITSELF)


class FullCollections:
    """Looks at everything from time to time: `in_flight` says how many requests wait. Changes: when it did so last."""

    def __init__(self, in_flight: Callable[[], int], clock: Callable[[], float] = monotonic) -> None:
        self._in_flight = in_flight
        self._clock = clock
        self._last = clock()

    def collect_if_due(self) -> bool:
        """Collect, where it is time and nobody waits, or late; returns whether it did."""
        since = self._clock() - self._last
        if since < EVERY or (self._in_flight() and since < AT_THE_LATEST):
            return False
        gc.collect()
        self._last = self._clock()
        return True

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(EVERY if not self._is_due() else _A_MOMENT)
            self.collect_if_due()

    def _is_due(self) -> bool:
        return self._clock() - self._last >= EVERY
