"""Makes the migration report's document: what both sides of every route did since control began to count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from proxy.operating.history import History
from proxy.operating.resources import Usage
from proxy.telemetry.events import timestamp
from rules.guard.window import ComparedTally
from rules.model import LEGACY, MODERN


def report(
    status: Mapping[str, Any],
    history: History,
    compared: Callable[[str], ComparedTally],
    resources: Mapping[str, Usage],
    now: float,
) -> dict[str, Any]:
    """Return the document as JSON-ready values; `now` is epoch seconds, `resources` what is known of processes."""
    seconds = max(now - history.began, 1.0)
    routes = [_route(route, history, compared(route["name"]), seconds) for route in status["routes"]]
    modern = sum(route[MODERN]["requests"] for route in routes)
    everything = modern + sum(route[LEGACY]["requests"] for route in routes)
    return {
        "at": timestamp(now),
        "seconds": seconds,
        "digest": status["config"]["digest"],
        "share_migrated": modern / everything if everything else None,
        "routes": routes,
        "resources": {backend: asdict(usage) for backend, usage in resources.items()},
    }


def _route(route: Mapping[str, Any], history: History, tally: ComparedTally, seconds: float) -> dict[str, Any]:
    return {
        "name": route["name"],
        "stage": route["stage"],
        "weight": route["weight"],
        LEGACY: _side(history, route["name"], LEGACY, seconds),
        MODERN: _side(history, route["name"], MODERN, seconds),
        "compared": tally.compared,
        "different": tally.different,
        "mismatch_rate": tally.mismatch_rate,
        "coverage": tally.coverage if tally.eligible else None,
        "readiness": route.get("readiness"),
        "retirement": route.get("retirement"),
    }


def _side(history: History, route: str, side: str, seconds: float) -> dict[str, Any]:
    tally = history.ever(route, side)
    return {
        "requests": tally.requests,
        "rate": tally.requests / seconds,
        "errors": tally.errors,
        "error_rate": tally.error_rate,
        "p50": tally.percentile(0.5),
        "p95": tally.percentile(0.95),
    }
