"""View models of the status document; what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dashboards.html import NOTHING, count, number, seconds, share

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
    legacy_copies: SideView | None = None
    modern_copies: SideView | None = None

    @property
    def told_coverage(self) -> str:
        """The coverage, or the word for why there is so little of it."""
        return self.compare.get("coverage_reason") or share(self.coverage)

    @property
    def thinned(self) -> int:
        """Copies that were not sent because a side failed ten in a row: it gets one a second until it is well."""
        left_out = self.compare.get("not_compared")
        return int(left_out.get("failing", 0)) if isinstance(left_out, Mapping) else 0


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address that a target's name was resolved to: failures in a row, look-ups in a row without it."""

    address: str
    failures: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target as all workers see it: counts are sums, `up` is what the worst one says, None before a report.

    `left_out` of `workers` do not use it now; `probe_in` are seconds until one tries it again.
    """

    url: str
    up: bool | None
    healthy: bool | None = True
    left_out: int = 0
    workers: int = 1
    probe_in: float | None = None
    in_flight: int = 0
    idle: int = 0
    waiting: int = 0
    errors: int = 0
    last_error: str = ""
    addresses: tuple[AddressView, ...] = ()


@dataclass(frozen=True, slots=True)
class BackendView:
    """One backend with its targets."""

    name: str
    targets: tuple[TargetView, ...]
    max_connections: int = 0
    health_check: bool = False


@dataclass(frozen=True, slots=True)
class StatusView:
    """The whole status: what is configured, who serves, every route; `at` is when it was so, a timestamp."""

    digest: str
    error: str | None
    ready: bool
    reasons: tuple[str, ...]
    workers: int
    accepting: int
    routes: tuple[RouteView, ...]
    legacy_only: bool = False
    at: str = ""
    backends: tuple[BackendView, ...] = ()

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
        backends=tuple(_backend(backend) for backend in document.get("backends", ())),
    )


def _backend(backend: Mapping[str, Any]) -> BackendView:
    return BackendView(
        backend["name"],
        tuple(_target(target) for target in backend["targets"]),
        backend["max_connections"],
        backend["health_check"],
    )


def _target(target: Mapping[str, Any]) -> TargetView:
    return TargetView(
        target["target"],
        target["up"],
        target["healthy"],
        target["left_out"],
        target["workers"],
        target["probe_in"],
        target["in_flight"],
        target["idle"],
        target["waiting"],
        target["errors"],
        target["last_error"] or "",
        tuple(AddressView(each["address"], each["failures"], each["missed"]) for each in target["addresses"]),
    )


def _route(route: Mapping[str, Any]) -> RouteView:
    compare, copies = route.get("compare") or _NOTHING, route.get("copies")
    return RouteView(
        name=route["name"],
        stage=route["stage"],
        intended=route["weight"]["intended"],
        effective=route["weight"]["effective"],
        legacy=_side(route["legacy"], route["window"]),
        modern=_side(route["modern"], route["window"]),
        legacy_copies=_side(copies["legacy"], route["window"]) if copies else None,
        modern_copies=_side(copies["modern"], route["window"]) if copies else None,
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


def side_figures(side: SideView, copies: SideView | None) -> tuple[str, str, str]:
    """Return a side's requests a second, errors, P95; where it answers no user, those of its copies, marked as such."""
    if not side.requests and copies is not None and copies.requests:
        return f"{number(copies.rate)} copies", share(copies.error_rate), seconds(copies.p95)
    if not side.requests:
        return NOTHING, NOTHING, NOTHING
    return number(side.rate), share(side.error_rate), seconds(side.p95)


def why_down(target: TargetView) -> str:
    """Return why a target is not used, with the time until it is tried again; empty where it is used."""
    told = []
    if target.healthy is False:
        told.append("its health check fails")
    if target.left_out:
        left = f", tried again in {seconds(target.probe_in)}" if target.probe_in else ""
        told.append(f"left out by {count(target.left_out, 'worker')} of {target.workers}{left}")
    return "; ".join(told)


# Finds what needs a person now, most urgent first.


URGENT, SOON = "urgent", "soon"
_LITTLE_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class ActionItem:
    """One thing to look at; `href` is where."""

    level: str
    what: str
    why: str
    href: str


