"""Puts every counter that a file can ever show at zero, so that rates work from the first second.

Histograms come with their first observation: sixteen empty buckets for each side of each of two thousand routes
would make every scrape take seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.metrics import names
from proxy.metrics.totals import Key, Values
from proxy.observe import NOBODY
from proxy.state.pairs import DROPPED
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Snapshot
from rules.verdict import REASONS

_ANSWERS = ("2xx", "3xx", "4xx", "5xx")
_OWN_ANSWERS = ("4xx", "5xx")


def route_names(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the values that the label `route` may have."""
    return (*(route.name for route in snapshot.routes), DEFAULT_ROUTE)


def zeros(snapshot: Snapshot) -> Iterator[tuple[Key, Values]]:
    """Yield every counter of `snapshot` at zero."""
    for route in route_names(snapshot):
        sides = (LEGACY,) if route == DEFAULT_ROUTE else (LEGACY, MODERN)
        for side in sides:
            yield from _zero_requests(route, side, _ANSWERS)
        yield from _zero_requests(route, NOBODY, _OWN_ANSWERS)
    for mirrored in snapshot.routes:
        if mirrored.guard is not None:
            yield from _zero_rollouts(mirrored.name)
        if mirrored.shadow.sample > 0:
            yield from _zero_shadows(mirrored.name)
        for invariant in mirrored.invariants:
            yield (names.INVARIANT_VIOLATIONS.name, (mirrored.name, invariant.name)), (0,)
    for side in (LEGACY, MODERN):
        for kind in names.ERROR_KINDS:
            yield (names.UPSTREAM_ERRORS.name, (side, kind)), (0,)
    for metric in (names.LOG_LINES_LOST, names.OBSERVER_FAILURES, names.REPORTS_SHED):
        yield (metric.name, ()), (0,)


def _zero_rollouts(route: str) -> Iterator[tuple[Key, Values]]:
    for reason in (*REASONS, names.MANUAL):
        yield (names.ROLLBACKS.name, (route, reason)), (0,)
    for verb in names.VERBS:
        yield (names.ROUTE_CHANGES.name, (route, verb)), (0,)
    for reason in names.FALLBACK_REASONS:
        yield (names.FALLBACKS.name, (route, reason)), (0,)


def _zero_shadows(route: str) -> Iterator[tuple[Key, Values]]:
    for side in (LEGACY, MODERN):
        for code in (*_ANSWERS, names.NO_ANSWER):
            yield (names.REQUESTS.name, (route, side, names.SHADOW, code)), (0,)
    for reason in DROPPED:
        yield (names.SHADOW_DROPPED.name, (route, reason)), (0,)
    for result in ("equal", "different", "noise", "transient"):
        yield (names.COMPARISONS.name, (route, result, "")), (0,)
    yield (names.COMPARISONS.name, (route, "not_compared", "sample")), (0,)


def _zero_requests(route: str, side: str, codes: Iterable[str]) -> Iterator[tuple[Key, Values]]:
    for code in codes:
        yield (names.REQUESTS.name, (route, side, names.LIVE, code)), (0,)
