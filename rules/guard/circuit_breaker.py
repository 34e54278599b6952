"""Notices consecutive failures of modern, so that a worker can act without waiting for control.

A run of failures proves nothing against modern while legacy fails as well. So the run must be long enough to be nearly
impossible at the rate legacy itself fails at: five in a row where legacy is well, a dozen where it fails one time in
three. Legacy must have responded since the run began; where it gets no requests, a moment is waited for that.
The responses since then must also distinguish the sides by themselves: in an outage of both, earlier days prove
nothing.
"""

from __future__ import annotations

from math import lgamma, log, sqrt
from typing import Final

PATIENCE: Final = 0.5
"""Seconds to wait for a response of legacy when there is none yet; well within the second a rollback may take."""
IMPROBABLE: Final = 1e-6
"""A run is evaluated with every request, so it must be more improbable than what is evaluated each second."""
ALIKE: Final = 0.01
"""How improbable the responses since the run began must be if both sides failed equally often (Fisher's exact test)."""
MEMORY: Final = 100
"""Responses of legacy after which the older ones count half."""
REMEMBERED: Final = 60.0
"""Seconds after modern's last failure in which legacy's responses still count for the next run."""
_LATELY: Final = 8
"""Responses of legacy over which the latest count: an outage that has just begun is not outweighed by earlier ones."""
_BELIEF: Final = 0.05
"""The assumed error rate of legacy before its first response, with the weight of one response."""
_DOUBT: Final = 0.25
"""The share of a failure that one response of legacy still counts as: one good response in an outage is luck."""
_ROUNDING: Final = 1e-9


class FailureRun:
    """Failures of modern in a row on one route; changed by `modern` and `legacy`, on one thread."""

    __slots__ = (
        "_answers",
        "_failed",
        "_last",
        "_lately",
        "_since_answers",
        "_since_failed",
        "failures",
        "limit",
        "since",
    )

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.failures = 0
        self._answers = self._failed = 0.0
        self._since_answers = self._since_failed = 0
        self.since = self._last = self._lately = 0.0

    def modern(self, *, failed: bool, now: float) -> bool:
        """Count a response of modern at `now` seconds; returns whether that opens the breaker."""
        if not failed:
            self.failures = 0
            return False
        if not self.failures:
            self.since = now
            self._since_answers = self._since_failed = 0
        self.failures += 1
        self._last = now
        return self.opens(now)

    def legacy(self, *, failed: bool, now: float) -> bool:
        """Count a response of legacy; returns whether modern's run was waiting for it and the breaker opens."""
        if self._answers >= MEMORY:
            self._answers /= 2
            self._failed /= 2
        self._answers += 1
        self._failed += failed
        self._since_answers += 1
        self._since_failed += failed
        self._lately += (failed - self._lately) / _LATELY
        return self.failures > 0 and self.opens(now)

    def opens(self, now: float) -> bool:
        """Whether the breaker opens now; a limit below five is met by a less improbable run."""
        if not 0 < self.limit <= self.failures:
            return False
        if not self._since_answers and now - self.since < PATIENCE:
            return False
        share = (self._failed + _BELIEF) / (self._answers + 1)
        if self._failed:
            # so few responses may have been better than legacy is
            share += sqrt(share * (1.0 - share) / self._answers)
        if self._since_answers:
            doubt = 1.0 if self._since_failed else _DOUBT
            share = max(share, self._lately, (self._since_failed + doubt) / (self._since_answers + 1))
        return bool(share**self.failures < max(IMPROBABLE, 3 * _BELIEF**self.limit)) and self._distinguishes_sides()

    def _distinguishes_sides(self) -> bool:
        """Whether modern's run, beside legacy's responses meanwhile, is more than luck in an outage of both."""
        answers, failed = self._since_answers, self._since_failed
        if not answers:
            return True  # legacy gets no requests
        # a limit below five asks for less, as its owner does
        alike = max(log(ALIKE), -_ways(2 * self.limit - 1, self.limit))
        ways = _ways(self.failures + answers, self.failures + failed)
        return _ways(answers, failed) - ways <= alike + _ROUNDING

    def is_over(self, now: float) -> bool:
        """Whether modern has been fine for so long that this can be dropped."""
        return not self.failures and now - self._last > REMEMBERED


def _ways(all_of_them: int, chosen: int) -> float:
    """Return the logarithm of the binomial coefficient, which itself would be too large to compute quickly."""
    return lgamma(all_of_them + 1) - lgamma(chosen + 1) - lgamma(all_of_them - chosen + 1)
