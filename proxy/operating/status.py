"""Makes the status document: what every route does now, in the contract's shape."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from proxy.operating.compared import compared
from proxy.operating.current import Current
from proxy.operating.figures import Figures
from proxy.operating.trail import parsed
from proxy.operating.workers import Workers
from proxy.telemetry.events import timestamp
from proxy.version import program_version
from rules.guard.window import ComparedTally, Tally, Totals
from rules.model import LEGACY, MODERN, Override, Route
from rules.routing.compiled_route import effective_weight, intended_weight

_ALL = 100.0
Standing = Callable[[str], Mapping[str, Any]]
"""What comparing, guard, verbs, steps say of a route."""


def status(
    current: Current,
    figures: Figures,
    instances: list[dict[str, Any]],
    *,
    standing: Standing = lambda _: {},
) -> dict[str, Any]:
    """Return the document as JSON-ready values; `instances` are those that share the store, this one first."""
    configuration = current.configuration
    return {
        "config": {
            "digest": configuration.snapshot.digest,
            "generation": configuration.number,
            "loaded_at": timestamp(configuration.loaded_at),
            "error": current.error,
            "warnings": [str(warning) for warning in current.warnings],
            "needs_restart": list(current.waiting),
            "legacy_only": configuration.legacy_only,
        },
        "instances": instances,
        "routes": [
            {**route_status(route, current, figures), **standing(route.name)}
            for route in (*configuration.snapshot.routes, current.generation.table.default.route)
        ],
    }


def route_status(route: Route, current: Current, figures: Figures) -> dict[str, Any]:
    """Return what one route does now; counts cover the guard's window, `totals` the time since the start."""
    override = current.generation.overrides.get(route.name)
    weight = 0.0 if current.configuration.legacy_only else effective_weight(route, override)
    now = int(time.monotonic())
    return {
        "name": route.name,
        "path": route.match.path,
        "methods": list(route.match.methods),
        "stage": stage(route, override, weight),
        "weight": {"intended": intended_weight(route, override), "effective": weight},
        "held": override.held if override else False,
        "rolled_back": _rolled_back(override),
        **compared(ComparedTally(), ComparedTally(), {}),
        "window": figures.length(route.name),
        LEGACY: _side(figures.lately(route.name, LEGACY, now)),
        MODERN: _side(figures.lately(route.name, MODERN, now)),
        "totals": {
            LEGACY: _counts(figures.totals(route.name, LEGACY)),
            MODERN: _counts(figures.totals(route.name, MODERN)),
        },
    }


def stage(route: Route, override: Override | None, weight: float) -> str:
    """Return the stage of a route's life that operators see."""
    if override is not None and override.rolled_back:
        return "rolled_back"
    if override is not None and override.held:
        return "held"
    if weight >= _ALL:
        return "modern"
    if weight > 0:
        return "canary"
    return "shadow" if route.shadow.sample > 0 else "legacy"


def _rolled_back(override: Override | None) -> dict[str, Any] | None:
    if override is None or not override.rolled_back:
        return None
    return {
        "at": timestamp(override.at),
        "reason": override.reason,
        "who": override.who,
        "text": override.text,
        "evidence": parsed(override.evidence),
    }


def _side(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "client_errors": tally.client_errors,
        "error_rate": tally.error_rate,
        "p50": tally.percentile(0.5),
        "p95": tally.percentile(0.95),
        "p99": tally.percentile(0.99),
    }


def _counts(totals: Totals) -> Mapping[str, int]:
    return {"requests": totals.requests, "errors": totals.errors, "client_errors": totals.client_errors}


def instance(current: Current, workers: Workers, reasons: tuple[str, ...]) -> dict[str, Any]:
    """Return what this instance says of itself; `reasons` say why it is not ready."""
    census = workers.census
    return {
        "name": socket.gethostname(),
        "pid": os.getppid(),
        "version": program_version(),
        "digest": current.configuration.snapshot.digest,
        "ready": not reasons,
        "reasons": list(reasons),
        "workers": [
            {
                "slot": state.slot,
                "pid": state.pid,
                "accepting": state.accepting,
                "generation": workers.running(state.slot),
            }
            for state in census.workers
        ],
        "restarts": {"workers": census.worker_restarts, "control": census.control_restarts},
    }
