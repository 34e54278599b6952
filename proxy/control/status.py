"""The status document."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from proxy.control.audit_log import parsed
from proxy.control.guard import RouteHealth, verdict_document
from proxy.control.reload import Current
from proxy.control.route_evidence import RouteWindows
from proxy.control.worker_links import Workers
from proxy.settings import program_version
from proxy.state.mirror_outcomes import NOT_SAMPLED
from proxy.telemetry.events import timestamp
from proxy.telemetry.records import DROPPED
from rules.guard.rollout import RolloutAction, step_of
from rules.guard.window import SESSION, ComparedTally, Tally, Totals
from rules.model import LEGACY, MODERN, Override, Route
from rules.routing.compiled_route import effective_weight, intended_weight

# The members of the status document about a route's mirrored requests.


_NEVER_SENT = (*DROPPED, NOT_SAMPLED)


def compared(
    window: ComparedTally, totals: ComparedTally, invariants: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Return the members `shadow`, `compare`, `invariants` of a route.

    Counts are of the guard's window, `totals` and invariants since the start.
    """
    return {
        "shadow": {**_sent(window), "totals": _sent(totals)},
        "compare": {**_compared(window), "totals": _compared(totals)},
        "invariants": invariants,
    }


def _sent(tally: ComparedTally) -> dict[str, int]:
    dropped = sum(tally.not_compared.get(reason, 0) for reason in DROPPED)
    never = sum(tally.not_compared.get(reason, 0) for reason in _NEVER_SENT)
    return {"sent": max(0, tally.eligible - never), "dropped": dropped}


def _compared(tally: ComparedTally) -> dict[str, Any]:
    return {
        "eligible": tally.eligible,
        "equal": tally.equal,
        "different": tally.different,
        "noise": tally.noise,
        "transient": tally.transient,
        "not_compared": sum(tally.not_compared.values()),
        "reasons": dict(tally.not_compared),
        "coverage": tally.coverage,
        "coverage_reason": SESSION if tally.needs_sessions else None,
        "mismatch_rate": tally.mismatch_rate,
    }


_ALL = 100.0
NO_DATA: Mapping[str, Any] = MappingProxyType(
    {"configured": False, "tables": 0, "verified": 0, "unverified": (), "violated": ()}
)
Standing = Callable[[str], Mapping[str, Any]]
"""The members of a route from comparison, guard, actions and steps."""


def status(
    current: Current,
    windows: RouteWindows,
    instances: list[dict[str, Any]],
    *,
    standing: Standing = lambda _: {},
    effective: Callable[[str], float] | None = None,
    workers: Sequence[Mapping[str, Any]] = (),
    data: Mapping[str, Any] = NO_DATA,
) -> dict[str, Any]:
    """Return the document as JSON-ready values; `instances` are those that share the store, this one first.

    `effective` is the highest weight of a route that any worker runs, `workers` say which generation each runs, `data`
    is the result of verifying both databases.
    """
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
        "workers": list(workers),
        "instances": instances,
        "data": dict(data),
        "routes": [
            {**route_status(route, current, windows, effective), **standing(route.name)}
            for route in (*configuration.snapshot.routes, current.generation.table.default.route)
        ],
    }


def route_status(
    route: Route, current: Current, windows: RouteWindows, effective: Callable[[str], float] | None = None
) -> dict[str, Any]:
    """Return the present state of one route; counts cover the guard's window, `totals` the time since the start."""
    override = current.generation.overrides.get(route.name)
    weight = effective(route.name) if effective is not None else _meant(route, current)
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
        "window": windows.length(route.name),
        LEGACY: _side(windows.lately(route.name, LEGACY, now)),
        MODERN: _side(windows.lately(route.name, MODERN, now)),
        "copies": {side: _side(windows.copies(route.name, side, now)) for side in (LEGACY, MODERN)},
        "totals": {
            LEGACY: _counts(windows.totals(route.name, LEGACY)),
            MODERN: _counts(windows.totals(route.name, MODERN)),
        },
    }


def _meant(route: Route, current: Current) -> float:
    """Return the weight that control has applied."""
    if current.configuration.legacy_only:
        return 0.0
    return effective_weight(route, current.generation.overrides.get(route.name))


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
    """Return this instance's description; `reasons` say why it is not ready."""
    census = workers.census
    return {
        "name": socket.gethostname(),
        "pid": os.getppid(),
        "version": program_version(),
        "digest": current.configuration.snapshot.digest,
        "ready": not reasons,
        "reasons": list(reasons),
        "workers": worker_documents(workers),
        "restarts": {"workers": census.worker_restarts, "control": census.control_restarts},
    }


def worker_documents(workers: Workers) -> list[dict[str, Any]]:
    """Return what each worker of this instance runs."""
    return [
        {
            "id": state.slot,
            "slot": state.slot,
            "pid": state.pid,
            "accepting": state.accepting,
            "generation": workers.running(state.slot),
        }
        for state in workers.census.workers
    ]


# The members of the status document about a route's rollout.


def standing(
    route: Route | None, override: Override | None, seen: RouteHealth | None, move: RolloutAction | None
) -> dict[str, Any]:
    """Return the members that guard and steps add to a route's status."""
    return {
        "revision": override.revision if override is not None else 0,
        "set": _set(override),
        "verdict": verdict_document(seen) | {"detail": seen.verdict.detail} if seen is not None else None,
        "readiness": asdict(seen.readiness) if seen is not None and seen.readiness is not None else None,
        "step": _step(route, override) if route is not None else None,
        "waits_for": {"kind": move.kind, "reason": move.reason, "detail": move.detail} if move is not None else None,
    }


def _set(override: Override | None) -> dict[str, Any] | None:
    """Return who set the override, and why."""
    if override is None or not override.who:
        return None
    return {"at": timestamp(override.at), "who": override.who, "reason": override.text or override.reason}


def _step(route: Route, override: Override | None) -> dict[str, Any] | None:
    steps = route.rollout.steps
    if not steps:
        return None
    number = step_of(route, override)
    step = steps[number - 1] if number else None
    began = override.step_since if override is not None else 0.0
    return {
        "number": number,
        "of": len(steps),
        "weight": step.weight if step else 0.0,
        "since": timestamp(began) if number and began else None,
        "for": step.seconds if step else None,
        "min_requests": step.min_requests if step else None,
        "approve": "manual" if step and step.manual else None,
        "hold_off_until": timestamp(override.hold_off_until) if override and override.hold_off_until else None,
    }
