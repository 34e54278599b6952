"""Says what a person is shown of the status, as frozen values made from the proxy's status document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of one route lately; times are seconds, None where nothing was measured."""

    requests: int
    rate: float
    errors: int
    error_rate: float
    p50: float | None
    p95: float | None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class CheckView:
    """One question that the guard asked: what was seen, what is allowed."""

    name: str
    outcome: str
    value: float | None
    limit: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What the guard thinks of a route's modern side; outcome `good bad too_little cannot_tell`."""

    outcome: str
    reason: str
    checks: tuple[CheckView, ...]


@dataclass(frozen=True, slots=True)
class RolledBackView:
    """Why a route was rolled back; `evidence` is as the guard wrote it, None for a person's wish."""

    at: str
    reason: str
    who: str
    evidence: Any
    text: str = ""


@dataclass(frozen=True, slots=True)
class RouteView:
    """One route of the status; weights are percent, the rest are shares of 1, None where not known."""

    name: str
    stage: str
    intended: float
    effective: float
    legacy: SideView
    modern: SideView
    mismatch_rate: float | None
    coverage: float | None
    path: str = ""
    methods: tuple[str, ...] = ()
    held: bool = False
    window: float = 60.0
    equal: int = 0
    different: int = 0
    rolled_back: RolledBackView | None = None
    verdict: VerdictView | None = None
    readiness: Mapping[str, Any] | None = None
    step: Mapping[str, Any] | None = None
    waits_for: Mapping[str, Any] | None = None
    compare: Mapping[str, Any] = field(default_factory=dict)
    shadow: Mapping[str, Any] = field(default_factory=dict)
    retirement: Mapping[str, Any] | None = None
    together: Mapping[str, Any] | None = None


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
    legacy_only: bool = False

    def route(self, name: str) -> RouteView | None:
        """Return the route of this name, None when there is none."""
        return next((route for route in self.routes if route.name == name), None)


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
        legacy_only=document["config"].get("legacy_only", False),
    )


def _route(route: Mapping[str, Any]) -> RouteView:
    compare = route.get("compare") or _NOTHING
    return RouteView(
        name=route["name"],
        stage=route["stage"],
        intended=route["weight"]["intended"],
        effective=route["weight"]["effective"],
        legacy=_side(route["legacy"], route["window"]),
        modern=_side(route["modern"], route["window"]),
        mismatch_rate=compare.get("mismatch_rate"),
        coverage=compare.get("coverage"),
        path=route.get("path", ""),
        methods=tuple(route.get("methods", ())),
        held=route.get("held", False),
        window=route["window"],
        equal=compare.get("equal", 0),
        different=compare.get("different", 0),
        rolled_back=_rolled_back(route.get("rolled_back")),
        verdict=_verdict(route.get("verdict")),
        readiness=route.get("readiness"),
        step=route.get("step"),
        waits_for=route.get("waits_for"),
        compare=compare,
        shadow=route.get("shadow") or _NOTHING,
        retirement=route.get("retirement"),
        together=route.get("together"),
    )


def _side(side: Mapping[str, Any], window: float) -> SideView:
    return SideView(
        requests=side["requests"],
        rate=side["requests"] / window,
        errors=side["errors"],
        error_rate=side["error_rate"],
        p50=side["p50"],
        p95=side["p95"],
        p99=side.get("p99"),
    )


def _rolled_back(found: Mapping[str, Any] | None) -> RolledBackView | None:
    if found is None:
        return None
    return RolledBackView(
        found["at"], found["reason"], found.get("who", ""), found.get("evidence"), found.get("text") or ""
    )


def _verdict(found: Mapping[str, Any] | None) -> VerdictView | None:
    if found is None:
        return None
    checks = tuple(
        CheckView(
            check["name"], check["outcome"], check.get("value"), check.get("limit"), str(check.get("detail") or "")
        )
        for check in found.get("checks", ())
    )
    return VerdictView(found["outcome"], found.get("reason") or "", checks)
