"""Says what a person is shown, as frozen values made from the proxy's status document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of one route lately; times are seconds, None where nothing was measured."""

    requests: int
    rate: float
    errors: int
    error_rate: float
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class RouteView:
    """One line of the status table; weights are percent, the rest are shares of 1, None where not known."""

    name: str
    stage: str
    intended: float
    effective: float
    legacy: SideView
    modern: SideView
    mismatch_rate: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class StatusView:
    """The whole status: what is configured, who serves, every route."""

    digest: str
    error: str | None
    ready: bool
    reasons: tuple[str, ...]
    workers: int
    accepting: int
    routes: tuple[RouteView, ...]


def status_view(document: Mapping[str, Any]) -> StatusView:
    """Return the view of a status document."""
    instances = document["instances"]
    workers = [worker for instance in instances for worker in instance["workers"]]
    return StatusView(
        digest=document["config"]["digest"],
        error=document["config"]["error"],
        ready=all(instance["ready"] for instance in instances),
        reasons=tuple(reason for instance in instances for reason in instance["reasons"]),
        workers=len(workers),
        accepting=sum(worker["accepting"] for worker in workers),
        routes=tuple(_route(route) for route in document["routes"]),
    )


def _route(route: Mapping[str, Any]) -> RouteView:
    compare = route.get("compare") or {}
    return RouteView(
        name=route["name"],
        stage=route["stage"],
        intended=route["weight"]["intended"],
        effective=route["weight"]["effective"],
        legacy=_side(route["legacy"], route["window"]),
        modern=_side(route["modern"], route["window"]),
        mismatch_rate=compare.get("mismatch_rate"),
        coverage=compare.get("coverage"),
    )


def _side(side: Mapping[str, Any], window: float) -> SideView:
    return SideView(
        requests=side["requests"],
        rate=side["requests"] / window,
        errors=side["errors"],
        error_rate=side["error_rate"],
        p50=side["p50"],
        p95=side["p95"],
    )
