"""Keeps the running comparisons of one route since its window was restarted.

There are four: errors, answers of 4xx, latency, failures of mirrored pairs. Latency becomes a matter of yes or no by
a mark: an answer is *slow* when it took longer than legacy's P95 did lately, before the answers that are judged by it
came, and *far* slower when it took as much longer as the route's policy does not allow any more.
"""

from __future__ import annotations

from typing import Final

from rules.model import WorseThanLegacy
from rules.pairs import PairTally
from rules.sequential import Counts, Trial
from rules.window import Tally, above, percentile

_ENOUGH: Final = 20
"""Answers of legacy before its P95 is a mark for anything."""
_MEMORY: Final = 4096
"""Answers of legacy after which the older ones count half."""
_GROWN: Final = 1.05
"""How much more must be known of legacy before its P95 is reckoned anew: each time costs a sort."""
_P95: Final = 0.95


class Trials:
    """Four trials, fed with one second after the other; `add` changes them, nothing else does.

    Both sides of a second come in one call: who is compared was there at the same time.
    """

    __slots__ = ("_mark", "_marked", "_usual", "_usual_total", "client_errors", "errors", "latency", "paired", "worse")

    def __init__(self, worse: WorseThanLegacy | None) -> None:
        self.worse = worse
        self.errors = Trial()
        self.client_errors = Trial()
        self.latency = Trial()
        self.paired = Trial()
        self._usual: dict[int, int] = {}
        self._usual_total = self._marked = 0
        self._mark: float | None = None

    def add(self, second: int, legacy: Tally, modern: Tally, pairs: PairTally | None = None) -> None:
        """Count what both sides did for users in `second`, what became of the pairs mirrored in it."""
        if self.worse is None:
            return
        asked, there = modern.requests, legacy.requests
        if asked or there:
            self.errors.add(second, Counts(asked, modern.errors), _unasked(legacy, pairs))
            self.client_errors.add(second, Counts(asked, modern.client_errors), Counts(there, legacy.client_errors))
        if legacy.latencies or modern.latencies:
            self._add_latencies(second, legacy, modern, self.worse)
        if pairs is not None and pairs.pairs:
            modern_failed = Counts(pairs.pairs, pairs.modern_failed)
            self.paired.add(second, modern_failed, Counts(pairs.pairs, pairs.legacy_failed))

    def mark(self) -> float | None:
        """Return legacy's P95 of late in seconds, None before enough is known."""
        return self._mark

    def _add_latencies(self, second: int, legacy: Tally, modern: Tally, worse: WorseThanLegacy) -> None:
        mark = self._mark
        if mark is not None:
            limit = max(mark * worse.p95, mark + worse.p95_floor)
            slow = Counts(sum(modern.latencies.values()), above(modern.latencies, mark))
            usual = Counts(sum(legacy.latencies.values()), above(legacy.latencies, mark))
            self.latency.add(second, slow, usual, above(modern.latencies, limit))
        for step, count in legacy.latencies.items():
            self._usual[step] = self._usual.get(step, 0) + count
            self._usual_total += count
        if self._usual_total > _MEMORY:
            self._usual = {step: count // 2 for step, count in self._usual.items() if count > 1}
            self._usual_total = self._marked = sum(self._usual.values())
        elif self._usual_total >= max(_ENOUGH, self._marked * _GROWN):
            self._marked = self._usual_total
            self._mark = percentile(self._usual, _P95)


def _unasked(legacy: Tally, pairs: PairTally | None) -> Counts:
    """Return legacy's requests without those it got because modern had failed: they would tell the tale twice."""
    if pairs is None:
        return Counts(legacy.requests, legacy.errors)
    requests = max(0, legacy.requests - pairs.rescued - pairs.lost)
    return Counts(requests, min(requests, max(0, legacy.errors - pairs.lost)))
