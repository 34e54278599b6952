"""Asks both sides again before a difference counts, within a budget for each route.

Two reads a moment apart may truly differ because of a write in between; what is still there when both are asked once
more is no such race. The budget keeps a broken route from doubling its own load. What the pairs that were asked again
came to also says what those are for which there is no budget.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proxy.ipc.judge_messages import Found, Opinion
from proxy.ipc.messages import Answer, Pair
from rules.token_bucket import TokenBucket

A_MINUTE = 60.0
MOST_PENDING = 500
MOST_BYTES = 64 << 20
"""Of packed pairs that wait for their second answers; the answers themselves are not kept."""
GRACE = 5.0
"""Seconds beyond the delay and both sides' time-outs that a worker has for its answer."""
REMEMBERED = 2000
MOST_UNDECIDED = 500
MOST_UNDECIDED_BYTES = 16 << 20
ENOUGH = 3
"""So many second looks of a route say what its differences come to."""
IN_VAIN = 12
"""So many second looks of a route, most of which came to nothing, are waited for at the most."""
ONE_IN = 10
"""Of a route's differences so few stay where most of them are legacy's own."""
_FOR_WHAT_IS_NEW = 3
_LATELY = 200


@dataclass(frozen=True, slots=True)
class PendingRecheck:
    """A pair that is being asked again, the `number`th time, without its answers, with what was last said of them.

    `put_off` says how often in a row a worker had no time for it: that was no look.
    """

    pair: Pair
    opinion: Opinion
    until: float
    number: int = 1
    put_off: int = 0


