"""Which differences somebody has said are known, and whether they still keep within what was said.

A known difference goes on being counted. It is forgiven until its day has come, as long as it is not more frequent
than it may be.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from proxy.storage.diff_store import Known
from rules.model import Snapshot

WINDOW = 600.0
FEWEST = 20
"""Pairs of a route within the window before a rate says anything."""
_KEPT = 5000


class Rates:
    """How frequent something was among a route's compared pairs lately; the events leave after `WINDOW` seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events: dict[str, deque[tuple[float, tuple[str, ...]]]] = {}
        self._counts: dict[str, Counter[str]] = {}

    def note(self, route: str, things: Iterable[str]) -> None:
        """One pair of `route` was compared, these things were in it."""
        events = self._events.setdefault(route, deque())
        counts = self._counts.setdefault(route, Counter())
        there = tuple(things)
        now = self._clock()
        events.append((now, there))
        counts.update(there)
        while events and (events[0][0] < now - WINDOW or len(events) > _KEPT):
            counts.subtract(events.popleft()[1])

    def over(self, route: str, thing: str, most: float | None) -> bool:
        """Whether `thing` was in more than the share `most` of the pairs; None is no limit."""
        seen = len(self._events.get(route, ()))
        return most is not None and seen >= FEWEST and self._counts[route][thing] > most * seen


class KnownDifferences:
    """What was said at run time, by group. `_known` changes by `learn`, from the store or by an operator."""

    def __init__(self, rates: Rates, today: Callable[[], str]) -> None:
        self._known: dict[str, Known] = {}
        self._rates = rates
        self._today = today

    def learn(self, known: Mapping[str, Known]) -> None:
        """Replace all that is known."""
        self._known = dict(known)

    def set(self, group: str, known: Known | None) -> None:
        """Say that one group is known, or not any more."""
        if known is None:
            self._known.pop(group, None)
        else:
            self._known[group] = known

    def forgives(self, route: str, group: str) -> bool:
        """Whether a difference of this group is not to count as a mismatch now."""
        known = self._known.get(group)
        if known is None or (known.until and known.until < self._today()):
            return False
        return not self._rates.over(route, group, known.max_rate)


def limited_ignores(snapshot: Snapshot) -> dict[str, dict[str, float]]:
    """Return the ignored paths of the file that have a `max_rate`, by route."""
    limits: dict[str, dict[str, float]] = {}
    for route in snapshot.routes:
        ignored: list[Any] = list(route.compare.get("ignore", ()))
        found = {one["path"]: share(one["max_rate"]) for one in ignored if isinstance(one, dict) and "max_rate" in one}
        if found:
            limits[route.name] = found
    return limits


def share(written: float | str) -> float:
    """Return a share as the file may write it, `5%` or `0.05`; it was checked when the file was loaded."""
    if isinstance(written, str):
        text = written.strip()
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    return float(written)
