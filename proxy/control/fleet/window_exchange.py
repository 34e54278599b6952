"""Exchanges windows with other instances each second.

1. outcomes of this instance since the last time are packed; undelivered ones wait for a few seconds
2. one message goes to the store, the others' messages come back with its answer
3. they are added to the merged windows, each message once even if it comes twice

Nothing waits for it. An instance that receives nothing judges alone, as without others.
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
    InstanceReport,
    RouteShare,
    compared_share,
    pack,
    side_share,
    unpack_share,
)
from proxy.storage.store import StoreError
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import LIVE
from rules.guard.rollout import concerns
from rules.guard.window import ComparedTally, Tally, added
from rules.model import LEGACY, MODERN

# Collects this instance's outcomes for the others, as increments since the last message.
#
# Only routes that are judged are included: with users on modern, with a mirror, on a step. What is not delivered for
# a few seconds is lost to the others, never to this instance's own judging.


MOST_WAITING = 5
"""Messages that wait for a store that does not answer; the oldest are dropped."""


class _Row:
    """The outcomes of one route since its last message; every field grows but `waiting`, which is of one second."""

    def __init__(self) -> None:
        self.sides = {LEGACY: Tally(), MODERN: Tally()}
        self.waiting: dict[str, dict[int, int]] = {LEGACY: {}, MODERN: {}}
        self.waiting_at = 0
        self.pairs = [0] * len(PAIR_COLUMNS)

    def add_outcomes(self, second: int, report: SideOutcomes) -> None:
        """Add one worker's second of one side."""
        self.sides[report.side].merge(unpack(report))
        if second > self.waiting_at:
            self.waiting_at, self.waiting = second, {LEGACY: {}, MODERN: {}}
        there = self.waiting[report.side]
        for step, count in report.waiting:
            there[step] = there.get(step, 0) + count

    def add_pairs(self, report: PairCounts) -> None:
        """Add one worker's second of mirrored requests."""
        self.pairs = [there + getattr(report, column) for there, column in zip(self.pairs, PAIR_COLUMNS, strict=True)]

    def share(self, route: str, rules: str, revision: int, compared: ComparedTally) -> RouteShare:
        """Return the row as it is sent."""
        legacy, modern = (side_share(self.sides[side], self.waiting[side]) for side in (LEGACY, MODERN))
        counts, reasons = compared_share(compared)
        pairs = tuple(self.pairs) if any(self.pairs) else ()
        return RouteShare(route, rules, revision, legacy, modern, pairs, counts, reasons)


class WindowPublisher:
    """This run of this instance, as sent to the others.

    `_rows` fill with `record_outcomes`, are emptied by `pack`, the longest waiting first. `_compared` is what was sent
    of mirrored requests so far. `_waiting` holds what was packed, until it is `through`. `revision` returns that of
    the override of a route, `is_judged` whether its window decides anything now.
    """

    def __init__(
        self,
        name: str,
        windows: RouteWindows,
        judged: Judged,
        *,
        revision: Callable[[str], int],
        is_judged: Callable[[str], bool],
        clock: Callable[[], float],
    ) -> None:
        self.run = token_hex(8)
        self._name = name
        self._windows = windows
        self._judged = judged
        self._revision = revision
        self._is_judged = is_judged
        self._clock = clock
        self._number = 0
        self._rows: dict[str, _Row] = {}
        self._compared: dict[str, ComparedTally] = {}
        self._waiting: deque[tuple[float, InstanceReport]] = deque(maxlen=MOST_WAITING)

    def restart(self, route: str) -> None:
        """Drop unsent outcomes of a route: its window was restarted."""
        self._rows.pop(route, None)
        self._compared[route] = self._judged.totals(route)

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one worker's second."""
        counts_from = self._windows.since
        for side in outcomes.sides:
            if side.role == LIVE and side.generation >= counts_from.get(side.route, side.generation + 1):
                self._row(side.route).add_outcomes(outcomes.second, side)
        for pairs in outcomes.pairs:
            if pairs.generation >= counts_from.get(pairs.route, pairs.generation + 1):
                self._row(pairs.route).add_pairs(pairs)

    def pack(self, routes: Iterable[str]) -> None:
        """Pack the outcomes of these routes into a message."""
        judged = {name for name in routes if self._is_judged(name)}
        for name in judged - self._rows.keys():
            if self._judged.totals(name) != self._compared.get(name, ComparedTally()):
                self._row(name)
        self._rows = {name: row for name, row in self._rows.items() if name in judged}
        report = tuple(self._share(name) for name in tuple(self._rows)[:MOST_ROUTES])
        if report:
            self._number += 1
            payload = pack(self._name, report)
            self._waiting.append((self._clock(), InstanceReport(self.run, self._number, 0.0, payload)))

    def waiting(self) -> tuple[InstanceReport, ...]:
        """Return undelivered messages, each with its age."""
        now = self._clock()
        return tuple(InstanceReport(one.run, one.number, max(0.0, now - at), one.payload) for at, one in self._waiting)

    def through(self, report: Iterable[InstanceReport]) -> None:
        """Note that this message is in the store."""
        numbers = {one.number for one in report}
        left = [each for each in self._waiting if each[1].number not in numbers]
        self._waiting.clear()
        self._waiting.extend(left)

    def _row(self, route: str) -> _Row:
        return self._rows.setdefault(route, _Row())

    def _share(self, name: str) -> RouteShare:
        row, totals = self._rows.pop(name), self._judged.totals(name)
        news = since(totals, self._compared.get(name, ComparedTally()))
        self._compared[name] = totals
        return row.share(name, self._windows.digest(name), self._revision(name), news)


