"""Counters of a side and of pairs; sliding window with a mergeable latency sketch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log
from typing import Final

from rules.guard.excuses import NOTHING_EXCUSED, Excused

# Adds up what a side did: counts, a latency sketch that merges by adding, rates, percentiles.
#
# The sketch keeps the logarithm of each latency to a base that makes neighbouring steps 2 % apart, so that a
# percentile is within 1 % of the true one however the traffic looks, at some 350 counters for the widest.
# Prometheus' buckets would put the same P95 tens of percent off.


ACCURACY: Final = 0.01
_BASE: Final = (1 + ACCURACY) / (1 - ACCURACY)
_STEPS: Final = 1 / log(_BASE)
_MIDDLE: Final = 2 / (_BASE + 1)
_SHORTEST: Final = 1e-6
"""Latencies below a microsecond are all the same to us; a logarithm of 0 there is not."""


class Tally:
    """What one side did in some span of time; only `count_response`, `merge` and `take_away` change it.

    `errors` are what the guard counts against the side, `client_errors` are responses of 4xx. `latencies` maps the
    step of the sketch to how many fell on it.
    """

    __slots__ = ("client_errors", "errors", "latencies", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.client_errors = 0
        self.latencies: dict[int, int] = {}

    def count_response(self, seconds: float) -> None:
        """Count one response that took `seconds`, neither error nor 4xx."""
        self.requests += 1
        step = ceil(log(seconds) * _STEPS) if seconds > _SHORTEST else _LOWEST
        latencies = self.latencies
        latencies[step] = latencies.get(step, 0) + 1

    def merge(self, other: Tally) -> None:
        """Add everything that `other` counted."""
        self.requests += other.requests
        self.errors += other.errors
        self.client_errors += other.client_errors
        for step, count in other.latencies.items():
            self.latencies[step] = self.latencies.get(step, 0) + count

    def take_away(self, other: Tally) -> None:
        """Take away what `other` counted, which was added before."""
        self.requests -= other.requests
        self.errors -= other.errors
        self.client_errors -= other.client_errors
        latencies = self.latencies
        for step, count in other.latencies.items():
            if latencies[step] > count:
                latencies[step] -= count
            else:
                del latencies[step]

    def copy(self) -> Tally:
        """Return an independent copy."""
        same = Tally()
        same.requests, same.errors, same.client_errors = self.requests, self.errors, self.client_errors
        same.latencies = self.latencies.copy()
        return same

    @property
    def error_rate(self) -> float:
        """Share of requests that were errors, 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0

    def percentile(self, share: float) -> float | None:
        """Return the latency in seconds that `share` (0…1) of the responses stayed within, None without any."""
        return percentile(self.latencies, share)


_LOWEST: Final = ceil(log(_SHORTEST) * _STEPS)


def percentile(latencies: Mapping[int, int], share: float) -> float | None:
    """Return the latency in seconds below which `share` of a sketch's counts lie, None for an empty sketch."""
    total = sum(latencies.values())
    if not total:
        return None
    rank = max(1, ceil(share * total))
    for step in sorted(latencies):
        rank -= latencies[step]
        if rank <= 0:
            return float(_BASE**step * _MIDDLE)
    raise AssertionError("a share above 1")


def step_of(seconds: float) -> int:
    """Return the step of the sketch that a latency falls on."""
    return ceil(log(seconds) * _STEPS) if seconds > _SHORTEST else _LOWEST


def above(latencies: Mapping[int, int], seconds: float) -> int:
    """Return how many of a sketch's counts took longer than `seconds`; those at most 2 % longer may be left out."""
    last = step_of(seconds)
    if not latencies or max(latencies) <= last:
        return 0
    return sum(count for step, count in latencies.items() if step > last)


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return one tally with everything that `tallies` counted."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


# Keeps the sum of the latest seconds up to date: new counts are added, old ones subtracted.
#
# Sixty tallies a route, added up anew each second, would be most of what a guard of two thousand routes does.


class Recent:
    """Everything after second `after`; `whole` is its sum, changed by every method."""

    __slots__ = ("after", "whole")

    def __init__(self, seconds: Mapping[int, Tally], after: int) -> None:
        self.after = after
        self.whole = Tally()
        for second, tally in seconds.items():
            self.add_tally(second, tally)

    def add_tally(self, second: int, tally: Tally) -> None:
        """Add some of what happened in `second`."""
        if second > self.after:
            self.whole.merge(tally)

    def drop(self, second: int, tally: Tally) -> None:
        """Subtract everything that happened in `second`, which is dropped."""
        if second > self.after:
            self.whole.take_away(tally)

    def forget(self, seconds: Mapping[int, Tally], after: int) -> None:
        """Subtract what is not after second `after` any more; `seconds` still has it."""
        for second in [each for each in seconds if self.after < each <= after]:
            self.whole.take_away(seconds[second])
        self.after = after


_LENGTHS: Final = 4
"""Sums of so many lengths are kept up to date at a time; sums of further lengths are added up at each call."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts since the start, for one side of one route."""

    requests: int = 0
    errors: int = 0
    client_errors: int = 0


class Window:
    """The last seconds of one side, one tally each; older ones go with `add_tally`.

    `now` and `second` are whole seconds of one and the same clock. `kept` seconds are remembered.
    """

    __slots__ = ("_kept", "_recent", "_seconds", "_totals")

    def __init__(self, kept: int) -> None:
        self._kept = max(1, kept)
        self._seconds: dict[int, Tally] = {}
        self._recent: dict[int, Recent] = {}
        self._totals = Totals()

    def add_tally(self, second: int, tally: Tally) -> None:
        """Add what happened in `second`; several workers may report the same one."""
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
            recent.add_tally(second, tally)
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
        """Return an empty window of another length that goes on with the totals: the configuration has changed."""
        successor = Window(kept)
        successor._totals = self._totals
        return successor

    @property
    def totals(self) -> Totals:
        """Counts since the window was made."""
        return self._totals


# The frozen counts of requests that both sides got.


@dataclass(frozen=True, slots=True)
class PairTally:
    """Requests that both sides got, by who failed.

    The first four are of mirrored requests, where both sides always get the request. `rescued` and `lost` are
    of fallbacks, where legacy got the request only because modern had failed: it succeeded, or failed as well. These
    can clear modern, never accuse it: a side that gets only what the other failed at cannot look worse.
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


SESSION: Final = "session"
"""Why a pair was not compared: legacy was asked without the user's session and responded differently."""


@dataclass(frozen=True, slots=True)
class ComparedTally:
    """The results of the mirrored requests; `not_compared` is by reason.

    `failed_once` are those of the transient ones that modern answered with a 5xx, and correctly when asked once more.
    `excused` are those of the different ones that differ only where legacy differs from itself (`rules.guard.excuses`).
    """

    equal: int = 0
    different: int = 0
    noise: int = 0
    transient: int = 0
    not_compared: Mapping[str, int] = field(default_factory=dict)
    eligible: int = 0
    excused: Excused = NOTHING_EXCUSED
    failed_once: int = 0

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

    @property
    def needs_sessions(self) -> bool:
        """Whether more than half of the eligible were not compared because legacy was asked without the session."""
        return 2 * self.not_compared.get(SESSION, 0) > self.eligible > 0


def added(one: ComparedTally, other: ComparedTally) -> ComparedTally:
    """Return the sum of both."""
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
        one.excused if one.excused.pairs else other.excused,
        one.failed_once + other.failed_once,
    )
