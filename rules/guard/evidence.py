"""What was seen; what was concluded.

Everything but `trials` covers the guard's window; `burst` the last `BURST` seconds of it, so that a side that has just
died need not outweigh a minute of health first. Counts add up: those of several workers, several instances are handed
in as their sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.guard.sequential import Trials
from rules.guard.window import ComparedTally, PairTally, Tally

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


# The frozen words in which the judge says how the modern side of a route behaves.
#
# A `Verdict` is the sum of its checks. *good*: every question that had to be answered was, in modern's favour.
# *bad*: at least one check accuses modern; `reason` names it. *too_little*: not enough was seen to answer; no traffic
# is never a pass. *cannot_tell*: enough was seen, yet it does not speak for or against modern, as when legacy fails
# just as much; whoever would advance waits, whoever would roll back does not.


GOOD = "good"
TOO_LITTLE = "too_little"
CANNOT_TELL = "cannot_tell"
BAD = "bad"
OUTCOMES = (GOOD, TOO_LITTLE, CANNOT_TELL, BAD)
"""From the best to the worst: more failures never move a verdict to the left."""

REASONS = ("consecutive", "invariant", "errors", "p95", "worse_errors", "worse_p95", "worse_4xx", "mismatch")
"""What a check may be called, the one that is named first where several accuse. `manual` is for people."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question with its answer. `value` is what was seen, `limit` what is allowed, in one unit.

    Shares are 0…1, latencies seconds, counts plain numbers; None is what there is nothing to say of. `detail` tells
    a person the counts behind it.
    """

    name: str
    outcome: str
    value: float | None = None
    limit: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found over `window` seconds before `at`.

    `reason` is the name of the check that decided for bad or cannot_tell, empty for good and too_little.
    """

    outcome: str
    reason: str
    checks: tuple[Check, ...]
    window: float
    at: float

    def check(self, name: str) -> Check | None:
        """Return the check of this name, None where it was not asked."""
        return next((check for check in self.checks if check.name == name), None)

    @property
    def detail(self) -> str:
        """What the deciding check tells a person; of too_little, all that is wanting."""
        if self.reason:
            deciding = self.check(self.reason)
            return deciding.detail if deciding is not None else ""
        said = (check.detail for check in self.checks if check.outcome == self.outcome != GOOD)
        return "; ".join(dict.fromkeys(said))
