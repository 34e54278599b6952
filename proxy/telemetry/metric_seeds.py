"""Starts at zero the counters that an alert or a chart needs from their first increment on.

A counter that appears with its first increment has none that `rate` or `increase` could see. That matters where one
matters: a rollback, a change, a violated invariant, a side's first 5xx, the first difference. It does not where only
many count (reasons of drops, causes of rescues beyond the usual ones), nor for what cannot happen: rollbacks by a check
that the guard does not make, comparisons of what is not mirrored. Everything at zero was several times as much to
scrape, without more information. Histograms come with their first observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.records import NO_SIDE
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, GuardPolicy, Override, Route, Snapshot
from rules.routing.compiled_route import effective_weight

_NOTHING_SET: Mapping[str, Override] = MappingProxyType({})
_ANSWERS = ("2xx", "3xx", "4xx", "5xx")
_FAILED = "5xx"
_USUAL_KIND = "value"
"""The most frequent kinds of differences; the other kinds appear with their first."""


def route_names(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the values that the label `route` may have."""
    return (*(route.name for route in snapshot.routes), DEFAULT_ROUTE)


def zeros(snapshot: Snapshot, overrides: Mapping[str, Override] = _NOTHING_SET) -> Iterator[tuple[Key, Values]]:
    """Yield the counters of `snapshot` that begin at zero; `overrides` say which routes are on modern regardless."""
    checks = snapshot.data.checks if snapshot.data is not None else ()
    yield from _answers(DEFAULT_ROUTE, LEGACY)
    for route in snapshot.routes:
        yield from _answers(route.name, LEGACY)
        yield from _answers(route.name, MODERN)
        if _may_have_users(route, overrides.get(route.name)):
            yield from _rescues(route)
            yield from _rollbacks(route)
            if any(check.on_violation == "rollback" and route.name in check.routes for check in checks):
                yield _zero(metric_names.ROLLBACKS, route.name, metric_names.DATA)
        yield from _changes(route)
        if route.shadow.sample > 0:
            yield from _comparisons(route)
        for side, policy in ((LEGACY, route.legacy), (MODERN, route.modern)):
            if policy.response_json:
                yield _zero(metric_names.UNTRANSLATED, route.name, side)
        for invariant in route.invariants:
            yield _zero(metric_names.INVARIANT_VIOLATIONS, route.name, invariant.name)
    for name in route_names(snapshot):
        yield _zero(metric_names.REQUESTS, name, NO_SIDE, metric_names.LIVE, _FAILED)
    for side in (LEGACY, MODERN):
        for kind in metric_names.ERROR_KINDS:
            yield _zero(metric_names.UPSTREAM_ERRORS, side, kind)
    yield from _backends(snapshot)
    for metric in (metric_names.LOG_LINES_LOST, metric_names.OBSERVER_FAILURES, metric_names.REPORTS_SHED):
        yield _zero(metric)


def _backends(snapshot: Snapshot) -> Iterator[tuple[Key, Values]]:
    """What alerts and charts of backends need; look-ups where there is a name to look up."""
    for side in (LEGACY, MODERN):
        yield _zero(metric_names.RETRIES, side, "connect")
    for direction in metric_names.DIRECTIONS:
        yield _zero(metric_names.SLOW_CLIENTS, direction)
    for backend in snapshot.backends:
        yield _zero(metric_names.POOL_WAITS, backend.name)
        yield _zero(metric_names.LOOPS, backend.name)
        if any(map(_is_name, backend.urls)):
            yield _zero(metric_names.LOOKUPS, backend.name, "answered")


def _is_name(url: str) -> bool:
    """Whether the host of a target has to be looked up."""
    if url.startswith("unix:"):
        return False
    try:
        ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return True
    return False


def _may_have_users(route: Route, override: Override | None) -> bool:
    """Whether modern gets users of this route, as the file says or as was set since."""
    rollout = route.rollout
    return rollout.weight > 0 or bool(rollout.steps or rollout.include) or effective_weight(route, override) > 0


def _answers(route: str, side: str) -> Iterator[tuple[Key, Values]]:
    for code in _ANSWERS:
        yield _zero(metric_names.REQUESTS, route, side, metric_names.LIVE, code)


def _rescues(route: Route) -> Iterator[tuple[Key, Values]]:
    if route.fallback.mode != "none":
        rescues = route.fallback.mode == "safe" and route.fallback.statuses
        yield _zero(metric_names.FALLBACKS, route.name, "status" if rescues else "connect")


def _rollbacks(route: Route) -> Iterator[tuple[Key, Values]]:
    yield _zero(metric_names.ROLLBACKS, route.name, metric_names.MANUAL)
    if route.guard is not None and route.guard.on_breach != "observe":
        for reason, is_checked in _checks(route, route.guard).items():
            if is_checked:
                yield _zero(metric_names.ROLLBACKS, route.name, reason)


def _checks(route: Route, guard: GuardPolicy) -> dict[str, bool]:
    """Return `rules.guard.evidence.REASONS`, each with whether this guard can ever use it."""
    worse = guard.worse_than_legacy
    return {
        "consecutive": guard.consecutive_failures > 0,
        "invariant": bool(route.invariants),
        "errors": guard.error_rate > 0,
        "p95": guard.p95 > 0,
        "worse_errors": worse is not None and worse.errors > 0,
        "worse_p95": worse is not None and worse.p95 > 0,
        "worse_4xx": worse is not None,
        "mismatch": guard.mismatch_rate > 0 and route.shadow.sample > 0,
    }


def _changes(route: Route) -> Iterator[tuple[Key, Values]]:
    """Verbs; rollbacks have a counter of their own, with the reason."""
    for verb in ("hold", "resume", "weight"):
        yield _zero(metric_names.ROUTE_CHANGES, route.name, verb)
    if route.rollout.steps:
        yield _zero(metric_names.ROUTE_CHANGES, route.name, "advance")
    if route.guard is not None and route.guard.on_breach == "step_back":
        yield _zero(metric_names.ROUTE_CHANGES, route.name, "step_back")


def _comparisons(route: Route) -> Iterator[tuple[Key, Values]]:
    for result in ("equal", "different"):
        yield _zero(metric_names.COMPARISONS, route.name, result, "")
    yield _zero(metric_names.COMPARISONS, route.name, "not_compared", "queue")
    yield _zero(metric_names.DIFFERENCES, route.name, _USUAL_KIND)
    yield _zero(metric_names.SHADOW_DROPPED, route.name, "capacity")


def _zero(metric: metric_names.Metric, *labels: str) -> tuple[Key, Values]:
    return (metric.name, labels), (0,)
