"""Adds up the pairs about which control has nothing to decide, until they are reported together."""

from __future__ import annotations

from collections import Counter
from typing import Final

from proxy.ipc.judge_messages import Opinion, RouteTally, Tallied
from proxy.ipc.messages import Pair
from proxy.telemetry.request_kinds import News
from rules.invariants import VIOLATED
from rules.model import LEGACY

_ALONE: Final = "alone"
_COUNT: Final = ("equal", "noise")


def is_settled(opinion: Opinion) -> bool:
    """Whether a pair can only be counted: nothing differs, nothing is broken, nothing is to be learned from it."""
    if opinion.verdict == "different" or opinion.found or opinion.observed:
        return False
    return not any(one.state == VIOLATED for one in opinion.checked)


class _Row:
    """One route under one generation."""

    __slots__ = ("checked", "compared", "forgiven", "rated", "results", "sampled")

    def __init__(self) -> None:
        self.results: Counter[tuple[str, str]] = Counter()
        self.forgiven: Counter[str] = Counter()
        self.checked: Counter[tuple[str, str]] = Counter()
        self.rated: Counter[str] = Counter()
        self.compared = 0
        self.sampled = 0


class Tally:
    """Rows that fill with `count_opinion`, are emptied by `drain_counts`.

    Which kinds of request were compared is reported once.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], _Row] = {}
        self._kinds = News()

    def count_opinion(self, pair: Pair, opinion: Opinion) -> None:
        """Count a pair that `is_settled`."""
        row = self._row(pair.route, pair.generation)
        for rule, times in opinion.forgiven:
            row.forgiven[rule] += times
            row.rated[rule] += 1
        row.sampled += opinion.sampled
        for one in opinion.checked:
            row.checked[one.name, one.state] += 1
        if opinion.verdict != "not_compared":
            row.compared += 1
        if pair.reason == _ALONE:
            return  # there was nothing to compare: it was never eligible
        row.results[opinion.verdict, opinion.reason if opinion.verdict == "not_compared" else ""] += 1
        if opinion.verdict in _COUNT:
            status = (pair.legacy if pair.live_side == LEGACY else pair.modern).status
            self._kinds.note(pair.route, pair.generation, pair.method, pair.path, status, compared=True)

    def drain_counts(self, done: tuple[tuple[int, int, int], ...] = ()) -> Tallied:
        """Return what was counted since the last call; `done` says how many pairs of each worker that makes."""
        kinds = self._kinds.drain_kinds()
        for key in kinds:
            self._row(*key)
        rows, self._rows = self._rows, {}
        packed = tuple(_packed(*key, row, kinds.get(key, ([], []))[1]) for key, row in rows.items())
        return Tallied(packed, done)

    def _row(self, route: str, generation: int) -> _Row:
        row = self._rows.get((route, generation))
        if row is None:
            row = self._rows[route, generation] = _Row()
        return row


def _packed(route: str, generation: int, row: _Row, kinds: list[str]) -> RouteTally:
    return RouteTally(
        route,
        generation,
        tuple((*result, count) for result, count in row.results.items()),
        tuple(row.forgiven.items()),
        tuple((*state, count) for state, count in row.checked.items()),
        tuple(kinds),
        row.compared,
        tuple(row.rated.items()),
        row.sampled,
    )
