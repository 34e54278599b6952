"""The frozen words in which the guard tells the judge what was seen of a route.

Everything but `trials` covers the guard's window; `burst` the last `BURST` seconds of it, so that a side that has just
died need not outweigh a minute of health first. Counts add up: those of several workers, several instances are handed
in as their sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.pairs import ComparedTally, PairTally
from rules.trials import Trials
from rules.window import Tally

__all__ = ["BURST", "ComparedTally", "Evidence", "PairTally", "Sides", "Violation"]

BURST = 5.0
"""Seconds; at 50 requests/s a side that answers nothing but errors is known within one of them."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides over one span.

    `…_waiting` maps steps of the latency sketch to requests that have waited so long, without the first byte of an
    answer so far.
    """

    legacy: Tally = field(default_factory=Tally)
    modern: Tally = field(default_factory=Tally)
    legacy_waiting: Mapping[int, int] = field(default_factory=dict)
    modern_waiting: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that was broken `count` times in a way that survived the re-check; `detail` tells one case."""

    invariant: str
    on_violation: str
    count: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one route; what a guard does not collect is left out.

    `mirrored` says whether requests of this route are compared at all; `trip` what a worker found when it tripped
    by itself. `trials` runs since the route's window was restarted.
    """

    legacy: Tally = field(default_factory=Tally)
    modern: Tally = field(default_factory=Tally)
    legacy_waiting: Mapping[int, int] = field(default_factory=dict)
    modern_waiting: Mapping[int, int] = field(default_factory=dict)
    burst: Sides | None = None
    pairs: PairTally = field(default_factory=PairTally)
    compared: ComparedTally = field(default_factory=ComparedTally)
    mirrored: bool = False
    violations: tuple[Violation, ...] = ()
    trip: str = ""
    trials: Trials | None = None

    @property
    def sides(self) -> Sides:
        """Both sides over the whole window."""
        return Sides(self.legacy, self.modern, self.legacy_waiting, self.modern_waiting)
