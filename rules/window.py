"""Remembers what a side did lately, second by second, to be asked for the sum of the latest of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from rules.recent import Recent
from rules.tally import ACCURACY, Tally, above, merged, percentile, step_of

__all__ = ["ACCURACY", "Tally", "Totals", "Window", "above", "merged", "percentile", "step_of"]

_LENGTHS = 4
"""Sums of so many lengths are kept up to date at a time; who asks for more has them added up anew."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts since the start, for one side of one route."""

    requests: int = 0
    errors: int = 0
    client_errors: int = 0


class Window:
    """The last seconds of one side, one tally each; older ones go with `add`.

    `now` and `second` are whole seconds of one and the same clock. `kept` seconds are remembered.
    """

    __slots__ = ("_kept", "_recent", "_seconds", "_totals")

    def __init__(self, kept: int) -> None:
        self._kept = max(1, kept)
        self._seconds: dict[int, Tally] = {}
        self._recent: dict[int, Recent] = {}
        self._totals = Totals()

    def add(self, second: int, tally: Tally) -> None:
        """Add what happened in `second`; several workers may tell of the same one."""
        there = self._seconds.get(second)
        if there is None:
            there = self._seconds[second] = Tally()
            oldest = max(self._seconds) - self._kept
            for old in [each for each in self._seconds if each <= oldest]:
                gone = self._seconds.pop(old)
                for recent in self._recent.values():
                    recent.drop(old, gone)
        there.merge(tally)
        for recent in self._recent.values() if second in self._seconds else ():
            recent.add(second, tally)
        before = self._totals
        self._totals = Totals(
            before.requests + tally.requests,
            before.errors + tally.errors,
            before.client_errors + tally.client_errors,
        )

    def last(self, seconds: float, now: int) -> Tally:
        """Return everything of the last `seconds` before `now` as one tally."""
        length = ceil(seconds)
        recent = self._recent.get(length)
        if recent is not None and recent.after <= now - length:
            recent.forget(self._seconds, now - length)
        else:
            if len(self._recent) >= _LENGTHS:
                self._recent.clear()
            recent = self._recent[length] = Recent(self._seconds, now - length)
        return recent.whole.copy()

    def restarted(self, kept: int) -> Window:
        """Return an empty window of another length that goes on with the totals: the rules are others now."""
        successor = Window(kept)
        successor._totals = self._totals
        return successor

    @property
    def totals(self) -> Totals:
        """Counts since the window was made."""
        return self._totals
