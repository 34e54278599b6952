"""The effective weights of users: the highest that any worker runs, not what control intended."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.control.reload import Current
from proxy.control.worker_links import Workers
from rules.model import Override, Route
from rules.routing.compiled_route import effective_weight


class Effective:
    """What workers may still run. `_files` and `_overrides` change with each generation, older ones go unused.

    The first holds the routes that each file brought, the second what was set at run time, both by generation.
    """

    def __init__(self, workers: Workers, current: Current) -> None:
        self._workers = workers
        self._files: dict[int, Mapping[str, Route]] = {}
        self._overrides: dict[int, Mapping[str, Override]] = {}
        self._current = current
        self._note(current)

    def changed(self, now: Current) -> None:
        """Add a generation; those that no worker runs any more are dropped."""
        runs = self._workers.run_by()
        oldest = min((number for number, _ in runs), default=now.configuration.number)
        oldest_file = min((file for _, file in runs), default=now.file)
        self._overrides = {number: kept for number, kept in self._overrides.items() if number >= oldest}
        self._files = {number: kept for number, kept in self._files.items() if number >= oldest_file}
        self._note(now)

    def weight(self, route: str) -> float:
        """Return the highest percent of users that any worker sends to the modern side of `route` now."""
        if self._current.configuration.legacy_only:
            return 0.0
        runs = self._workers.run_by() or {(self._current.configuration.number, self._current.file)}
        return max(self._weight(route, number, file) for number, file in runs)

    def _weight(self, name: str, number: int, file: int) -> float:
        route = self._files.get(file, self._files[self._current.file]).get(name)
        return 0.0 if route is None else effective_weight(route, self._overrides.get(number, {}).get(name))

    def _note(self, current: Current) -> None:
        self._current = current
        self._overrides[current.configuration.number] = current.generation.overrides
        if current.file not in self._files:
            self._files[current.file] = {route.name: route for route in current.configuration.snapshot.routes}
