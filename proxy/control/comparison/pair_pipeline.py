"""A pair's way: queue, judge, re-check, count.

1. a judge has a pair from a worker; one that ends its judge is not compared, and its route rests in every worker
2. the judge says what it thinks of it: equal, noise, not comparable: it adds them up, they are counted, done
3. it differs, or breaks an invariant: both sides are asked again, within the route's budget (`rechecks`)
4. legacy's two answers are held against each other: what it varies by itself in this very pair is noise
5. gone the second time: a race, counted as transient; there with other values: asked again, a few times at most
6. still there: counted, kept, reported

A pair beside a write counts where it is equal; where it differs it is transient at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from proxy.control.comparison.judge_pool import JudgePool, NotJudgedError, PairResults
from proxy.control.comparison.rechecks import PendingRecheck, Rechecks, Undecided, light
from proxy.control.comparison.results import ComparisonResults, places_of
from proxy.ipc import messages
from proxy.ipc.judge_messages import Case, Checked, Exhibit, Explained, Judged, Opinion, Repeated, Tallied
from proxy.ipc.messages import Message, Pair
from proxy.state.mirror_outcomes import RACED
from proxy.telemetry.aggregation import Worker
from proxy.telemetry.records import SESSION
from rules.model import SAFE_METHODS, ShadowPolicy

# Lets a route rest whose pairs have cost a judge its life, so that the other routes' pairs are judged meanwhile.


FIRST = 1.0
LONGEST = 300.0
FORGIVEN_AFTER = 600.0


class CoolDown:
    """How long each route rests: not after its first judge, a second after the next, then twice as long each time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, float]] = {}

    def cost_a_judge(self, route: str) -> float:
        """A pair of `route` was over its limit, or ended its judge: return for how many seconds the route rests."""
        now = self._clock()
        until, rest = self._until.get(route, (0.0, 0.0))
        is_first = route not in self._until or now - until > FORGIVEN_AFTER
        rest = 0.0 if is_first else min(max(FIRST, 2 * rest), LONGEST)
        self._until[route] = now + rest, rest
        return rest


VIOLATED = "violated"
_ALONE = "alone"
BUSY = "busy"
_LATER = (RACED, BUSY)
_CURES = {SESSION: " (legacy takes the copy for a stranger's; with `session: share` it is asked as the user)"}
MOST_TIMES = 3
"""How often a pair is asked again at most."""
WRITES_ARE_NEAR = 2.0
"""Seconds for which a worker takes a write to be near (`serving.shadowing.writes`)."""


