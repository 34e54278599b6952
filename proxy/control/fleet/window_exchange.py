"""Exchanges windows with other instances each second.

1. what this instance saw since the last time is packed; what did not get through waits for a few seconds
2. one message goes to the store, what the others told meanwhile comes back with its answer
3. it is added to the merged windows, each message once, whoever is told twice

Nobody waits for it. Whoever hears nothing judges alone, as without others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from secrets import token_hex
from time import monotonic
from typing import Any

from proxy.control.fleet.merged_windows import MergedWindows
from proxy.control.reload import Current
from proxy.control.route_evidence import Judged, RouteWindows, since
from proxy.ipc.codec import CodecError
from proxy.ipc.messages import Outcomes, PairCounts, SideOutcomes
from proxy.state.request_outcomes import unpack
from proxy.storage.fleet import (
    LEASE_SECONDS,
    MOST_ROUTES,
    PAIR_COLUMNS,
    TOLD_FOR,
    Fleet,
    RouteShare,
    Told,
    compared_share,
    pack,
    side_share,
    unpack_share,
)
from proxy.storage.store import StoreError
from proxy.telemetry import events
from proxy.telemetry.events import Tell
from proxy.telemetry.metric_names import LIVE
from rules.guard.rollout import concerns
from rules.guard.window import ComparedTally, Tally, added
from rules.model import LEGACY, MODERN

# Collects what the other instances are to hear of this one's routes, as increments since they were told last.
#
# Only routes that are judged are told of: with users on modern, with a mirror, on a step. What does not get through for
# a few seconds is lost to the others, never to this instance's own judging.


MOST_WAITING = 5
"""Messages that wait for a store that does not answer; the oldest go."""


class _Row:
    """What has happened on one route since it was told of; every field grows but `waiting`, which is of one second."""

    def __init__(self) -> None:
        self.sides = {LEGACY: Tally(), MODERN: Tally()}
        self.waiting: dict[str, dict[int, int]] = {LEGACY: {}, MODERN: {}}
        self.waiting_at = 0
        self.pairs = [0] * len(PAIR_COLUMNS)

    def add(self, second: int, told: SideOutcomes) -> None:
        """Add one worker's second of one side."""
        self.sides[told.side].merge(unpack(told))
        if second > self.waiting_at:
            self.waiting_at, self.waiting = second, {LEGACY: {}, MODERN: {}}
        there = self.waiting[told.side]
        for step, count in told.waiting:
            there[step] = there.get(step, 0) + count

    def add_pairs(self, told: PairCounts) -> None:
        """Add one worker's second of mirrored requests."""
        self.pairs = [there + getattr(told, column) for there, column in zip(self.pairs, PAIR_COLUMNS, strict=True)]

    def share(self, route: str, rules: str, revision: int, compared: ComparedTally) -> RouteShare:
        """Return the row as it is told."""
        legacy, modern = (side_share(self.sides[side], self.waiting[side]) for side in (LEGACY, MODERN))
        counts, reasons = compared_share(compared)
        pairs = tuple(self.pairs) if any(self.pairs) else ()
        return RouteShare(route, rules, revision, legacy, modern, pairs, counts, reasons)


