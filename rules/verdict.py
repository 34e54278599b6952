"""The frozen words in which the judge says how the modern side of a route behaves.

A `Verdict` is the sum of its checks. *good*: every question that had to be answered was, in modern's favour.
*bad*: at least one check accuses modern; `reason` names it. *too_little*: not enough was seen to answer; no traffic
is never a pass. *cannot_tell*: enough was seen, yet it does not speak for or against modern, as when legacy fails
just as much; whoever would advance waits, whoever would roll back does not.
"""

from __future__ import annotations

from dataclasses import dataclass

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
