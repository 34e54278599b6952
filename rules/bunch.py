"""All lanes of one path, in the order in which they are tried.

One path may carry a thousand routes, told apart by a parameter (`index.php?r=…`), a host or a header. Then the
condition that most of them name is looked up first, so that only lanes with the right value are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rules.conditions import Condition, value_of, weight_of
from rules.lane import Lane
from rules.model import Facts

_WORTH_A_FORK = 4


class Bunch:
    """Lanes of one path; nothing in it changes. With a `probe` the lanes are `forked`, else simply `lanes`."""

    __slots__ = ("_by_value", "_loose", "lanes", "probe")

    def __init__(self, lanes: list[Lane]) -> None:
        self.lanes: tuple[Lane, ...] = tuple(sorted(lanes, key=lambda lane: -weight_of(lane.route.match)))
        self.probe: Condition | None = _telling(self.lanes)
        self._by_value: dict[str | None, tuple[Lane, ...]] = {}
        self._loose: tuple[Lane, ...] = ()
        if self.probe is not None:
            self._fork(self.probe)

    def forked(self, facts: Facts) -> tuple[Lane, ...]:
        """Return the lanes that can take this request, by the value of the one telling condition."""
        if self.probe is None:
            return self.lanes
        return self._by_value.get(value_of(self.probe, facts), self._loose)

    def replaced(self, lanes: Mapping[str, Lane]) -> Bunch:
        """Return this bunch with other lanes of the same routes, by name; itself where none is concerned."""
        if not any(lane.route.name in lanes for lane in self.lanes):
            return self
        return Bunch([lanes.get(lane.route.name, lane) for lane in self.lanes])

    def _fork(self, probe: Condition) -> None:
        wanted = [_exact(lane, probe) for lane in self.lanes]
        self._loose = tuple(lane for lane, value in zip(self.lanes, wanted, strict=True) if value is None)
        places: dict[str, list[int]] = {}
        loose = [at for at, value in enumerate(wanted) if value is None]
        for at, value in enumerate(wanted):
            if value is not None:
                places.setdefault(value, []).append(at)
        for value, found in places.items():
            self._by_value[value] = tuple(self.lanes[at] for at in sorted((*found, *loose)))


def _telling(lanes: tuple[Lane, ...]) -> Condition | None:
    """Return the condition most lanes want an exact value of; None where trying them in turn is as good."""
    if len(lanes) <= _WORTH_A_FORK:
        return None
    named: dict[tuple[str, str], Condition] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for lane in lanes:
        for condition in lane.conditions:
            if condition.exact is not None:
                key = condition.kind, condition.name
                named.setdefault(key, condition)
                counts[key] += 1
    if not counts:
        return None
    key, count = counts.most_common(1)[0]
    return named[key] if count > 1 else None


def _exact(lane: Lane, probe: Condition) -> str | None:
    for condition in lane.conditions:
        if condition.kind == probe.kind and condition.name == probe.name:
            return condition.exact
    return None