class PairPipeline:
    """The way of a pair through control. Nothing in it changes but its parts, on the event loop.

    `send` reaches the worker that has sent a pair, None: all of them; `policy` says how a route is mirrored, None for
    one that is gone; `later` is the loop's `call_later`.
    """

    def __init__(
        self,
        judges: JudgePool,
        verdicts: ComparisonResults,
        rechecks: Rechecks,
        send: Callable[[Message, Worker | None], int],
        policy: Callable[[str], ShadowPolicy | None],
        clock: Callable[[], float],
        later: Callable[..., object],
    ) -> None:
        self._judges = judges
        self._verdicts = verdicts
        self._rechecks = rechecks
        self._send = send
        self._policy = policy
        self._later = later
        self._cooling_down = CoolDown(clock)
        self._undecided = Undecided()

    @property
    def undecided(self) -> int:
        """How many pairs wait for what second looks say of them."""
        return len(self._undecided)

    def on_message(self, worker: Worker, message: Message) -> None:
        """Take what a worker says about pairs; anything else is not meant for us."""
        match message:
            case messages.Pair():
                self._take_again(message, worker)
            case messages.AgainFailed():
                if (pending := self._rechecks.end(message.pair)) is not None:
                    self._not_again(pending, worker, message.reason)
            case messages.JudgeWanted():
                self._judges.want()
            case messages.JudgeSilent():
                self._judges.end(message.judge)
            case messages.Unjudged():
                self._verdicts.unjudged(message)
                if message.cost:
                    self._cost_a_judge(message.route)
            case _:
                pass

    def on_judge_message(self, message: PairResults) -> None:
        """Take what a judge reports on workers' pairs."""
        match message:
            case Tallied():
                for row in message.routes:
                    self._verdicts.tally(row)
            case Repeated():
                self._repeated(message)
            case Judged():
                self._judged(message.pair, (message.slot, message.incarnation), message.opinion)

    def _take_again(self, pair: Pair, worker: Worker) -> None:
        """Have the second answers judged; they have waited before, and pass what waits."""
        pending = self._rechecks.end(pair.id)
        if pending is None:
            return
        if self._policy(pair.route) is None:
            self._decide(pair.route)
            return
        case = Case(self._judges.ticket(), pair)
        first = 0 if pair.secondary is None else len(pair.secondary.body)
        answer = self._judges.put(case, len(pair.legacy.body) + len(pair.modern.body) + first, first=True)
        answer.add_done_callback(partial(self._judged_again, pending, pair, worker))

    def _cost_a_judge(self, route: str) -> None:
        seconds = self._cooling_down.cost_a_judge(route)
        if seconds:
            self._send(messages.Rest(route, seconds), None)

    def tick(self) -> None:
        """Give up waiting for workers that do not answer; to be called about once a second."""
        for pending in self._rechecks.overdue():
            self._came_to_nothing(pending, "late")
            self._decide(pending.pair.route)

    # ── the first time ─────────────────────────────────────────────────────────────────────────────────

    def _judged(self, pair: Pair, worker: Worker, opinion: Opinion) -> None:
        if self._policy(pair.route) is None:
            return
        self._verdicts.learn(pair, opinion)
        differs = opinion.verdict == "different" and not self._verdicts.is_known(pair, opinion)
        violated = any(one.state == VIOLATED for one in opinion.checked)
        if differs and pair.reason == RACED:
            self._verdicts.transient(pair, opinion)
            return
        if pair.reason == RACED or not (differs or violated):
            self._verdicts.settle(pair, opinion)
            return
        is_stranger = pair.reason == SESSION and opinion.verdict == "not_compared"
        if pair.reason == _ALONE or is_stranger or pair.method not in SAFE_METHODS:
            # one answer alone cannot race with anything; a write cannot be tried twice
            self._verdicts.confirm(pair, opinion, _violations(opinion), ())
        elif not self._put_again(pair, opinion, worker, 1):
            self._without_budget(light(pair), opinion)

    def _repeated(self, message: Repeated) -> None:
        """Count pairs that are like one that came whole: as `_unchecked` does, for there is no budget for them."""
        pair, opinion = message.pair, message.opinion
        if self._policy(pair.route) is None:
            return
        is_known = self._verdicts.is_known(pair, opinion)
        if is_known or not self._waits(pair.route, opinion, partial(self._repeated, message)):
            self._verdicts.repeat(message, is_race=self._is_left_open(pair.route, opinion))

    def _without_budget(self, pair: Pair, opinion: Opinion) -> None:
        if self._policy(pair.route) is None:
            return
        decide = partial(self._without_budget, pair, opinion)
        if opinion.verdict != "different" or not self._waits(pair.route, opinion, decide):
            self._unchecked(pair, opinion, "budget")

    def _waits(self, route: str, opinion: Opinion, decide: Callable[[], None]) -> bool:
        """Whether a pair waits with others of its route for what the first second looks say of them."""
        if not (self._rechecks.may_tell(route) and self._are_open(opinion)):
            return False
        return self._undecided.put(route, decide, len(opinion.payload))

    def _decide(self, route: str) -> None:
        """Decide what waited for a second look of this route, which has come to an end, or let it wait for another."""
        self._rechecks.decided(route)
        for decide in self._undecided.take(route):
            decide()

    def _are_open(self, opinion: Opinion) -> bool:
        """Whether nothing that differs is known to stay when it is looked at again."""
        rechecks = self._rechecks
        return all(rechecks.looks_like_a_race(each.group) or rechecks.is_new(each.group) for each in opinion.found)

    def _is_left_open(self, route: str, opinion: Opinion) -> bool:
        """Whether all that differs has lately vanished when it was looked at again, or is new where most does.

        Of what is new never another status, another type, a missing member, money: these count without a second look.
        """
        rest = [each for each in opinion.found if not self._rechecks.looks_like_a_race(each.group)]
        if not rest:
            return True
        may = self._are_open(opinion) and all(place.may_be_excused for place in places_of(rest))
        return may and self._rechecks.mostly_vanish(route)

    def _put_again(
        self, pair: Pair, opinion: Opinion, worker: Worker, number: int, *, pause: float = 0.0, put_off: int = 0
    ) -> bool:
        """Have both sides asked the `number`th time, `pause` seconds later than usual; False without a budget."""
        policy = self._policy(pair.route)
        violated = bool(_violations(opinion))
        if policy is None or not self._rechecks.may(
            pair.route, policy.recheck_per_minute, violated=violated, found=opinion.found
        ):
            return False
        wait = policy.recheck_after + pause
        self._rechecks.begin(pair, opinion, wait + 2 * policy.timeout, number, put_off)
        self._later(wait, self._send_again, pair.id, worker)
        return True

    def _send_again(self, pair: str, worker: Worker) -> None:
        if not self._send(messages.Again(pair), worker):
            pending = self._rechecks.end(pair)
            if pending is not None:
                self._came_to_nothing(pending, "gone")
                self._decide(pending.pair.route)

    def _opinion(self, pair: Pair, answer: asyncio.Future[Any]) -> Opinion | None:
        """Return what the judge said, None where it could not."""
        if answer.cancelled():
            return None
        error = answer.exception()
        if error is None:
            opinion: Opinion = answer.result()
            return opinion
        reason = error.reason if isinstance(error, NotJudgedError) else "error"
        if reason in ("time", "crash"):
            self._cost_a_judge(pair.route)
        return None

    # ── the second time ────────────────────────────────────────────────────────────────────────────────

    def _judged_again(self, pending: PendingRecheck, pair: Pair, worker: Worker, answer: asyncio.Future[Any]) -> None:
        try:
            self._compare_again(pending, pair, worker, answer)
        finally:
            self._decide(pair.route)

    def _compare_again(self, pending: PendingRecheck, pair: Pair, worker: Worker, answer: asyncio.Future[Any]) -> None:
        again = self._opinion(pair, answer)
        first = pending.opinion
        if again is None or again.verdict == "not_compared":
            self._came_to_nothing(pending, "failed" if again is None else again.reason)
            return
        self._verdicts.observed(pair, again)
        both = {one.name for one in _violations(first)} & {one.name for one in _violations(again)}
        violations = tuple(one for one in again.checked if one.name in both)
        is_wrong = again.verdict == "different" or bool(violations)
        # what changes between two questions may be users' writes: only what stays is beyond doubt
        moves = not _stays(first, again)
        asks = is_wrong and moves and pending.number < MOST_TIMES
        asked = asks and self._put_again(pending.pair, again, worker, pending.number + 1)
        self._remember(pair.route, first, again, asked=asked)
        if asked:
            return
        if is_wrong:
            if moves and not violations and _follows(first, again):
                self._verdicts.transient(pending.pair, first)
            else:
                self._verdicts.confirm(pending.pair, again, violations, ())
        elif first.verdict != "different":
            self._verdicts.settle(pending.pair, first)
        elif again.verdict == "noise" and _is_legacys_own(first, again):
            self._verdicts.noise(pending.pair)
        else:
            self._verdicts.transient(pending.pair, first)

    def _remember(self, route: str, first: Opinion, again: Opinion, *, asked: bool) -> None:
        """Keep what this look says of the route's differences; what stayed but moved is `asked` about once more."""
        if first.verdict == "different" and not (asked and again.verdict == "different"):
            self._rechecks.ended(route, stayed=again.verdict == "different")
        groups = {each.group for each in again.found}
        for each in first.found:
            if each.group not in groups:
                self._rechecks.vanished(each.group)
            elif not asked:
                self._rechecks.stayed(each.group)

    def _not_again(self, pending: PendingRecheck, worker: Worker, why: str) -> None:
        """Decide about a pair of which a worker could not ask again; beside a write, or busy, it may a little later."""
        number, put_off = pending.number + 1, 0
        if why == BUSY:
            # not a look: the sample of the next one would be older than what others have written meanwhile
            number, put_off = pending.number, pending.put_off + 1
            self._rechecks.give_back(pending.pair.route, violated=bool(_violations(pending.opinion)))
        later = why in _LATER and number <= MOST_TIMES and put_off < MOST_TIMES
        again = pending.pair, pending.opinion, worker, number
        if not (later and self._put_again(*again, pause=WRITES_ARE_NEAR, put_off=put_off)):
            self._never_again(pending, why)
        self._decide(pending.pair.route)

    def _never_again(self, pending: PendingRecheck, why: str) -> None:
        if why != RACED:
            self._came_to_nothing(pending, why)
            return
        self._rechecks.ended(pending.pair.route, stayed=None)
        if pending.opinion.verdict == "different":
            self._verdicts.transient(pending.pair, pending.opinion)
        else:
            self._verdicts.settle(pending.pair, pending.opinion)

    def _came_to_nothing(self, pending: PendingRecheck, why: str) -> None:
        """Decide about a pair whose second look could not be taken, or not be judged."""
        self._rechecks.ended(pending.pair.route, stayed=None)
        self._unchecked(pending.pair, pending.opinion, why)

    def _unchecked(self, pair: Pair, opinion: Opinion, why: str) -> None:
        """Decide about a pair that could not be asked again.

        A difference counts all the same, lest a broken route hide behind its budget; only where the same difference
        has lately turned out to be a race, or hardly any of the route's stays, it is left open. A violation alone
        decides nothing: the next one is looked at again.
        """
        if opinion.verdict != "different":
            self._verdicts.settle(pair, opinion)
        elif self._is_left_open(pair.route, opinion):
            self._verdicts.not_compared(pair, SESSION if why == SESSION else "unchecked")
        else:
            self._verdicts.confirm(pair, opinion, (), (f"not asked again: {why}{_CURES.get(why, '')}",))

    # ── questions ──────────────────────────────────────────────────────────────────────────────────────

    async def explain(self, packed: bytes) -> bytes:
        """Return a JSON document that explains a stored pair; NotJudgedError when no judge could."""
        answer = await self._judges.put(Exhibit(self._judges.ticket(), packed), len(packed), first=True)
        return answer.payload if isinstance(answer, Explained) else b"null"

    async def rejudge(self, pair: Pair) -> Opinion:
        """Return the opinion of the current rules on a stored pair; NotJudgedError when no judge could."""
        case = Case(self._judges.ticket(), pair, stored=True)
        answer = await self._judges.put(case, len(pair.legacy.body) + len(pair.modern.body))
        if not isinstance(answer, Opinion):
            raise NotJudgedError("error")
        return answer


