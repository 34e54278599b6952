"""The frozen counts of requests that both sides got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PairTally:
    """Requests that both sides got, by who failed.

    The first four are of mirrored requests, where both sides are asked whatever happens. `rescued` and `lost` are
    of fallbacks, where legacy was asked only because modern had failed: it answered, or it failed as well. These
    can clear modern, never accuse it: a side that is asked only after the other's failure cannot look worse.
    """

    both_fine: int = 0
    modern_failed: int = 0
    legacy_failed: int = 0
    both_failed: int = 0
    rescued: int = 0
    lost: int = 0

    @property
    def pairs(self) -> int:
        """How many requests were mirrored."""
        return self.both_fine + self.modern_failed + self.legacy_failed + self.both_failed


@dataclass(frozen=True, slots=True)
class ComparedTally:
    """What became of the mirrored requests; `not_compared` is by reason."""

    equal: int = 0
    different: int = 0
    noise: int = 0
    transient: int = 0
    not_compared: Mapping[str, int] = field(default_factory=dict)
    eligible: int = 0

    @property
    def compared(self) -> int:
        """How many pairs have a result that counts."""
        return self.equal + self.different + self.noise

    @property
    def mismatch_rate(self) -> float | None:
        """Share of the compared that differ, None with nothing compared."""
        return self.different / self.compared if self.compared else None

    @property
    def coverage(self) -> float:
        """Share of the eligible that was compared, 0 with none eligible."""
        return min(1.0, self.compared / self.eligible) if self.eligible else 0.0


def added(one: ComparedTally, other: ComparedTally) -> ComparedTally:
    """Return what became of the mirrored requests of both."""
    reasons = {**one.not_compared}
    for reason, count in other.not_compared.items():
        reasons[reason] = reasons.get(reason, 0) + count
    return ComparedTally(
        one.equal + other.equal,
        one.different + other.different,
        one.noise + other.noise,
        one.transient + other.transient,
        reasons,
        one.eligible + other.eligible,
    )
