"""Says how a route stands between its steps, as the status shows it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proxy.operating.guard import verdict_document
from proxy.operating.watching import Seen
from proxy.telemetry.events import timestamp
from rules.guard.rollout import Move, step_of
from rules.model import Override, Route


def standing(route: Route | None, override: Override | None, seen: Seen | None, move: Move | None) -> dict[str, Any]:
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
    """Return who set what is set at run time, and why."""
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