def attention(view: StatusView, groups: Iterable[Mapping[str, Any]] = ()) -> tuple[ActionItem, ...]:
    """Return everything that waits for a person; `groups` are open groups of differences."""
    found = [*_process(view), *(each for route in view.routes for each in _route_items(route)), *_differences(groups)]
    return tuple(sorted(found, key=lambda each: each.level != URGENT))


def troubled_first(view: StatusView) -> StatusView:
    """Return the view with the routes that need a person before the others; otherwise in the file's order."""
    levels = {URGENT: 0, SOON: 1}
    ranks = {
        route.name: min((levels[each.level] for each in _route_items(route)), default=len(levels))
        for route in view.routes
    }
    return replace(view, routes=tuple(sorted(view.routes, key=lambda route: ranks[route.name])))


def _process(view: StatusView) -> Iterator[ActionItem]:
    if view.error:
        yield ActionItem(URGENT, "The file on disk is refused", view.error, "/instances")
    if not view.ready:
        yield ActionItem(URGENT, "The proxy is not ready", ", ".join(view.reasons), "/instances")
    if view.legacy_only:
        yield ActionItem(URGENT, "Everything goes to legacy", "STRANGLER_LEGACY_ONLY is set", "/instances")
    yield from (each for backend in view.backends for each in _backend_items(backend))


def _backend_items(backend: BackendView) -> Iterator[ActionItem]:
    down = [target for target in backend.targets if target.up is False]
    why = next((target.last_error for target in down if target.last_error), "")
    if down and len(down) == len(backend.targets):
        yield ActionItem(URGENT, f"No target of {backend.name} is up", why, "/backends")
    elif down:
        names = ", ".join(target.url for target in down)
        yield ActionItem(SOON, f"{backend.name}: {names} is left out", why, "/backends")


def _route_items(route: RouteView) -> Iterator[ActionItem]:
    href = f"/routes/{route.name}"
    if route.rolled_back is not None:
        why = f"{route.rolled_back.reason} ({route.rolled_back.who})" if route.rolled_back.who else ""
        yield ActionItem(URGENT, f"{route.name} is rolled back", why or route.rolled_back.reason, href)
        return
    if route.verdict is not None and route.verdict.outcome == "bad":
        yield ActionItem(URGENT, f"{route.name}: modern breaks its limits", _accused(route), href)
    elif route.verdict is not None and route.verdict.outcome == "cannot_tell" and route.effective > 0:
        yield ActionItem(SOON, f"{route.name}: the guard cannot tell", _accused(route), href)
    if route.held:
        yield ActionItem(SOON, f"{route.name} is held", "it stays where it is until a resume", href)
    if route.waits_for is not None and route.waits_for["kind"] == "ask":
        why = route.waits_for.get("detail") or "its step is baked; advance or hold it"
        yield ActionItem(SOON, f"{route.name} waits for approval", why, href)
    if route.thinned:
        what = f"{route.name}: copies are thinned"
        yield ActionItem(SOON, what, "a side failed ten of them in a row: it gets one a second until it is well", href)
    compared = route.equal + route.different
    if route.compare.get("coverage_reason") == "session":
        why = "legacy is asked without the users' sessions: `session: share`, or an identity in a header, helps"
        yield ActionItem(SOON, f"{route.name}: coverage: session", why, href)
    elif compared and route.coverage is not None and route.coverage < _LITTLE_COVERAGE:
        why = f"only {share(route.coverage)} of what could be compared is"
        yield ActionItem(SOON, f"{route.name} is hardly compared", why, href)


def _accused(route: RouteView) -> str:
    if route.verdict is None:
        return ""
    return next((check.detail for check in route.verdict.checks if check.name == route.verdict.reason), "")


def _differences(groups: Iterable[Mapping[str, Any]]) -> Iterator[ActionItem]:
    open_ones: dict[str, int] = {}
    for group in groups:
        if not group.get("known") and not group.get("transient"):
            open_ones[group["route"]] = open_ones.get(group["route"], 0) + 1
    for route, groups_left in open_ones.items():
        what = f"{route}: {count(groups_left, 'difference')} not judged yet"
        yield ActionItem(SOON, what, "fix modern, or ignore with a reason", f"/differences?route={route}")
