"""The evidence about a route, and the verdict on it.

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
"""Seconds; at 50 requests/s a side that returns only errors is noticed within one of them."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides over one span.

    `…_waiting` maps steps of the latency sketch to requests that have waited that long without the first byte of a
    response.
    """

    legacy: Tally = field(default_factory=Tally)
    modern: Tally = field(default_factory=Tally)
    legacy_waiting: Mapping[int, int] = field(default_factory=dict)
    modern_waiting: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that was violated `count` times and still after the re-check; `detail` describes one case."""

    invariant: str
    on_violation: str
    count: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All evidence about one route; what a guard does not collect is left out.

    `mirrored` says whether requests of this route are compared at all; `trip` what a worker found when its circuit
    breaker opened. `trials` runs since the route's window was restarted.
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


# The frozen values with which the analysis describes how the modern side of a route behaves.
#
# A `Verdict` is the sum of its checks. *good*: every required check was made, in modern's favour.
# *bad*: at least one check accuses modern; `reason` names it. *too_little*: not enough was seen to decide; no traffic
# is never a pass. *cannot_tell*: enough was seen, yet it is not evidence for or against modern, as when legacy fails
# just as much: then no step is taken and nothing is rolled back.


GOOD = "good"
TOO_LITTLE = "too_little"
CANNOT_TELL = "cannot_tell"
BAD = "bad"
OUTCOMES = (GOOD, TOO_LITTLE, CANNOT_TELL, BAD)
"""From the best to the worst: more failures never move a verdict to the left."""

REASONS = ("consecutive", "invariant", "errors", "p95", "worse_errors", "worse_p95", "worse_4xx", "mismatch")
"""The names of checks, in the order in which they become the reason. `manual` is for operators."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check with its result. `value` is what was seen, `limit` what is allowed, in one unit.

    Shares are 0…1, latencies seconds, counts plain numbers; None is unknown. `detail` gives
    the counts behind it.
    """

    name: str
    outcome: str
    value: float | None = None
    limit: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result over `window` seconds before `at`.

    `reason` is the name of the check that decided for bad or cannot_tell, empty for good and too_little.
    """

    outcome: str
    reason: str
    checks: tuple[Check, ...]
    window: float
    at: float

    def check(self, name: str) -> Check | None:
        """Return the check of this name, None where it was not made."""
        return next((check for check in self.checks if check.name == name), None)

    @property
    def detail(self) -> str:
        """The deciding check in words; for too_little, everything that is missing."""
        if self.reason:
            deciding = self.check(self.reason)
            return deciding.detail if deciding is not None else ""
        said = (check.detail for check in self.checks if check.outcome == self.outcome != GOOD)
        return "; ".join(dict.fromkeys(said))
