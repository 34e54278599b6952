"""The state of every target of every backend, as the workers see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from proxy.ipc.messages import Message, Targets, TargetState
from proxy.telemetry.aggregation import Key, Values, Worker
from proxy.telemetry.metric_names import BACKEND_IN_FLIGHT, BACKEND_UP
from rules.model import Backend

Reports = Mapping[Worker, tuple[TargetState, ...]]


class BackendStates:
    """The latest report of each worker; those of ended workers are left out when they are read."""

    def __init__(self) -> None:
        self._reports: dict[Worker, tuple[TargetState, ...]] = {}

    def record(self, worker: Worker, message: Message) -> None:
        """Replace a worker's report of its targets."""
        if isinstance(message, Targets):
            self._reports[worker] = message.targets

    def keep_only(self, workers: Iterable[Worker]) -> None:
        """Drop the reports of ended workers."""
        wanted = set(workers)
        self._reports = {worker: targets for worker, targets in self._reports.items() if worker in wanted}

    def documents(self, backends: Iterable[Backend]) -> list[dict[str, Any]]:
        """Return each backend with its targets, JSON-ready; counts are sums, a state is that of the worst worker."""
        return [
            {
                "name": backend.name,
                "max_connections": backend.max_connections,
                "health_check": backend.health is not None,
                "targets": [self._target(backend, url) for url in backend.urls],
            }
            for backend in backends
        ]

    def series(self, backends: Iterable[Backend]) -> Iterator[tuple[Key, Values]]:
        """Yield the gauges of every target."""
        for backend in backends:
            for url in backend.urls:
                states = self._states(backend.name, url)
                if states:
                    labels = backend.name, url
                    yield (BACKEND_UP.name, labels), (float(all(map(_is_up, states))),)
                    yield (BACKEND_IN_FLIGHT.name, labels), (sum(state.in_flight for state in states),)

    def _states(self, backend: str, url: str) -> list[TargetState]:
        return [
            state
            for targets in self._reports.values()
            for state in targets
            if state.backend == backend and state.target == url
        ]

    def _target(self, backend: Backend, url: str) -> dict[str, Any]:
        states = self._states(backend.name, url)
        return {
            "target": url,
            "up": all(map(_is_up, states)) if states else None,
            "healthy": all(state.healthy for state in states) if states else None,
            "left_out": sum(state.out for state in states),
            "probe_in": max((state.probe_in for state in states if state.out), default=None),
            "in_flight": sum(state.in_flight for state in states),
            "idle": sum(state.idle for state in states),
            "waiting": sum(state.waiting for state in states),
            "errors": sum(state.errors for state in states),
            "last_error": next((state.last_error for state in states if state.last_error), None),
            "addresses": _addresses(states),
            "workers": len(states),
        }


def _is_up(state: TargetState) -> bool:
    return state.healthy and not state.out


def _addresses(states: Iterable[TargetState]) -> list[dict[str, Any]]:
    """Return the addresses any worker knows, with the most failures and misses of any worker."""
    found: dict[str, dict[str, Any]] = {}
    for each in (address for state in states for address in state.addresses):
        known = found.setdefault(each.address, {"address": each.address, "failures": 0, "missed": 0})
        known["failures"] = max(known["failures"], each.failures)
        known["missed"] = max(known["missed"], each.missed)
    return list(found.values())
