"""Keeps the sum of the latest seconds up to date: what is new is added, what is old taken away.

Sixty tallies a route, added up anew each second, would be most of what a guard of two thousand routes does.
"""

from __future__ import annotations

from collections.abc import Mapping

from rules.tally import Tally


class Recent:
    """Everything after second `after`; `whole` is its sum, changed by every method."""

    __slots__ = ("after", "whole")

    def __init__(self, seconds: Mapping[int, Tally], after: int) -> None:
        self.after = after
        self.whole = Tally()
        for second, tally in seconds.items():
            self.add(second, tally)

    def add(self, second: int, tally: Tally) -> None:
        """Add some of what happened in `second`."""
        if second > self.after:
            self.whole.merge(tally)

    def drop(self, second: int, tally: Tally) -> None:
        """Take away all of what happened in `second`, because nobody remembers it any more."""
        if second > self.after:
            self.whole.take_away(tally)

    def forget(self, seconds: Mapping[int, Tally], after: int) -> None:
        """Take away what is not after second `after` any more; `seconds` still has it."""
        for second in [each for each in seconds if self.after < each <= after]:
            self.whole.take_away(seconds[second])
        self.after = after
