"""The worker's second look at a pair: other bytes, but equal by value, within a share of the event loop's time.

A pair that is settled here is not packed, sent, unpacked, read by another process: that costs the worker as much as
the look does. So a look that settles its pair is charged only for what it takes beyond that; one that settles nothing
is charged whole. What there is no time for goes to a judge, as what is too large does.

What sending costs is measured where it is done: a machine that is slower today, or a build that is not compiled, is
slower at both, and is no reason to do what costs more.

A menu, a price list, a user's own page that is polled: many pairs are pairs that came before. What was equal then is
known by the hashes of both bodies, 128 bits under a key of this process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter, thread_time
from typing import Any, Final

from comparators.quick_equal import MOST_BYTES, quick_equal, quick_rules, says_json
from proxy.worker.shadow.response_copy import ResponseCopy
from rules.bounded_cache import evict_oldest

A_PAIR: Final = 100e-6
"""Seconds that the look at one pair may take, as a rule: where they take longer, and twice what sending
one takes, only smaller ones are looked at."""
SHARE: Final = 0.05
"""Of the loop's time, for all looks of a worker; what is not used up is kept for a second."""
SENDING: Final = 40e-6
"""Seconds that sending a pair to a judge costs a worker at the least, until one was sent: 50 to 100 where few are."""
KNOWN_PAIRS: Final = 256
"""Pairs of one route that are known to be equal; then the oldest are forgotten."""
_BOTH: Final = 2 * MOST_BYTES
_LOOKS: Final = 16
"""How many looks the cost of a byte is a mean of, how many pairs that of sending one, about."""
_DISTURBED: Final = 4 * A_PAIR
_FORGETS: Final = 0.99
"""What is left of the cost of a byte with each pair that is too large for it: some day one is looked at again."""


class LookBudget:
    """The time that a worker has left for looks; it moves with the clock, with each look.

    `sending` is what it costs to send a pair instead, lately; it moves with each pair that is sent.
    What a look takes is measured in the thread's own processor time: other load on the machine is no reason to look
    less.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter, processor: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        self.processor = processor
        self.sending = SENDING
        self._left = SHARE
        self._at = clock()

    def has_time(self) -> bool:
        """Whether one more look may be taken."""
        now = self._clock()
        self._left = min(SHARE, self._left + (now - self._at) * SHARE)
        self._at = now
        return self._left > 0.0

    def spend(self, seconds: float) -> None:
        """Take off what a look took; it may have been more than was left."""
        self._left -= seconds

    def learn_sending(self, seconds: float) -> None:
        """Follow what sending a pair costs; what found no room was not packed, so the least stays the least."""
        self.sending += (min(max(SENDING, seconds), _DISTURBED) - self.sending) / _LOOKS


class ValueEquality:
    """How one route's pairs are looked at.

    Changes: the seconds that a byte costs lately, the heads seen last, what was forgiven in pairs that were equal.
    """

    def __init__(self, rules: frozenset[str], budget: LookBudget) -> None:
        self._rules = rules
        self._budget = budget
        self._cost = 0.0
        self._json: list[list[str]] = []
        self._known: dict[tuple[int, int, int], Mapping[str, int]] = {}

    def forgiven(self, legacy: ResponseCopy, modern: ResponseCopy) -> Mapping[str, int] | None:
        """Return what was forgiven where two whole answers have equal bodies, None where a judge has to say."""
        one, two = legacy.body, modern.body
        size = len(one) + len(two)
        budget = self._budget
        if size > _BOTH or size * self._cost > max(A_PAIR, 2 * budget.sending):
            self._cost *= _FORGETS
            return None
        if not (self._is_json(legacy.lines) and self._is_json(modern.lines)):
            return None
        pair = hash(one), hash(two), size
        found = self._known.get(pair)
        if found is not None:
            return found
        if not budget.has_time():
            return None
        begun = budget.processor()
        found = quick_equal(one, two, self._rules)
        # a processor's time has in it what a hypervisor took: one look of a second is no reason to stop for twenty
        took = min(budget.processor() - begun, _DISTURBED)
        budget.spend(took if found is None else max(0.0, took - budget.sending))
        self._learn(size, took)
        if found is not None:
            evict_oldest(self._known, KNOWN_PAIRS)
            self._known[pair] = found
        return found

    def _learn(self, size: int, took: float) -> None:
        """Follow what a byte costs; one look that was disturbed, by an interrupt or cold caches, says little."""
        self._cost += (took / size - self._cost) / _LOOKS

    def _is_json(self, lines: list[str]) -> bool:
        """Whether these fields belong to JSON without a coding; heads that repeat are one list."""
        for known in self._json:
            if known is lines:
                return True
        if not _declares_json(lines):
            return False
        self._json = [*self._json[-1:], lines]
        return True


def value_equality(compare: Mapping[str, Any], budget: LookBudget) -> ValueEquality | None:
    """Return how the pairs of a route with this `compare:` mapping are looked at, None where they are not."""
    rules = quick_rules(compare)
    return None if rules is None else ValueEquality(rules, budget)


def _declares_json(lines: list[str]) -> bool:
    media = ""
    for line in lines:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "content-encoding":
            return False
        if lower == "content-type":
            if media:
                return False
            media = value
    return says_json(media)
