"""Counts the copies that a worker puts to a side, apart from what users wait for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from proxy.metrics.counting import Row
from proxy.metrics.names import (
    CODES,
    DURATION,
    DURATION_BOUNDS,
    NO_ANSWER,
    REQUESTS,
    SHADOW,
    SHADOW_DROPPED,
)
from proxy.observe import Attempt
from proxy.shadowed import Shadowed
from proxy.state.pairs import DROPPED


class _Copies:
    """One side of one route; `fresh` when something was not reported yet."""

    __slots__ = ("codes", "duration", "fresh", "seconds")

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.duration = [0] * (len(DURATION_BOUNDS) + 1)
        self.seconds = 0.0
        self.fresh = False


class ShadowCounts:
    """An observer of shadows; values count from this worker's start."""

    def __init__(self) -> None:
        self._copies: dict[tuple[str, str], _Copies] = {}
        self._dropped: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, str], int] = {}

    def observe(self, shadowed: Shadowed) -> None:
        """Count one mirrored request."""
        self.observe_all((shadowed,))

    def observe_all(self, records: Sequence[Shadowed]) -> None:
        """Count mirrored requests."""
        dropped = self._dropped
        for record in records:
            reason = record.reason
            if reason and reason in DROPPED:
                key = record.route, reason
                dropped[key] = dropped.get(key, 0) + 1
            for attempt, seconds in record.calls:
                self._add(record.route, attempt, seconds)

    def keep_only(self, routes: Iterable[str]) -> None:
        """Forget the routes that no generation names any more."""
        wanted = set(routes)
        self._copies = {key: copies for key, copies in self._copies.items() if key[0] in wanted}
        self._dropped = {key: count for key, count in self._dropped.items() if key[0] in wanted}

    def resend(self) -> None:
        """Report everything the next time: the listener is a new one."""
        self._told.clear()
        for copies in self._copies.values():
            copies.fresh = True

    def changed(self) -> list[Row]:
        """Return the rows that changed since the last call."""
        rows: list[Row] = []
        for (route, side), copies in self._copies.items():
            if copies.fresh:
                copies.fresh = False
                rows += [(REQUESTS.name, (route, side, SHADOW, code), (count,)) for code, count in copies.codes.items()]
                rows.append((DURATION.name, (route, side, SHADOW), (*copies.duration, copies.seconds)))
        for key, count in self._dropped.items():
            if self._told.get(key) != count:
                self._told[key] = count
                rows.append((SHADOW_DROPPED.name, key, (count,)))
        return rows

    def _add(self, route: str, attempt: Attempt, seconds: float) -> None:
        key = route, attempt.side
        copies = self._copies.get(key)
        if copies is None:
            copies = self._copies[key] = _Copies()
        code = CODES[attempt.status // 100 - 1] if attempt.status else NO_ANSWER
        copies.codes[code] = copies.codes.get(code, 0) + 1
        copies.duration[bisect_left(DURATION_BOUNDS, seconds)] += 1
        copies.seconds += seconds
        copies.fresh = True
