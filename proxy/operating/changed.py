"""Counts what was done to routes, for the metrics."""

from __future__ import annotations

from collections import Counter

from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.metric_names import ROLLBACKS, ROUTE_CHANGES


class Changes:
    """Counts since control began; they grow by the methods that say so."""

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()

    def changed(self, route: str, verb: str) -> None:
        """Count one use of a verb."""
        self._counts[ROUTE_CHANGES.name, (route, verb)] += 1

    def rolled_back(self, route: str, reason: str) -> None:
        """Count one rollback by its reason, one of the closed list."""
        self._counts[ROLLBACKS.name, (route, reason)] += 1

    def series(self) -> dict[Key, Values]:
        """Return every series."""
        return {key: (float(count),) for key, count in self._counts.items()}
