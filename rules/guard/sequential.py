"""Anytime-valid comparison with legacy.

The question is whether requests on the modern side are *bad* (failed, slow, refused) more often than those on legacy
at the same time. Requests are taken in small blocks. If badness did not depend on the side, which of a block's
requests are bad would be drawn without replacement, so of its `bad` ones each would be modern's with a chance of at
most its share of the block. Against that a bet is placed that a bad request is `odds` times as likely on modern:

    e = product over blocks of  odds^(bad on modern) / (odds · share + 1 - share)^bad

Under "no worse" e does not grow on average in any block, however the error rate changes and however the traffic is
divided: an outage that hits both sides is no evidence. By Ville's inequality e ever reaches 1/alpha with a chance of
at most alpha, at whatever moment it is evaluated (Ville 1939; Shafer, Test martingales, 2011; Waudby-Smith, Ramdas,
Estimating means of bounded random variables by betting, JRSS B 2024; drawing without replacement is the tamer case
by Hoeffding 1963, theorem 4). The bets are averaged over a grid of odds. So that days of health do not hide a fresh
fault, a new product is begun with every epoch, the k-th with 1/(k(k+1)) of the stake: their sum is such an e as well.

A known flaw: requests are counted, not users. One user whose page fails repeatedly looks like many; the floor
of the excess, the number of seconds it must be spread over and the mirrored pairs limit that.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import exp, log
from typing import Final, NamedTuple

from rules.guard.window import PairTally, Tally, above, percentile
from rules.model import WorseThanLegacy

ODDS: Final = (1.25, 1.6, 2.2, 3.2, 5.0, 8.0, 16.0, 40.0, 150.0, 1000.0)
EPOCH: Final = 60
"""Seconds between two epochs, at least."""
_BLOCK: Final = 8
"""Requests in a block, at least, some of either side: fewer would give less evidence."""
_PATIENCE: Final = 120
"""Seconds after which a block without requests of one side is dropped: later ones are not of the same time."""
_KEPT: Final = 20
"""Epochs that are kept: all of the latest, older ones ever more sparsely."""
_LOGS: Final = tuple(log(odds) for odds in ODDS)
_BETS: Final = len(ODDS)
_MODERN, _MODERN_BAD, _LEGACY, _LEGACY_BAD, _FAR, _SECONDS, _ABOVE, _WEIGHT = range(_BETS, _BETS + 8)
_WIDTH: Final = _BETS + 8


class Counts(NamedTuple):
    """What one side did in one second: requests, those of them that were bad."""

    requests: int
    bad: int


class Span(NamedTuple):
    """Both sides since the beginning of one epoch.

    `excess` is how much larger modern's share of bad ones is, block by block (Mantel, Haenszel 1959: a share of the
    traffic that changes does not fake one). `far` counts modern's that were much worse, `seconds` those with bad ones.
    """

    modern: Counts
    legacy: Counts
    excess: float
    far: int
    seconds: int


class Finding(NamedTuple):
    """`evidence` is the logarithm of e; `span` the one with the most evidence, None where none is worth acting on."""

    evidence: float
    span: Span | None


NOTHING_FOUND: Final = Finding(float("-inf"), None)


class Trial:
    """The running comparison; only `add_counts` changes it."""

    __slots__ = ("_beginnings", "_begun", "_epoch", "_first", "_last", "_pending", "_sums")

    def __init__(self) -> None:
        self._sums = array("d", bytes(8 * _WIDTH))
        self._beginnings: list[tuple[int, array[float]]] = [(1, self._sums[:])]
        self._begun = 1
        self._epoch: int | None = None
        self._pending = [0] * 6
        self._first = self._last = 0

    def add_counts(self, second: int, modern: Counts, legacy: Counts, far: int = 0) -> None:
        """Count what both sides did in `second`; of several workers one after the other, or added up."""
        pending = self._pending
        if not pending[0] + pending[2]:
            self._first = second
        elif second - self._first > _PATIENCE:
            self._pending = pending = [0] * 6
            self._first = second
        pending[0] += modern.requests
        pending[1] += modern.bad
        pending[2] += legacy.requests
        pending[3] += legacy.bad
        pending[4] += far
        if modern.bad and second > self._last:
            self._last = second
            pending[5] += 1
        if pending[0] and pending[2] and pending[0] + pending[2] >= _BLOCK:
            self._settle(second)

    def finding(self, worth: Callable[[Span], bool]) -> Finding:
        """Return the evidence of all spans that are `worth` acting on."""
        if not self._sums[_MODERN_BAD]:
            return NOTHING_FOUND
        found: list[tuple[float, Span]] = []
        for number, before in self._beginnings:
            if self._sums[0] <= before[0]:
                # the smallest odds win wherever larger ones do: the logarithm of e is concave in that of the odds
                continue
            span = self._span(before)
            if worth(span):
                bets = [self._sums[bet] - before[bet] for bet in range(_BETS)]
                found.append((_log_sum(bets) - log(_BETS * number * (number + 1)), span))
        if not found:
            return NOTHING_FOUND
        return Finding(_log_sum([evidence for evidence, _ in found]), max(found, key=_strength)[1])

    def whole(self) -> Span | None:
        """Return everything since the very beginning, None before both sides were there together."""
        return self._span(array("d", bytes(8 * _WIDTH))) if self._sums[_WEIGHT] else None

    def _settle(self, second: int) -> None:
        """Evaluate the complete block; begin a new epoch where it is time to."""
        modern, modern_bad, legacy, legacy_bad, far, seconds = self._pending
        self._pending = [0] * 6
        sums = self._sums
        whole, bad = modern + legacy, modern_bad + legacy_bad
        if bad:
            share = modern / whole
            for bet, odds in enumerate(ODDS):
                sums[bet] += modern_bad * _LOGS[bet] - bad * log(odds * share + 1.0 - share)
            sums[_MODERN_BAD] += modern_bad
            sums[_LEGACY_BAD] += legacy_bad
            sums[_FAR] += far
            sums[_SECONDS] += seconds
            sums[_ABOVE] += (modern_bad * legacy - legacy_bad * modern) / whole
        sums[_MODERN] += modern
        sums[_LEGACY] += legacy
        sums[_WEIGHT] += modern * legacy / whole
        if self._epoch is None:
            self._epoch = second
        elif second - self._epoch >= EPOCH:
            self._epoch = second
            self._begin()

    def _begin(self) -> None:
        self._begun += 1
        self._beginnings.append((self._begun, self._sums[:]))
        if len(self._beginnings) > _KEPT:
            numbers = [number for number, _ in self._beginnings]
            # of all but the ends, the one that is needed least: its neighbours are close, for their age
            least = min(
                range(1, len(numbers) - 1),
                key=lambda at: (numbers[at + 1] - numbers[at - 1]) / (self._begun + 1 - numbers[at - 1]),
            )
            del self._beginnings[least]

    def _span(self, before: array[float]) -> Span:
        sums = self._sums
        return Span(
            Counts(int(sums[_MODERN] - before[_MODERN]), int(sums[_MODERN_BAD] - before[_MODERN_BAD])),
            Counts(int(sums[_LEGACY] - before[_LEGACY]), int(sums[_LEGACY_BAD] - before[_LEGACY_BAD])),
            (sums[_ABOVE] - before[_ABOVE]) / (sums[_WEIGHT] - before[_WEIGHT]),
            int(sums[_FAR] - before[_FAR]),
            int(sums[_SECONDS] - before[_SECONDS]),
        )


def _log_sum(logarithms: list[float]) -> float:
    greatest = max(logarithms)
    return greatest + log(sum(exp(each - greatest) for each in logarithms))


def _strength(found: tuple[float, Span]) -> float:
    return found[0]


# Keeps the running comparisons of one route since its window was restarted.
#
# There are four: errors, responses of 4xx, latency, failures of mirrored pairs. Latency becomes a yes or no by
# a mark: a response is *slow* when it took longer than legacy's recent P95, from before the responses judged by it
# came, and *far* slower when it exceeded that by more than the route's policy allows.


_ENOUGH: Final = 20
"""Responses of legacy before its P95 is used as a mark."""
_MEMORY: Final = 4096
"""Responses of legacy after which the older ones count half."""
_GROWN: Final = 1.05
"""The growth of legacy's responses after which its P95 is computed again: each time costs a sort."""
_P95: Final = 0.95


