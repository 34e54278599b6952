"""The table of routes, compiled once so that a request finds its route in constant time.

Precedence: exact path, then templates with most literal segments first, then prefixes with the longest first,
then regexes in file order; within one path the lane with more conditions first. Routes are kept by *shape*
(how many segments, which of them literal): one dictionary look-up a shape, however many routes share it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from rules import pattern as patterns
from rules.conditions import Condition, conditions_of, methods_of, unmet, weight_of
from rules.model import (
    DEFAULT_ROUTE,
    NO_NAMES,
    Facts,
    Fallback,
    Match,
    Override,
    Rollout,
    Route,
    SidePolicy,
    Snapshot,
)
from rules.reading import is_plain, readings


@dataclass(frozen=True, slots=True)
class Lane:
    """One route as matching and deciding need it: prepared values, no work left for a request.

    `stopped` is the reason that sends everyone to legacy (`rolled_back`, `legacy_only`, `default`), or None.
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


@dataclass(frozen=True, slots=True)
class Shape:
    """All routes of one form: `key` picks the literal segments of a path, `lanes` knows who spelled them."""

    key: Callable[[list[str]], object]
    lanes: dict[object, tuple[Lane, ...]]


class Rejection:
    """A lane whose path matched though the request is not for it, with the reason in words."""

    __slots__ = ("lane", "why")

    def __init__(self, lane: Lane, why: str) -> None:
        self.lane = lane
        self.why = why


class Table:
    """Every lane, found by path. Nothing in it changes once it is built."""

    def __init__(self, lanes: tuple[Lane, ...], default: Lane) -> None:
        self.lanes = lanes
        self.default = default
        self._exact: dict[str, tuple[Lane, ...]] = {}
        self._templates: dict[int, tuple[Shape, ...]] = {}
        self._prefixes: tuple[tuple[int, Shape], ...] = ()
        self._regexes: tuple[tuple[re.Pattern[str], tuple[Lane, ...]], ...] = ()
        self._index(lanes)

    def lane_of(self, name: str) -> Lane | None:
        """Return the lane of a route by its name."""
        return next((lane for lane in self.lanes if lane.route.name == name), None)

    def find(self, facts: Facts, rejected: list[Rejection] | None = None) -> tuple[Lane, Mapping[str, str]]:
        """Return the lane a request is on with the names its path captured; `_default` when no route takes it.

        `rejected`, where given, collects the lanes that were passed over: for `explain`, never for traffic.
        """
        method = facts.method
        if method == "OPTIONS":
            method = facts.header("access-control-request-method") or method
        path = facts.path
        lanes = self._exact.get(path)
        if lanes is not None:
            # A path that is spelled as a route spells it is plain: routes with other paths do not load.
            for lane in lanes:
                if _takes(lane, method, facts, rejected):
                    return lane, NO_NAMES
        elif not is_plain(path):
            return self._find_odd(path, method, facts, rejected)
        found = self._search(path, method, facts, rejected)
        return (self.default, NO_NAMES) if found is None else found

    def _find_odd(
        self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None
    ) -> tuple[Lane, Mapping[str, str]]:
        """Find the lane on which all readings of a path agree; the names are those of the usual reading."""
        agreed: tuple[Lane, Mapping[str, str]] | None = None
        for reading in readings(path):
            found = self._lookup(reading, method, facts, rejected)
            if found is None or (agreed is not None and found[0] is not agreed[0]):
                return self.default, NO_NAMES
            agreed = agreed or found
        return agreed or (self.default, NO_NAMES)

    def _lookup(
        self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None
    ) -> tuple[Lane, Mapping[str, str]] | None:
        for lane in self._exact.get(path, ()):
            if _takes(lane, method, facts, rejected):
                return lane, NO_NAMES
        return self._search(path, method, facts, rejected)

    def _search(
        self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None
    ) -> tuple[Lane, Mapping[str, str]] | None:
        """Find a lane by template, prefix or regex."""
        if path[:1] != "/":
            return None
        segments = path.split("/")
        del segments[0]
        count = len(segments)
        for shape in self._templates.get(count, ()):
            for lane in shape.lanes.get(shape.key(segments), ()):
                names = _captured(lane, segments)
                if names is not None and _takes(lane, method, facts, rejected):
                    return lane, names
        for length, shape in self._prefixes:
            if length <= count:
                for lane in shape.lanes.get(shape.key(segments), ()):
                    names = _captured(lane, segments)
                    if names is not None and _takes(lane, method, facts, rejected):
                        return lane, names
        for expression, lanes in self._regexes:
            match = expression.search(path)
            if match is not None:
                for lane in lanes:
                    if _takes(lane, method, facts, rejected):
                        return lane, _groups(match)
        return None

    def _index(self, lanes: tuple[Lane, ...]) -> None:
        """Sort every lane into the dictionaries; within one path more conditions come first."""
        regexes: dict[str, list[Lane]] = {}
        templates: dict[tuple[int, tuple[int, ...]], dict[object, tuple[Lane, ...]]] = {}
        prefixes: dict[tuple[int, tuple[int, ...]], dict[object, tuple[Lane, ...]]] = {}
        for lane in sorted(lanes, key=lambda one: -weight_of(one.route.match)):
            form = patterns.parse(lane.route.match.path)
            if form.kind == patterns.EXACT:
                self._exact[form.text] = (*self._exact.get(form.text, ()), lane)
            elif form.kind != patterns.REGEX:
                shapes = templates if form.kind == patterns.TEMPLATE else prefixes
                members = shapes.setdefault((len(form.segments), form.shape), {})
                key = _picker(form.shape)([segment or "" for segment in form.segments])
                members[key] = (*members.get(key, ()), lane)
        for lane in lanes:
            if lane.route.match.path.startswith("~"):
                regexes.setdefault(lane.route.match.path[1:], []).append(lane)
        self._templates = _by_count(templates)
        self._prefixes = tuple(
            (length, Shape(_picker(shape), prefixes[length, shape]))
            for length, shape in sorted(prefixes, key=lambda key: (-key[0], -len(key[1]), key[1]))
        )
        self._regexes = tuple(
            (re.compile(text), tuple(sorted(same, key=lambda one: -weight_of(one.route.match))))
            for text, same in regexes.items()
        )


