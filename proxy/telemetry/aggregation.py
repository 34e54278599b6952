"""Sums of all workers; one recent request for each histogram bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from proxy.telemetry.metric_names import BY_NAME, COUNTER, GAUGE_MAX, HISTOGRAM

Key = tuple[str, tuple[str, ...]]
Values = tuple[float, ...]
Worker = tuple[int, int]
"""Slot with incarnation."""


class Totals:
    """The sums. `_reported` holds each running worker's latest rows, `_dead` the counts of ended ones."""

    def __init__(self) -> None:
        self._reported: dict[Worker, dict[Key, Values]] = {}
        self._dead: dict[Key, Values] = {}

    def report(self, worker: Worker, rows: Iterable[tuple[str, tuple[str, ...], Values]]) -> None:
        """Take the rows of `worker` that changed; each value counts from that worker's start."""
        mine = self._reported.setdefault(worker, {})
        for name, labels, values in rows:
            key = name, labels
            before = mine.get(key)
            # a worker that dropped a route, then got it again, counts it from zero
            if before is not None and _counts(name) and sum(values[:-1] or values) < sum(before[:-1] or before):
                self._add_dead(key, before)
            mine[key] = values

    def keep_only(self, alive: Iterable[Worker]) -> None:
        """Remove every other worker: its gauges go, its counts stay."""
        wanted = set(alive)
        for worker in [worker for worker in self._reported if worker not in wanted]:
            for key, values in self._reported.pop(worker).items():
                if _counts(key[0]):
                    self._add_dead(key, values)

    def sums(self) -> dict[Key, Values]:
        """Return one value for each metric with its labels, over all workers."""
        sums = dict(self._dead)
        for rows in self._reported.values():
            for key, values in rows.items():
                before = sums.get(key)
                if before is None:
                    sums[key] = values
                elif (metric := BY_NAME.get(key[0])) and metric.kind == GAUGE_MAX:
                    sums[key] = (max(before[0], values[0]),)
                else:
                    sums[key] = _added(before, values)
        return sums

    def _add_dead(self, key: Key, values: Values) -> None:
        before = self._dead.get(key)
        self._dead[key] = values if before is None else _added(before, values)


def _counts(name: str) -> bool:
    metric = BY_NAME.get(name)
    return metric is not None and metric.kind in (COUNTER, HISTOGRAM)


def _added(left: Values, right: Values) -> Values:
    return tuple(map(sum, zip(left, right, strict=True)))


# Keeps one recent request for each bucket of each histogram, so that a slow bucket on a chart leads to a trace.


class Exemplar(NamedTuple):
    """One request that a histogram counted: its trace (32 digits), its value (seconds), its end (epoch seconds)."""

    name: str
    labels: tuple[str, ...]
    bucket: int
    trace: str
    value: float
    at: float


Latest = Mapping[tuple[Key, int], Exemplar]
"""By series and number of the bucket."""


class Exemplars:
    """The latest of all workers.

    `latest` changes with `merge_exemplars`, `keep_only`; it is as large as there are buckets.
    """

    def __init__(self) -> None:
        self.latest: dict[tuple[Key, int], Exemplar] = {}

    def merge_exemplars(self, exemplars: Iterable[Exemplar]) -> None:
        """Add a worker's exemplars; the latest stays, whichever comes first: Prometheus wants them in order."""
        for exemplar in exemplars:
            place = (exemplar.name, exemplar.labels), exemplar.bucket
            before = self.latest.get(place)
            if before is None or before.at < exemplar.at:
                self.latest[place] = exemplar

    def keep_only(self, known: Iterable[Key]) -> None:
        """Drop the series that are no longer shown."""
        wanted = frozenset(known)
        self.latest = {place: exemplar for place, exemplar in self.latest.items() if place[0] in wanted}