def _is_legacys_own(first: Opinion, again: Opinion) -> bool:
    """Whether legacy's two answers differ from each other in every place that `first` found."""
    if not again.observed:
        return False
    varied = {path for path, *_ in orjson.loads(again.observed)}
    return all(each.path in varied for each in first.found)


def _stays(one: Opinion, other: Opinion) -> bool:
    """Whether anything that was wrong is wrong in the same way, with the same values."""
    return bool(_wrong(one) & _wrong(other))


def _follows(before: Opinion, now: Opinion) -> bool:
    """Whether each side says what the other said a moment ago: one value on its way, read at two places.

    A real difference that looks like this stays at the first moment without a write.
    """
    legacy = {(each.group, each.legacy) for each in before.found if each.legacy}
    modern = {(each.group, each.modern) for each in before.found if each.modern}
    return all((each.group, each.modern) in legacy or (each.group, each.legacy) in modern for each in now.found)


def _wrong(opinion: Opinion) -> set[tuple[str, str, str]]:
    # where both say the same it is what sums up the rest of a page
    found = {(each.group, each.legacy, each.modern) for each in opinion.found if each.legacy != each.modern}
    return found | {(one.name, one.left, one.right) for one in _violations(opinion)}


def _violations(opinion: Opinion) -> tuple[Checked, ...]:
    return tuple(one for one in opinion.checked if one.state == VIOLATED)
