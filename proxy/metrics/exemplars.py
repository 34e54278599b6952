"""Keeps one recent request for each bucket of each histogram, so that a slow bar on a chart leads to a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from proxy.metrics.totals import Key


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
    """The latest of all workers. `latest` changes with `take`, `keep_only`; it is as large as there are buckets."""

    def __init__(self) -> None:
        self.latest: dict[tuple[Key, int], Exemplar] = {}

    def take(self, exemplars: Iterable[Exemplar]) -> None:
        """Take what a worker saw; the latest stays, whoever reports first: Prometheus wants them in order."""
        for exemplar in exemplars:
            place = (exemplar.name, exemplar.labels), exemplar.bucket
            before = self.latest.get(place)
            if before is None or before.at < exemplar.at:
                self.latest[place] = exemplar

    def keep_only(self, known: Iterable[Key]) -> None:
        """Forget the series that are no longer shown."""
        wanted = frozenset(known)
        self.latest = {place: exemplar for place, exemplar in self.latest.items() if place[0] in wanted}
