"""Notices modern failing again and again, so that a worker need not wait for anybody to act.

A run of failures is no proof against modern while legacy fails as well. So the run must be long enough to be next to
impossible at the rate legacy itself fails at: five in a row where legacy is well, a dozen where it fails one time in
three. Legacy must have been heard since the run began; where nobody asks it, a moment is waited for that.
What was heard since then must tell the sides apart by itself, too: an outage of both makes better days worth nothing.
"""

from __future__ import annotations

from math import lgamma, log, sqrt
from typing import Final

PATIENCE: Final = 0.5
"""Seconds to wait for an answer of legacy, where there is none to go by; well within the second a rollback may take."""
IMPROBABLE: Final = 1e-6
"""A run is looked at with every request, so it has to be more improbable than what is looked at each second."""
ALIKE: Final = 0.01
"""How improbable the answers since the run began must be if both sides failed equally often (Fisher's exact test)."""
MEMORY: Final = 100
"""Answers of legacy after which the older ones count half."""
REMEMBERED: Final = 60.0
"""Seconds after modern's last failure in which legacy's answers still count for the next run."""
_LATELY: Final = 8
"""Answers of legacy over which its latest ones weigh: an outage that has just begun is not outvoted by better days."""
_BELIEF: Final = 0.05
"""How often legacy fails, for as much as one answer would tell, before any came."""
_DOUBT: Final = 0.25
"""How much of a failure one answer of legacy still leaves possible: one good answer in an outage is luck."""
_ROUNDING: Final = 1e-9


class FailureRun:
    """Failures of modern in a row on one route; changed by `modern` with `legacy`, on one thread."""

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
        """Count an answer of modern at `now` seconds; returns whether that trips."""
        if not failed:
            self.failures = 0
            return False
        if not self.failures:
            self.since = now
            self._since_answers = self._since_failed = 0
        self.failures += 1
        self._last = now
        return self.trips(now)

    def legacy(self, *, failed: bool, now: float) -> bool:
        """Count an answer of legacy; the one that modern's run was waiting for trips."""
        if self._answers >= MEMORY:
            self._answers /= 2
            self._failed /= 2
        self._answers += 1
        self._failed += failed
        self._since_answers += 1
        self._since_failed += failed
        self._lately += (failed - self._lately) / _LATELY
        return self.failures > 0 and self.trips(now)

    def trips(self, now: float) -> bool:
        """Whether modern is to be left now; a limit below five is met by a run that is less improbable."""
        if not 0 < self.limit <= self.failures:
            return False
        if not self._since_answers and now - self.since < PATIENCE:
            return False
        share = (self._failed + _BELIEF) / (self._answers + 1)
        if self._failed:
            # so few answers may have been kinder than legacy is
            share += sqrt(share * (1.0 - share) / self._answers)
        if self._since_answers:
            doubt = 1.0 if self._since_failed else _DOUBT
            share = max(share, self._lately, (self._since_failed + doubt) / (self._since_answers + 1))
        return bool(share**self.failures < max(IMPROBABLE, 3 * _BELIEF**self.limit)) and self._tells_apart()

    def _tells_apart(self) -> bool:
        """Whether modern's run beside legacy's answers meanwhile is no luck of one side in an outage of both."""
        answers, failed = self._since_answers, self._since_failed
        if not answers:
            return True  # nobody asks legacy
        # a limit below five asks for less, as its owner does
        alike = max(log(ALIKE), -_ways(2 * self.limit - 1, self.limit))
        ways = _ways(self.failures + answers, self.failures + failed)
        return _ways(answers, failed) - ways <= alike + _ROUNDING

    def is_over(self, now: float) -> bool:
        """Whether modern has been well for so long that nothing of this need be kept."""
        return not self.failures and now - self._last > REMEMBERED


def _ways(all_of_them: int, chosen: int) -> float:
    """Return the logarithm of the binomial coefficient, whose digits would take long to count."""
    return lgamma(all_of_them + 1) - lgamma(chosen + 1) - lgamma(all_of_them - chosen + 1)
