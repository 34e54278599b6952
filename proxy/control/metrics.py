"""Collects everything a scrape shows: counts of workers, counts of control, zeros for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from proxy.control.reload import Current
from proxy.control.status import stage
from proxy.ipc.messages import Census
from proxy.settings import is_compiled, program_version
from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Key, Totals, Values
from proxy.telemetry.metric_names import Metric
from proxy.telemetry.metric_seeds import route_names, zeros
from rules.model import GuardPolicy, Route, Snapshot
from rules.routing.compiled_route import effective_weight, intended_weight

NOTHING: Mapping[Key, Values] = MappingProxyType({})


def numbers(
    current: Current,
    totals: Totals,
    census: Census,
    own: Mapping[Key, Values] = NOTHING,
    *,
    effective: Callable[[str], float] | None = None,
    missing: Collection[int] = (),
) -> dict[Key, Values]:
    """Return every series; those of routes that the file no longer has are left out. `own` is what control counted.

    `effective` is the highest weight of a route that any worker runs, `missing` are the slots of workers that have
    not confirmed what they are to run.
    """
    snapshot = current.configuration.snapshot
    shown = dict(zeros(snapshot, current.generation.overrides))
    known = frozenset(route_names(snapshot))
    shown.update((key, values) for key, values in totals.sums().items() if _is_bounded(key, known))
    shown.update((key, values) for key, values in own.items() if _is_bounded(key, known))
    shown.update(_own(current, census, effective, missing))
    return shown


def _is_bounded(key: Key, known: frozenset[str]) -> bool:
    metric = metric_names.BY_NAME.get(key[0])
    if metric is None:
        return False
    return "route" not in metric.labels or key[1][metric.labels.index("route")] in known


def _own(
    current: Current, census: Census, effective: Callable[[str], float] | None, missing: Collection[int]
) -> Iterator[tuple[Key, Values]]:
    configuration = current.configuration
    yield _row(metric_names.RELOAD_SUCCESS, not current.problems and not missing)
    yield _row(metric_names.WORKERS_UNCONFIRMED, len(missing))
    yield _row(metric_names.LOADED_TIMESTAMP, configuration.loaded_at)
    yield _row(metric_names.CONFIG_INFO, 1, configuration.snapshot.digest)
    yield _row(metric_names.GENERATION, configuration.number)
    yield _row(metric_names.WORKERS, sum(state.accepting for state in census.workers))
    yield _row(metric_names.WORKER_RESTARTS, census.worker_restarts)
    yield _row(metric_names.CONTROL_RESTARTS, census.control_restarts)
    yield _row(metric_names.BUILD_INFO, 1, program_version(), str(is_compiled()).lower())
    yield from _routes(configuration.snapshot, current, effective)


def _routes(
    snapshot: Snapshot, current: Current, effective: Callable[[str], float] | None
) -> Iterator[tuple[Key, Values]]:
    legacy_only = current.configuration.legacy_only
    for route in snapshot.routes:
        override = current.generation.overrides.get(route.name)
        weight = 0.0 if legacy_only else effective_weight(route, override)
        weight = weight if effective is None else effective(route.name)
        yield _row(metric_names.WEIGHT, intended_weight(route, override), route.name, "intended")
        yield _row(metric_names.WEIGHT, weight, route.name, "effective")
        yield _row(metric_names.STAGE, 1, route.name, stage(route, override, weight))
        if route.guard is not None:
            yield from _limits(route, route.guard)


def _limits(route: Route, guard: GuardPolicy) -> Iterator[tuple[Key, Values]]:
    limits: dict[str, float] = {
        "error_rate": guard.error_rate,
        "p95": guard.p95,
        "mismatch_rate": guard.mismatch_rate,
        "consecutive_failures": guard.consecutive_failures,
    }
    if guard.worse_than_legacy is not None:
        limits["worse_errors"] = guard.worse_than_legacy.errors
        limits["worse_p95"] = guard.worse_than_legacy.p95
        limits["worse_p95_floor"] = guard.worse_than_legacy.p95_floor
    for limit, value in limits.items():
        if value > 0:  # 0 is no limit: as a number it would always be exceeded
            yield _row(metric_names.GUARD_LIMIT, value, route.name, limit)


def _row(metric: Metric, value: float, *labels: str) -> tuple[Key, Values]:
    return (metric.name, labels), (value,)