class Trials:
    """Four sequential tests, fed with one second after the other; only `add_tallies` changes them.

    Both sides of a second come in one call: what is compared happened at the same time.
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

    def add_tallies(self, second: int, legacy: Tally, modern: Tally, pairs: PairTally | None = None) -> None:
        """Count the responses of both sides to users in `second`, and the results of the pairs mirrored in it."""
        if self.worse is None:
            return
        asked, there = modern.requests, legacy.requests
        if asked or there:
            self.errors.add_counts(second, Counts(asked, modern.errors), _unasked(legacy, pairs))
            self.client_errors.add_counts(
                second, Counts(asked, modern.client_errors), Counts(there, legacy.client_errors)
            )
        if legacy.latencies or modern.latencies:
            self._add_latencies(second, legacy, modern, self.worse)
        if pairs is not None and pairs.pairs:
            modern_failed = Counts(pairs.pairs, pairs.modern_failed)
            self.paired.add_counts(second, modern_failed, Counts(pairs.pairs, pairs.legacy_failed))

    def mark(self) -> float | None:
        """Return legacy's recent P95 in seconds, None before enough is known."""
        return self._mark

    def _add_latencies(self, second: int, legacy: Tally, modern: Tally, worse: WorseThanLegacy) -> None:
        mark = self._mark
        if mark is not None:
            limit = max(mark * worse.p95, mark + worse.p95_floor)
            slow = Counts(sum(modern.latencies.values()), above(modern.latencies, mark))
            usual = Counts(sum(legacy.latencies.values()), above(legacy.latencies, mark))
            self.latency.add_counts(second, slow, usual, above(modern.latencies, limit))
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
    """Return legacy's requests without those it got because modern had failed: these would count twice."""
    if pairs is None:
        return Counts(legacy.requests, legacy.errors)
    requests = max(0, legacy.requests - pairs.rescued - pairs.lost)
    return Counts(requests, min(requests, max(0, legacy.errors - pairs.lost)))
