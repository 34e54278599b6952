"""One route prepared for traffic: values ready to compare, no work left for a request."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rules.model import DEFAULT_ROUTE, Fallback, Match, Override, Rollout, Route, SidePolicy, Snapshot
from rules.routing import pattern as patterns
from rules.routing.conditions import Condition, conditions_of, methods_of


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route as matching and decisions need it.

    `stopped` is the reason that sends all users to legacy (`rolled_back`, `legacy_only`, `default`), or None.
    `rest` is the number of segments before `/**` where a side's path wants what comes after them, else -1.
    """

    route: Route
    methods: frozenset[str] | None
    conditions: tuple[Condition, ...]
    names: tuple[tuple[str, int], ...]
    rest: int
    weight: float
    by_user: bool
    listed: bool
    include: frozenset[str]
    exclude: frozenset[str]
    force: str | None
    stopped: str | None
    legacy: str
    modern: str


def effective_weight(route: Route, override: Override | None) -> float:
    """Return the percent of users the modern side serves now.

    A route with steps stands before the first one until an override names a step, counted from 1; a number
    past the last step is the last step.
    """
    if override is None:
        return 0.0 if route.rollout.steps else route.rollout.weight
    if override.rolled_back:
        return 0.0
    weight = intended_weight(route, override) if override.weight is None else override.weight
    # a hold is about the present weight: a file that raises it takes effect after a resume
    return min(weight, override.at_most) if override.held and override.at_most is not None else weight


def intended_weight(route: Route, override: Override | None) -> float:
    """Return the percent that the file gives the modern side now, whatever was set at run time.

    For a route with steps that is the weight of its present step.
    """
    steps = route.rollout.steps
    if not steps:
        return route.rollout.weight
    step = min(override.step or 0, len(steps)) if override is not None else 0
    return steps[step - 1].weight if step > 0 else 0.0


def compiled_route_of(route: Route, override: Override | None, *, legacy_only: bool) -> CompiledRoute:
    """Prepare a route with what was set at run time on top."""
    return _prepared(route, effective_weight(route, override), _stopped(override, legacy_only=legacy_only))


def overridden(compiled: CompiledRoute, override: Override | None, *, legacy_only: bool) -> CompiledRoute:
    """Return a compiled route with another override on top; nothing is compiled again."""
    weight = effective_weight(compiled.route, override)
    return replace(compiled, weight=weight, stopped=_stopped(override, legacy_only=legacy_only))


def _stopped(override: Override | None, *, legacy_only: bool) -> str | None:
    if override is not None and override.rolled_back:
        return "rolled_back"
    return "legacy_only" if legacy_only else None


def default_compiled_route(snapshot: Snapshot) -> CompiledRoute:
    """Return the compiled route of requests that match no other: to the default backend, never mirrored."""
    side = SidePolicy(backend=snapshot.default_backend)
    route = Route(
        name=DEFAULT_ROUTE,
        match=Match(path="/**"),
        rollout=Rollout(salt=DEFAULT_ROUTE),
        legacy=side,
        modern=side,
        fallback=Fallback(mode="none"),
        guard=None,
    )
    return _prepared(route, 0.0, "default")


def _prepared(route: Route, weight: float, stopped: str | None) -> CompiledRoute:
    rollout = route.rollout
    form = patterns.parse(route.match.path)
    return CompiledRoute(
        route=route,
        methods=methods_of(route.match),
        conditions=conditions_of(route.match),
        names=form.names,
        rest=len(form.segments) if form.kind == patterns.PREFIX and _wants_rest(route) else -1,
        weight=weight,
        by_user=rollout.by != "request",
        listed=bool(rollout.include or rollout.exclude),
        include=frozenset(rollout.include),
        exclude=frozenset(rollout.exclude),
        force=rollout.force_header.lower() if rollout.force_header else None,
        stopped=stopped,
        legacy=route.legacy.backend,
        modern=route.modern.backend,
    )


def _wants_rest(route: Route) -> bool:
    return any(side.path is not None and side.path.endswith("/**") for side in (route.legacy, route.modern))