EVERY = 1.0
LATELY = 2 * TOLD_FOR
"""Seconds after which a silent run of an instance is dropped."""
MOST_COMPLAINTS = 100
REFUSED_AFTER = 5
"""Consecutive failures of a store that works otherwise: it is too old, or denies access to its streams."""
WHERE = "exchange of windows"


class WindowExchange:
    """This instance among those whose traffic is judged as one.

    `merged` grows with received messages. `_place` is the position read, `_received_at` its time (monotonic), `_runs`
    the last message of each run with the time it came, `_unread` the runs whose messages cannot be read here,
    `_failed` the recent failures. `answers` returns whether the store is known to answer.
    """

    def __init__(
        self,
        fleet: Fleet,
        name: str,
        current: Callable[[], Current],
        windows: RouteWindows,
        judged: Judged,
        emit: Emit,
        clock: Callable[[], float] = monotonic,
        answers: Callable[[], bool] = lambda: True,
    ) -> None:
        self._name = name
        self._fleet = fleet
        self._answers = answers
        self._failed = 0
        self._current = current
        self._judged = judged
        self._emit = emit
        self._clock = clock
        self._place = ""
        self._received_at: float | None = None
        self._runs: dict[str, tuple[int, float]] = {}
        self._unread: set[str] = set()
        configuration = current().configuration
        self.merged = MergedWindows(configuration.snapshot, configuration.number, self._revision)
        self._publisher = WindowPublisher(
            name, windows, judged, revision=self._revision, is_judged=self._is_judged, clock=clock
        )

    async def run(self) -> None:
        """Exchange for ever."""
        while True:
            try:
                await self.exchange()
            except Exception as error:  # noqa: BLE001 - the next second comes all the same
                if not self._failed:
                    self._emit(events.UNEXPECTED, "error", where=WHERE, error=repr(error))
                self._failed += 1
            await asyncio.sleep(EVERY)

    async def exchange(self) -> None:
        """Exchange once; a silent store is reported elsewhere."""
        began = self._clock()
        self._publisher.pack(route.name for route in self._current().configuration.snapshot.routes)
        own = self._publisher.waiting()
        try:
            result = await self._fleet.exchange(own, self._place)
        except StoreError as error:
            self._failed += 1
            if self._failed == REFUSED_AFTER and self._answers():
                self._emit(events.UNEXPECTED, "warning", where=WHERE, error=str(error))
            return
        self._publisher.through(own)
        self._place, self._received_at = result.place, began
        now = self._clock()
        for one in result.reports:
            if one.run != self._publisher.run and one.number > self._runs.get(one.run, (0, 0.0))[0]:
                self._runs[one.run] = one.number, now
                self._merge_windows(one, now)
                await asyncio.sleep(0)  # a millisecond each: other tasks need the loop as well
        self._runs = {run: last for run, last in self._runs.items() if now - last[1] < LATELY}
        self._failed = 0

    def is_receiving(self) -> bool:
        """Whether the others' outcomes are known; without them this instance judges alone and advances no route."""
        return self._received_at is not None and self._clock() - self._received_at < LEASE_SECONDS

    def others(self, route: str) -> tuple[str, ...]:
        """Return the instances whose traffic is judged with ours, none when nothing is received."""
        if not self.is_receiving():
            return ()
        # under our own name there may be messages of an earlier run of this instance
        return tuple(name for name in self.merged.others(route, int(self._clock())) if name != self._name)

    def standing(self, route: str) -> dict[str, Any]:
        """Return the status members of a route about all instances: whose traffic is judged as one, its figures."""
        now, merged = int(self._clock()), self.merged
        compared = added(self._judged.counts(route), merged.compared(route, now))
        return {
            "heard": self.is_receiving(),
            "with": list(self.others(route)),
            "left_out": merged.left_out(route, now),
            **{side: _side(merged.windows.lately(route, side, now)) for side in (LEGACY, MODERN)},
            "compare": {
                "equal": compared.equal,
                "different": compared.different,
                "noise": compared.noise,
                "mismatch_rate": compared.mismatch_rate,
            },
        }

    # ── recording ──────────────────────────────────────────────────────────────────────────────

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one second of one of our own workers."""
        self.merged.record_outcomes(outcomes)
        self._publisher.record_outcomes(outcomes)

    def restart(self, route: str, number: int) -> None:
        """Restart one route: what was decided before generation `number` does not count any more."""
        self.merged.restart(route, number)
        self._publisher.restart(route)

    def apply_configuration(self, now: Current) -> None:
        """Apply another file; changed routes are restarted."""
        for route in self.merged.apply_snapshot(now.configuration.snapshot, now.configuration.number):
            self._publisher.restart(route)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _merge_windows(self, report: InstanceReport, now: float) -> None:
        try:
            self.merged.merge_share(unpack_share(report.payload), report.ago, now)
        except CodecError as error:
            if report.run not in self._unread and len(self._unread) < MOST_COMPLAINTS:
                self._unread.add(report.run)
                self._emit(events.UNEXPECTED, "warning", where=WHERE, error=str(error))

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