class Rechecks:
    """Who is asked again, what came of it lately.

    `_pending` changes with `begin`, `end`, `overdue`, `_asking` with `begin`, `decided`.

    Violations of an invariant have a budget of their own: a storm of differences must not use up what decides about
    a rollback. Of a budget a third is for differences of which it is not known that they vanish: on an application
    whose every page varies by itself, nothing would be left for the one that is new.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pending: dict[str, PendingRecheck] = {}
        self._bytes = 0
        self._budgets: dict[tuple[str, bool], tuple[int, TokenBucket]] = {}
        self._vanished: dict[str, float] = {}
        self._stayed: dict[str, float] = {}
        self._asking: Counter[str] = Counter()
        self._ended: dict[str, deque[tuple[float, bool | None]]] = {}

    def may(self, route: str, per_minute: int, *, violated: bool, found: Sequence[Found] = ()) -> bool:
        """Whether one more may be asked again now; takes it from the budget (0: there is none)."""
        if len(self._pending) >= MOST_PENDING or self._bytes >= MOST_BYTES:
            return False
        there = self._budgets.get((route, violated))
        if there is None or there[0] != per_minute:
            there = self._budgets[route, violated] = per_minute, TokenBucket(per_minute, A_MINUTE)
        is_known = bool(found) and all(self.looks_like_a_race(each.group) for each in found)
        return there[1].spend(self._clock(), leaving=per_minute // _FOR_WHAT_IS_NEW if is_known else 0)

    def give_back(self, route: str, *, violated: bool) -> None:
        """Take back what one cost that was not asked after all."""
        if (there := self._budgets.get((route, violated))) is not None:
            there[1].give_back()

    def begin(self, pair: Pair, opinion: Opinion, seconds: float, number: int = 1, put_off: int = 0) -> None:
        """Wait for other answers to `pair`, for so long."""
        until = self._clock() + seconds + GRACE
        self._pending[pair.id] = PendingRecheck(light(pair), opinion, until, number, put_off)
        self._bytes += len(opinion.payload)
        self._asking[pair.route] += 1

    def end(self, pair: str) -> PendingRecheck | None:
        """Return what was waiting for the second answers, None when nothing does any more."""
        pending = self._pending.pop(pair, None)
        if pending is not None:
            self._bytes -= len(pending.opinion.payload)
        return pending

    def overdue(self) -> list[PendingRecheck]:
        """Take out what has waited too long: a worker that is gone answers nothing."""
        now = self._clock()
        late = [name for name, pending in self._pending.items() if pending.until < now]
        return [pending for name in late if (pending := self.end(name)) is not None]

    def vanished(self, group: str) -> None:
        """Remember that a difference of this group was not there any more when it was looked at again."""
        self._stayed.pop(group, None)
        self._remember(self._vanished, group)

    def stayed(self, group: str) -> None:
        """Remember that a difference of this group was still there."""
        self._vanished.pop(group, None)
        self._remember(self._stayed, group)

    def _remember(self, groups: dict[str, float], group: str) -> None:
        groups.pop(group, None)
        groups[group] = self._clock()
        while len(groups) > REMEMBERED:
            del groups[next(iter(groups))]

    def ended(self, route: str, *, stayed: bool | None) -> None:
        """Remember what a second look at a pair that differed came to; None where it came to nothing."""
        self._ended.setdefault(route, deque(maxlen=_LATELY)).append((self._clock(), stayed))

    def decided(self, route: str) -> None:
        """Note that one of those that were asked again is decided; between `end` and this, judges look at it."""
        self._asking[route] -= 1

    def may_tell(self, route: str) -> bool:
        """Whether a route's second looks are still to say what its differences come to: some are out, few are back.

        One that came to nothing (the user was back in a session, a side failed) says nothing; many of these do.
        """
        lately = self._lately(route)
        told = len(lately) - lately.count(None)
        return self._asking[route] > 0 and told < ENOUGH and len(lately) < IN_VAIN

    def mostly_vanish(self, route: str) -> bool:
        """Whether a route's differences hardly ever stayed when they were looked at again, and enough were."""
        told = [stayed for stayed in self._lately(route) if stayed is not None]
        return len(told) >= ENOUGH and sum(told) * ONE_IN <= len(told)

    def _lately(self, route: str) -> list[bool | None]:
        since = self._clock() - A_MINUTE
        return [stayed for at, stayed in self._ended.get(route, ()) if at > since]

    def is_new(self, group: str) -> bool:
        """Whether no difference of this group was looked at again within a minute."""
        return not (self._is_recent(self._vanished, group) or self._is_recent(self._stayed, group))

    def looks_like_a_race(self, group: str) -> bool:
        """Whether the latest difference of this group that was looked at again had vanished, within a minute."""
        return self._is_recent(self._vanished, group)

    def _is_recent(self, groups: dict[str, float], group: str) -> bool:
        at = groups.get(group)
        return at is not None and self._clock() - at < A_MINUTE


class Undecided:
    """Pairs for which there is no budget, and of whose differences nothing is known yet.

    They wait for the route's first second looks, which then say what they are; these have a limit, and so has this.
    `_waiting` grows with `put`, `take` empties it.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[Callable[[], None], int]]] = {}
        self._many = self._bytes = 0

    def __len__(self) -> int:
        """How many pairs wait."""
        return self._many

    def put(self, route: str, decide: Callable[[], None], size: int) -> bool:
        """Keep `decide` until something is known of its route; False where too many wait already."""
        if self._many >= MOST_UNDECIDED or self._bytes + size > MOST_UNDECIDED_BYTES:
            return False
        self._waiting.setdefault(route, []).append((decide, size))
        self._many += 1
        self._bytes += size
        return True

    def take(self, route: str) -> list[Callable[[], None]]:
        """Return all that wait for a route; they no longer do."""
        there = self._waiting.pop(route, [])
        self._many -= len(there)
        self._bytes -= sum(size for _, size in there)
        return [decide for decide, _ in there]


def light(pair: Pair) -> Pair:
    """Return what a pair is counted by, without what is only compared."""
    return replace(pair, legacy=_bare(pair.legacy), modern=_bare(pair.modern), secondary=None)


def _bare(answer: Answer) -> Answer:
    return Answer(status=answer.status, failed=answer.failed)
