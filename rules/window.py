"""Adds up what a side did lately: counts, a latency sketch that merges by adding, rates, percentiles.

The sketch keeps the logarithm of each latency to a base that makes neighbouring steps 2 % apart, so that a
percentile is within 1 % of the true one however the traffic looks, at some 350 counters for the widest.
Prometheus' buckets would put the same P95 tens of percent off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, log

ACCURACY = 0.01
_BASE = (1 + ACCURACY) / (1 - ACCURACY)
_STEPS = 1 / log(_BASE)
_MIDDLE = 2 / (_BASE + 1)
_SHORTEST = 1e-6
"""Latencies below a microsecond are all the same to us; a logarithm of 0 there is not."""


class Tally:
    """What one side did in some span of time; every field grows by `add`, `merge`, nothing else.

    `errors` are what the guard counts against the side, `client_errors` answers of 4xx. `latencies` maps the
    step of the sketch to how many fell on it.
    """

    __slots__ = ("client_errors", "errors", "latencies", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.client_errors = 0
        self.latencies: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Count one answer that took `seconds`, neither error nor 4xx."""
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

    @property
    def error_rate(self) -> float:
        """Share of requests that were errors, 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0

    def percentile(self, share: float) -> float | None:
        """Return the latency in seconds that `share` (0…1) of the answers stayed within, None without any."""
        return percentile(self.latencies, share)


_LOWEST = ceil(log(_SHORTEST) * _STEPS)


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

    __slots__ = ("_kept", "_seconds", "_totals")

    def __init__(self, kept: int) -> None:
        self._kept = max(1, kept)
        self._seconds: dict[int, Tally] = {}
        self._totals = Totals()

    def add(self, second: int, tally: Tally) -> None:
        """Add what happened in `second`; several workers may tell of the same one."""
        there = self._seconds.get(second)
        if there is None:
            there = self._seconds[second] = Tally()
            oldest = max(self._seconds) - self._kept
            for old in [each for each in self._seconds if each <= oldest]:
                del self._seconds[old]
        there.merge(tally)
        before = self._totals
        self._totals = Totals(
            before.requests + tally.requests,
            before.errors + tally.errors,
            before.client_errors + tally.client_errors,
        )

    def last(self, seconds: float, now: int) -> Tally:
        """Return everything of the last `seconds` before `now` as one tally."""
        oldest = now - ceil(seconds)
        return merged(tally for second, tally in self._seconds.items() if second > oldest)

    def restarted(self, kept: int) -> Window:
        """Return an empty window of another length that goes on with the totals: the rules are others now."""
        successor = Window(kept)
        successor._totals = self._totals
        return successor

    @property
    def totals(self) -> Totals:
        """Counts since the window was made."""
        return self._totals


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return one tally with everything that `tallies` counted."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole
