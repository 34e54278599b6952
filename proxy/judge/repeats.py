"""Counts pairs that differ in the groups in which others differed a moment ago: those are reported together.

Where a route's answers differ, they differ alike, thousands of times. Control can have only so many of them asked
again; the others it counts, keeping nothing but a few examples. So as many as may be asked again are sent whole; beyond
that, of pairs that are alike, the first few of each moment. The rest is only counted: neither redacted, nor packed, nor
sent one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from proxy.ipc.judge_messages import Opinion, Repeated
from proxy.ipc.messages import Answer, Pair
from proxy.telemetry.request_kinds import kind_of
from rules.model import LEGACY, SAFE_METHODS
from rules.token_bucket import TokenBucket

MOMENT: Final = 1.0
"""Seconds after which the first of each kind are sent whole again."""
FEWEST_WHOLE: Final = 2
"""Of each kind in each moment, whatever may be asked again: examples stay fresh, what they cost does not grow."""
MOST_KINDS: Final = 256
"""In each moment; what is unlike all of them is sent whole."""
_PLAIN: Final = ("body", "status", "headers")
"""Why a pair was sent whose difference may be counted: nothing was written meanwhile, no session was missing."""
_A_MINUTE: Final = 60.0

Key = tuple[str, int, str, str, str, tuple[str, ...]]


class _Kind:
    """Pairs that are alike: `whole` were sent, the last of them with `opinion`; `count` were not."""

    __slots__ = ("count", "forgiven", "last", "opinion", "rated", "whole")

    def __init__(self) -> None:
        self.whole = 0
        self.opinion: Opinion | None = None
        self.last: Pair | None = None
        self.count = 0
        self.forgiven: dict[str, int] = {}
        self.rated: dict[str, int] = {}


class Repeats:
    """The kinds of this moment. They come with `sent_whole`, fill with `folds`, go when the moment is over."""

    def __init__(self) -> None:
        self._kinds: dict[Key, _Kind] = {}
        self._begun = 0.0
        self._budgets: dict[str, tuple[int, TokenBucket]] = {}

    def folds(self, pair: Pair, groups: tuple[str, ...], forgiven: Mapping[str, int], per_minute: int) -> bool:
        """Whether a pair that differs in `groups` was counted here, and has to be neither redacted nor sent.

        `per_minute` is how many of its route control may have asked again; 0 is all, and then all are sent.
        """
        if not per_minute or pair.reason not in _PLAIN or pair.method not in SAFE_METHODS or pair.secondary is not None:
            return False
        kind = self._kinds.get(_key(pair, groups))
        if self._may_be_asked_again(pair.route, per_minute) or kind is None or kind.whole < FEWEST_WHOLE:
            return False
        kind.count += 1
        kind.last = pair
        for rule, times in forgiven.items():
            kind.forgiven[rule] = kind.forgiven.get(rule, 0) + times
            kind.rated[rule] = kind.rated.get(rule, 0) + 1
        return True

    def _may_be_asked_again(self, route: str, per_minute: int) -> bool:
        """Whether control may have some of its budget left for a pair; takes one, as control does."""
        there = self._budgets.get(route)
        if there is None or there[0] != per_minute:
            there = self._budgets[route] = per_minute, TokenBucket(per_minute, _A_MINUTE)
        return there[1].spend(self._begun)

    def sent_whole(self, pair: Pair, opinion: Opinion) -> None:
        """Note a pair that is sent as it is."""
        if opinion.checked or opinion.observed or pair.reason not in _PLAIN:
            return
        key = _key(pair, tuple(each.group for each in opinion.found))
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= MOST_KINDS:
                return
            kind = self._kinds[key] = _Kind()
        kind.whole += 1
        kind.opinion = opinion

    def drain(self, now: float) -> list[Repeated]:
        """Return what was counted since the last call; the next moment begins when this one is over."""
        found = [_repeated(kind) for kind in self._kinds.values() if kind.count]
        if now - self._begun >= MOMENT:
            self._begun = now
            self._kinds = {}
        for kind in self._kinds.values():
            kind.count = 0
            kind.forgiven, kind.rated = {}, {}
        return [each for each in found if each is not None]


def _key(pair: Pair, groups: tuple[str, ...]) -> Key:
    status = (pair.legacy if pair.live_side == LEGACY else pair.modern).status
    kind = kind_of(pair.method, pair.path, status)
    return pair.route, pair.generation, kind, pair.live_side, pair.reason, groups


def _repeated(kind: _Kind) -> Repeated | None:
    if kind.opinion is None or kind.last is None:
        return None
    opinion = replace(kind.opinion, forgiven=tuple(kind.forgiven.items()), notes=(), request="", payload=b"")
    return Repeated(without_responses(kind.last), opinion, kind.count, tuple(kind.rated.items()))


def without_responses(pair: Pair) -> Pair:
    """Return the pair without what was only compared."""
    return replace(pair, legacy=_status(pair.legacy), modern=_status(pair.modern), secondary=None)


def _status(answer: Answer) -> Answer:
    return Answer(status=answer.status, failed=answer.failed)
