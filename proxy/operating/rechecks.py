"""Asks both sides again before a difference counts, within a budget for each route.

Two reads a moment apart may truly differ because somebody wrote in between; what is still there when both are asked
once more is no such race. The budget keeps a broken route from doubling its own load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from proxy.ipc.judge_messages import Opinion
from proxy.ipc.messages import Answer, Pair

A_MINUTE = 60.0
MOST_PENDING = 500
MOST_BYTES = 64 << 20
"""Of packed pairs that wait for their second answers; the answers themselves are not kept."""
GRACE = 5.0
"""Seconds beyond the delay and both sides' time-outs that a worker has for its answer."""
REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """A pair that is being asked again, the `number`th time, without its answers, with what was last said of them."""

    pair: Pair
    opinion: Opinion
    until: float
    number: int = 1


class Budget:
    """So many tokens a minute, at most a minute's worth saved up; they change by `take`."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._per_minute = per_minute
        self._left = float(per_minute)
        self._at = now

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._left = min(float(self._per_minute), self._left + (now - self._at) * self._per_minute / A_MINUTE)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Rechecks:
    """Who is asked again, what came of it lately. `_asked` changes with `begin`, `end`, `overdue`.

    Violations of an invariant have a budget of their own: a storm of differences must not use up what decides about
    a rollback.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: dict[str, Asked] = {}
        self._bytes = 0
        self._budgets: dict[tuple[str, bool], tuple[int, Budget]] = {}
        self._vanished: dict[str, float] = {}

    def may(self, route: str, per_minute: int, *, violated: bool) -> bool:
        """Whether one more may be asked again now; takes it from the budget (0: there is none)."""
        if len(self._asked) >= MOST_PENDING or self._bytes >= MOST_BYTES:
            return False
        if per_minute == 0:
            return True
        now = self._clock()
        there = self._budgets.get((route, violated))
        if there is None or there[0] != per_minute:
            there = self._budgets[route, violated] = per_minute, Budget(per_minute, now)
        return there[1].take(now)

    def begin(self, pair: Pair, opinion: Opinion, seconds: float, number: int = 1) -> None:
        """Wait for other answers to `pair`, for so long."""
        light = replace(pair, legacy=_bare(pair.legacy), modern=_bare(pair.modern), secondary=None)
        self._asked[pair.id] = Asked(light, opinion, self._clock() + seconds + GRACE, number)
        self._bytes += len(opinion.payload)

    def end(self, pair: str) -> Asked | None:
        """Return what was waiting for the second answers, None when nobody does any more."""
        asked = self._asked.pop(pair, None)
        if asked is not None:
            self._bytes -= len(asked.opinion.payload)
        return asked

    def overdue(self) -> list[Asked]:
        """Take out whoever has waited too long: a worker that is gone answers nothing."""
        now = self._clock()
        late = [name for name, asked in self._asked.items() if asked.until < now]
        return [asked for name in late if (asked := self.end(name)) is not None]

    def vanished(self, group: str) -> None:
        """Remember that a difference of this group was not there any more when it was looked at again."""
        self._vanished.pop(group, None)
        self._vanished[group] = self._clock()
        while len(self._vanished) > REMEMBERED:
            del self._vanished[next(iter(self._vanished))]

    def stayed(self, group: str) -> None:
        """Remember that a difference of this group was still there."""
        self._vanished.pop(group, None)

    def looks_like_a_race(self, group: str) -> bool:
        """Whether the latest difference of this group that was looked at again had vanished, within a minute."""
        at = self._vanished.get(group)
        return at is not None and self._clock() - at < A_MINUTE


def _bare(answer: Answer) -> Answer:
    """What a pair is counted by, without what is only compared."""
    return Answer(status=answer.status, failed=answer.failed)