def compile_table(snapshot: Snapshot, overrides: Mapping[str, Override], legacy_only: bool = False) -> Table:
    """Compile a snapshot's routes with what was set at run time on top."""
    lanes = tuple(_lane(route, overrides.get(route.name), legacy_only) for route in snapshot.routes)
    return Table(lanes, default_lane(snapshot))


def effective_weight(route: Route, override: Override | None) -> float:
    """Return the percent of users the modern side answers now.

    A route with steps stands before the first one until an override names a step, counted from 1; a number
    past the last step is the last step.
    """
    steps = route.rollout.steps
    if override is None:
        return 0.0 if steps else route.rollout.weight
    if override.rolled_back:
        return 0.0
    if override.weight is not None:
        return override.weight
    if not steps:
        return route.rollout.weight
    step = min(override.step or 0, len(steps))
    return steps[step - 1].weight if step > 0 else 0.0


def default_lane(snapshot: Snapshot) -> Lane:
    """Return the lane of requests no route takes: to the default backend, never mirrored."""
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
    return _prepare(route, 0.0, "default")


def _lane(route: Route, override: Override | None, legacy_only: bool) -> Lane:
    stopped = None
    if override is not None and override.rolled_back:
        stopped = "rolled_back"
    elif legacy_only:
        stopped = "legacy_only"
    return _prepare(route, effective_weight(route, override), stopped)


def _prepare(route: Route, weight: float, stopped: str | None) -> Lane:
    rollout = route.rollout
    form = patterns.parse(route.match.path)
    return Lane(
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
    """Whether a side's path ends in `/**`, so that what the prefix left over must be kept."""
    return any(side.path is not None and side.path.endswith("/**") for side in (route.legacy, route.modern))


def _by_count(
    templates: dict[tuple[int, tuple[int, ...]], dict[object, tuple[Lane, ...]]],
) -> dict[int, tuple[Shape, ...]]:
    ordered: dict[int, tuple[Shape, ...]] = {}
    for count, shape in sorted(templates, key=lambda key: (-len(key[1]), key[1])):
        ordered[count] = (*ordered.get(count, ()), Shape(_picker(shape), templates[count, shape]))
    return ordered


def _picker(shape: tuple[int, ...]) -> Callable[[list[str]], object]:
    """Return what takes the literal segments out of a path, as one hashable value."""
    return itemgetter(*shape) if shape else _nothing


def _nothing(_segments: list[str]) -> object:
    return ()


def _takes(lane: Lane, method: str, facts: Facts, rejected: list[Rejection] | None) -> bool:
    """Whether a lane whose path matches takes this request."""
    if lane.methods is not None and method not in lane.methods:
        if rejected is not None:
            rejected.append(Rejection(lane, f"method {method} is not among {' '.join(sorted(lane.methods))}"))
        return False
    if not lane.conditions:
        return True
    why = unmet(lane.conditions, facts)
    if why is not None and rejected is not None:
        rejected.append(Rejection(lane, why))
    return why is None


def _captured(lane: Lane, segments: list[str]) -> Mapping[str, str] | None:
    """Return the names a path captured, None when a named segment is empty."""
    if not lane.names and lane.rest < 0:
        return NO_NAMES
    names: dict[str, str] = {}
    for name, index in lane.names:
        value = segments[index]
        if not value:
            return None
        names[name] = value
    if lane.rest >= 0:
        names[patterns.REST] = "/".join(segments[lane.rest :])
    return names


def _groups(match: re.Match[str]) -> Mapping[str, str]:
    groups = match.groupdict()
    return {name: value for name, value in groups.items() if value is not None} if groups else NO_NAMES