class WindowPublisher:
    """This run of this instance, as the others hear of it.

    `_rows` fill with `take`, are emptied by `pack`, the longest waiting first. `_compared` is what was told of mirrored
    requests so far. `_waiting` holds what was packed, until it is `through`. `revision` returns that of what is set
    for a route, `is_judged` whether its window decides anything now.
    """

    def __init__(
        self,
        name: str,
        figures: RouteWindows,
        judged: Judged,
        *,
        revision: Callable[[str], int],
        is_judged: Callable[[str], bool],
        clock: Callable[[], float],
    ) -> None:
        self.run = token_hex(8)
        self._name = name
        self._figures = figures
        self._judged = judged
        self._revision = revision
        self._is_judged = is_judged
        self._clock = clock
        self._number = 0
        self._rows: dict[str, _Row] = {}
        self._compared: dict[str, ComparedTally] = {}
        self._waiting: deque[tuple[float, Told]] = deque(maxlen=MOST_WAITING)

    def restart(self, route: str) -> None:
        """Have nothing more to tell of what was before: the route's window has begun anew."""
        self._rows.pop(route, None)
        self._compared[route] = self._judged.totals(route)

    def take(self, outcomes: Outcomes) -> None:
        """Add one worker's second."""
        counts_from = self._figures.since
        for side in outcomes.sides:
            if side.role == LIVE and side.generation >= counts_from.get(side.route, side.generation + 1):
                self._row(side.route).add(outcomes.second, side)
        for pairs in outcomes.pairs:
            if pairs.generation >= counts_from.get(pairs.route, pairs.generation + 1):
                self._row(pairs.route).add_pairs(pairs)

    def pack(self, routes: Iterable[str]) -> None:
        """Make a message of what there is to tell of these routes."""
        judged = {name for name in routes if self._is_judged(name)}
        for name in judged - self._rows.keys():
            if self._judged.totals(name) != self._compared.get(name, ComparedTally()):
                self._row(name)
        self._rows = {name: row for name, row in self._rows.items() if name in judged}
        told = tuple(self._share(name) for name in tuple(self._rows)[:MOST_ROUTES])
        if told:
            self._number += 1
            payload = pack(self._name, told)
            self._waiting.append((self._clock(), Told(self.run, self._number, 0.0, payload)))

    def waiting(self) -> tuple[Told, ...]:
        """Return what is not through yet, each with its age."""
        now = self._clock()
        return tuple(Told(one.run, one.number, max(0.0, now - at), one.payload) for at, one in self._waiting)

    def through(self, told: Iterable[Told]) -> None:
        """Hear that this is with the store."""
        numbers = {one.number for one in told}
        left = [each for each in self._waiting if each[1].number not in numbers]
        self._waiting.clear()
        self._waiting.extend(left)

    def _row(self, route: str) -> _Row:
        return self._rows.setdefault(route, _Row())

    def _share(self, name: str) -> RouteShare:
        row, totals = self._rows.pop(name), self._judged.totals(name)
        news = since(totals, self._compared.get(name, ComparedTally()))
        self._compared[name] = totals
        return row.share(name, self._figures.digest(name), self._revision(name), news)


EVERY = 1.0
LATELY = 2 * TOLD_FOR
"""Seconds after which a run of an instance that tells nothing any more is not remembered."""
MOST_COMPLAINTS = 100
REFUSED_AFTER = 5
"""Failures in a row of a store that answers all else: it is too old, or we have no right to its streams."""
WHERE = "exchange of windows"


