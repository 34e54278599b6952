"""Collects what the other instances are to hear of this one's routes, as increments since they were told last.

Only routes that are judged are told of: with users on modern, with a mirror, on a step. What does not get through for
a few seconds is lost to the others, never to this instance's own judging.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from secrets import token_hex

from proxy.ipc.messages import Outcomes, PairCounts, SideOutcomes
from proxy.operating.figures import Figures
from proxy.operating.judged import Judged, since
from proxy.state.request_outcomes import unpack
from proxy.storage.fleet import MOST_ROUTES, PAIR_COLUMNS, RouteShare, Told, compared_share, pack, side_share
from proxy.telemetry.metric_names import LIVE
from rules.guard.window import ComparedTally, Tally
from rules.model import LEGACY, MODERN

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


class Telling:
    """This run of this instance, as the others hear of it.

    `_rows` fill with `take`, are emptied by `pack`, the longest waiting first. `_compared` is what was told of mirrored
    requests so far. `_waiting` holds what was packed, until it is `through`. `revision` returns that of what is set
    for a route, `is_judged` whether its window decides anything now.
    """

    def __init__(
        self,
        name: str,
        figures: Figures,
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
