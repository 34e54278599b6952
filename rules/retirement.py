"""Says when what legacy still has behind a route may be deleted, or what is still waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rules.model import Route

QUIET_DAYS = 7.0
"""Days at 100 % without an unexplained difference; the longest cycle of most businesses is a week."""
_DAY = 86_400.0
_ALL = 100.0
_RARE = 1000
"""Requests below which a week has shown little."""


@dataclass(frozen=True, slots=True)
class Served:
    """What has happened on a route since modern answers all of it.

    `since` is epoch seconds, None while modern does not; `open_groups` counts differences nobody has explained,
    last seen `differed_at`; `legacy_requests` are those that legacy answered nevertheless (fallbacks, users without
    an identity, exceptions).
    """

    weight: float
    since: float | None
    requests: int = 0
    legacy_requests: int = 0
    open_groups: int = 0
    differed_at: float | None = None
    rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """`safe` when nothing is waited for; `what` may go then, `look` is what no proxy can see."""

    safe: bool
    quiet_days: float
    waits_for: tuple[str, ...]
    what: tuple[str, ...]
    look: tuple[str, ...]


def retirement(
    route: Route, served: Served, others: Iterable[Route], now: float, days: float = QUIET_DAYS
) -> Retirement:
    """Judge one route; `others` are the file's other routes, `now` is epoch seconds."""
    quiet = _quiet_days(served, now)
    waits = tuple(_waits(route, served, others, quiet, days))
    where = route.legacy.path or route.match.path
    methods = " ".join(route.match.methods) or "every method"
    return Retirement(
        safe=not waits,
        quiet_days=quiet,
        waits_for=waits,
        what=(
            f"{methods} {where} on backend {route.legacy.backend}",
            f"the shadow and compare settings of route {route.name}",
        ),
        look=(
            f"legacy's own access log for callers of {where} that do not come through the proxy",
            "cron jobs, queues and other code of legacy that use what is behind it",
        ),
    )


def _quiet_days(served: Served, now: float) -> float:
    if served.since is None:
        return 0.0
    begun = max(served.since, served.differed_at if served.open_groups and served.differed_at is not None else 0.0)
    return max(0.0, now - begun) / _DAY


def _waits(route: Route, served: Served, others: Iterable[Route], quiet: float, days: float) -> Iterator[str]:
    if served.rolled_back:
        yield "it is rolled back"
    if served.weight < _ALL or served.since is None:
        yield f"modern answers {served.weight:g} % of it"
        return
    if served.open_groups:
        yield f"{served.open_groups} groups of differences are not explained"
    if quiet < days:
        yield f"{days - quiet:.1f} more quiet days"
    if served.requests < _RARE:
        yield f"only {served.requests} requests were answered since: rare ones may not have come yet"
    if served.legacy_requests:
        yield f"legacy still answered {served.legacy_requests} requests of it"
    if route.rollout.exclude:
        yield f"{len(route.rollout.exclude)} users are excluded from modern"
    if route.fallback.mode != "none":
        yield "fallback still leads to legacy"
    for other in others:
        if other.name != route.name and _shares(other, route):
            yield f"route {other.name} leads to the same place on legacy"


def _shares(other: Route, route: Route) -> bool:
    place = (route.legacy.backend, route.legacy.path or route.match.path)
    return (other.legacy.backend, other.legacy.path or other.match.path) == place