class WindowExchange:
    """This instance among those whose traffic is judged as one.

    `merged` grows with what is heard. `_place` is how far we have read, `_heard_at` when that was (monotonic), `_runs`
    the last message of each run with the time it came, `_unread` the runs whose messages nobody here can read,
    `_failed` how often it did not work lately. `answers` tells whether the store does, as far as anybody knows.
    """

    def __init__(
        self,
        fleet: Fleet,
        name: str,
        current: Callable[[], Current],
        figures: RouteWindows,
        judged: Judged,
        tell: Tell,
        clock: Callable[[], float] = monotonic,
        answers: Callable[[], bool] = lambda: True,
    ) -> None:
        self._name = name
        self._fleet = fleet
        self._answers = answers
        self._failed = 0
        self._current = current
        self._judged = judged
        self._tell = tell
        self._clock = clock
        self._place = ""
        self._heard_at: float | None = None
        self._runs: dict[str, tuple[int, float]] = {}
        self._unread: set[str] = set()
        configuration = current().configuration
        self.merged = MergedWindows(configuration.snapshot, configuration.number, self._revision)
        self._telling = WindowPublisher(
            name, figures, judged, revision=self._revision, is_judged=self._is_judged, clock=clock
        )

    async def run(self) -> None:
        """Exchange for ever."""
        while True:
            try:
                await self.exchange()
            except Exception as error:  # noqa: BLE001 - the next second comes all the same
                if not self._failed:
                    self._tell(events.UNEXPECTED, "error", where=WHERE, error=repr(error))
                self._failed += 1
            await asyncio.sleep(EVERY)

    async def exchange(self) -> None:
        """Tell and hear once; silence of the store is told elsewhere."""
        began = self._clock()
        self._telling.pack(route.name for route in self._current().configuration.snapshot.routes)
        own = self._telling.waiting()
        try:
            heard = await self._fleet.exchange(own, self._place)
        except StoreError as error:
            self._failed += 1
            if self._failed == REFUSED_AFTER and self._answers():
                self._tell(events.UNEXPECTED, "warning", where=WHERE, error=str(error))
            return
        self._telling.through(own)
        self._place, self._heard_at = heard.place, began
        now = self._clock()
        for one in heard.told:
            if one.run != self._telling.run and one.number > self._runs.get(one.run, (0, 0.0))[0]:
                self._runs[one.run] = one.number, now
                self._hear(one, now)
                await asyncio.sleep(0)  # a millisecond each: others want the loop as well
        self._runs = {run: last for run, last in self._runs.items() if now - last[1] < LATELY}
        self._failed = 0

    def is_heard(self) -> bool:
        """Whether we know what the others see; who does not judges alone, sends nobody forward."""
        return self._heard_at is not None and self._clock() - self._heard_at < LEASE_SECONDS

    def others(self, route: str) -> tuple[str, ...]:
        """Return whose traffic is to be judged with ours, nobody's when we hear nothing."""
        if not self.is_heard():
            return ()
        # under our own name an earlier run of this instance may be heard
        return tuple(name for name in self.merged.others(route, int(self._clock())) if name != self._name)

    def standing(self, route: str) -> dict[str, Any]:
        """Return what the status of a route says of all instances: whose traffic is judged as one, its figures."""
        now, merged = int(self._clock()), self.merged
        compared = added(self._judged.counts(route), merged.compared(route, now))
        return {
            "heard": self.is_heard(),
            "with": list(self.others(route)),
            "left_out": merged.left_out(route, now),
            **{side: _side(merged.figures.lately(route, side, now)) for side in (LEGACY, MODERN)},
            "compare": {
                "equal": compared.equal,
                "different": compared.different,
                "noise": compared.noise,
                "mismatch_rate": compared.mismatch_rate,
            },
        }

    # ── what happens here ──────────────────────────────────────────────────────────────────────────────

    def take(self, outcomes: Outcomes) -> None:
        """Add a second of one of our own workers."""
        self.merged.take(outcomes)
        self._telling.take(outcomes)

    def restart(self, route: str, number: int) -> None:
        """Begin anew with one route: what was decided before generation `number` does not count any more."""
        self.merged.restart(route, number)
        self._telling.restart(route)

    def follow(self, now: Current) -> None:
        """Know another file; routes whose own rules changed begin anew."""
        for route in self.merged.follow(now.configuration.snapshot, now.configuration.number):
            self._telling.restart(route)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, told: Told, now: float) -> None:
        try:
            self.merged.hear(unpack_share(told.payload), told.ago, now)
        except CodecError as error:
            if told.run not in self._unread and len(self._unread) < MOST_COMPLAINTS:
                self._unread.add(told.run)
                self._tell(events.UNEXPECTED, "warning", where=WHERE, error=str(error))

    def _revision(self, route: str) -> int:
        override = self._current().generation.overrides.get(route)
        return override.revision if override is not None else 0

    def _is_judged(self, name: str) -> bool:
        current = self._current()
        compiled = current.generation.table.compiled_route_of(name)
        if compiled is None or compiled.route.guard is None:
            return False
        return concerns(compiled.route, current.generation.overrides.get(name))


def _side(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "error_rate": tally.error_rate,
        "p95": tally.percentile(0.95),
    }
