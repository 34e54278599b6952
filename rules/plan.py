"""What another generation would change, for which users.

The sides are those that `choose` names for the same user in both generations, each on the compiled route that takes an
example of the route's requests: a plan is made by the same code as decisions of traffic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any
from urllib.parse import urlencode

from rules.masking import MASK, Masking
from rules.model import MODERN, NO_NAMES, Facts, Match, Route, Snapshot
from rules.routing import pattern as patterns
from rules.routing.compiled_route import CompiledRoute
from rules.routing.decide import Generation, choose
from rules.routing.route_table import Table
from rules.secret_names import looks_secret
from rules.user_sketch import Sample

# Puts the differences between two frozen values into sentences.


_LONGEST = 120
_NOT_MEANT = ("line", "digest", "source", "version")
"""Fields that identify a value and are no settings."""


_NOTHING_HIDDEN = Masking()


def changes(before: Any, after: Any, path: str = "", masking: Masking = _NOTHING_HIDDEN) -> Iterator[str]:
    """Yield `key: old → new` for each setting that differs, secrets masked; of a file's text only that it changed."""
    if before == after:
        return
    if is_dataclass(before) and type(before) is type(after):
        for one in fields(before):
            if one.name in _NOT_MEANT or not one.repr:
                continue
            yield from changes(getattr(before, one.name), getattr(after, one.name), _under(path, one.name), masking)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from changes(before.get(name), after.get(name), _under(path, str(name)), masking)
    else:
        yield f"{path}: " + " → ".join(_cut(*(_shown(each, path, masking) for each in (before, after))))


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any, path: str, masking: Masking) -> str:
    """Show a value as the file would spell it, roughly."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, str) and (looks_secret(path.rpartition(".")[2]) or masking.named("", value) == MASK):
        return MASK
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return masking.text(value) if isinstance(value, str) else _plain(masking.value(value))


def _cut(before: str, after: str) -> Iterator[str]:
    """Yield both texts, of long ones the stretch around their first difference: one change never looks like none."""
    if max(len(before), len(after)) <= _LONGEST:
        yield from (before, after)
        return
    unlike = (at for at, (one, two) in enumerate(zip(before, after, strict=False)) if one != two)
    at = next(unlike, min(len(before), len(after)))
    start = at - _LONGEST // 2 if at > _LONGEST * 3 // 4 else 0
    for text in (before, after):
        shown = ("…" if start else "") + text[start:]
        yield shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_plain(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(member) for member in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


# Makes up a request that a route takes.


_ANYTHING = "1"


def examples(route: Route, table: Table, methods: tuple[str, ...]) -> Iterator[Facts]:
    """Yield a request for each method of the route that `table` maps to this route.

    `methods` are those of a route that names none. Nothing comes where only a regex says what matches, or
    where another route takes every request that could be made up.
    """
    for method in route.match.methods or methods:
        facts = _example(route.match, method)
        if facts is not None and table.find(facts)[0].route.name == route.name:
            yield facts


def _example(match: Match, method: str) -> Facts | None:
    values = [match.path, match.host or "", *(value for _, value in (*match.headers, *match.query))]
    if any(value.startswith("~") for value in values):
        return None
    headers = {name.lower(): value for name, value in match.headers}
    return Facts(
        method=method,
        path=_path(match.path),
        query=urlencode(match.query) or None,
        host=(match.host or "").replace("*", _ANYTHING),
        header=headers.get,
        user=_no_user,
    )


def _path(path: str) -> str:
    form = patterns.parse(path)
    segments = [_ANYTHING if segment is None else segment for segment in form.segments]
    return "/" + "/".join([*segments, _ANYTHING] if form.kind == patterns.PREFIX else segments)


def _no_user() -> None:
    return None


ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"
NO_USERS = Sample()
_EVEN_DRAW = 0.5
_ALL = 100.0
_NO_EXAMPLE = "no request could be made up for it: users are counted as if no other route took its requests"
_OTHER_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Switching:
    """Of `sampled` users, standing for `estimated`, so many would be served by the other side.

    `of` says which users were sampled: `route` its own; `all` those seen on any route, for a route that has
    not identified its users.
    """

    sampled: int = 0
    to_modern: int = 0
    to_legacy: int = 0
    estimated: int = 0
    of: str = "route"


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """What would change for one route; a weight is the effective one in percent, None where there is no route."""

    name: str
    change: str
    what: tuple[str, ...]
    before: float | None
    after: float | None
    users: Switching


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change; routes in the order of the new file, the removed ones last."""

    routes: tuple[RoutePlan, ...]
    settings: tuple[str, ...]


def plan(before: Generation, after: Generation, seen: Mapping[str, Sample], all_users: Sample) -> Plan:
    """Compare the running generation with another; `seen` holds the sample of each route's users, by its name."""
    old = {route.name: route for route in before.snapshot.routes}
    new = {route.name: route for route in after.snapshot.routes}
    walk = _Walk(before, after, seen, all_users)
    removed = [name for name in old if name not in new]
    routes = tuple(walk.route(name, old.get(name), new.get(name)) for name in (*new, *removed))
    return Plan(routes, tuple(_settings(before.snapshot, after.snapshot)))


class _Walk:
    """Two generations side by side; immutable."""

    def __init__(self, before: Generation, after: Generation, seen: Mapping[str, Sample], all_users: Sample) -> None:
        self._before = before
        self._after = after
        self._seen = seen
        self._all_users = all_users
        self._masking = _masking(before.snapshot, after.snapshot)
        written = {method for one in (before, after) for route in one.snapshot.routes for method in route.match.methods}
        self._methods = tuple(sorted(written.union(_OTHER_METHODS)))

    def route(self, name: str, old: Route | None, new: Route | None) -> RoutePlan:
        """Return what would change for the route of this name, which is in at least one of the files."""
        pairs = self._pairs(old, new)
        unsaid = not pairs and (old is None or new is None)
        pairs = pairs or (self._own(name),)
        users = self._users(name, pairs)
        what = (*self._differences(name, old, new), *_taken(name, pairs, removed=new is None))
        if unsaid:
            what = (*what[:1], _NO_EXAMPLE)
        weights = _weight(self._before, name), _weight(self._after, name)
        if old is None or new is None:
            change = ADDED if old is None else REMOVED
        else:
            moved = users.to_modern or users.to_legacy
            change = CHANGED if what or moved or weights[0] != weights[1] else SAME
        return RoutePlan(name, change, what, *weights, users)

    def _pairs(self, old: Route | None, new: Route | None) -> tuple[tuple[CompiledRoute, CompiledRoute], ...]:
        """Return the compiled routes that take the route's requests in both generations, without repeats."""
        before, after = self._before.table, self._after.table
        route, table = (new, after) if old is None else (old, before)
        found: dict[tuple[str, str], tuple[CompiledRoute, CompiledRoute]] = {}
        for facts in examples(route, table, self._methods) if route is not None else ():
            pair = before.find(facts)[0], after.find(facts)[0]
            found[pair[0].route.name, pair[1].route.name] = pair
        return tuple(found.values())

    def _own(self, name: str) -> tuple[CompiledRoute, CompiledRoute]:
        before, after = self._before.table, self._after.table
        return before.compiled_route_of(name) or before.default, after.compiled_route_of(name) or after.default

    def _users(self, name: str, pairs: tuple[tuple[CompiledRoute, CompiledRoute], ...]) -> Switching:
        sample, of = self._seen.get(name, NO_USERS), "route"
        if not sample.users:
            sample, of = self._all_users, "all"
        differing = [
            (compiled_routes[0], compiled_routes[1]) for compiled_routes in pairs if not _alike(*compiled_routes)
        ]
        to_modern = to_legacy = 0
        for user in sample.users if differing else ():
            ways = {_way(user, *compiled_routes) for compiled_routes in differing}
            to_modern += "to_modern" in ways
            to_legacy += "to_legacy" in ways
        return Switching(len(sample.users), to_modern, to_legacy, sample.estimated, of)

    def _differences(self, name: str, old: Route | None, new: Route | None) -> Iterator[str]:
        if old is None or new is None:
            one = new or old
            if one is not None:
                yield f"{one.match.path}{_methods(one)}: {one.legacy.backend} → {one.modern.backend}"
            return
        found = tuple(changes(old, new, "", self._masking))
        yield from found
        override = self._after.overrides.get(name)
        if found and override is not None and override.rolled_back:
            yield "stays rolled back until it is resumed"
        elif found and override is not None and override.weight is not None:
            yield f"the weight set at run time stays: {override.weight:g} %"
        if (old.rollout.salt, old.rollout.hash) != (new.rollout.salt, new.rollout.hash):
            yield "every user is dealt anew"


def _methods(route: Route) -> str:
    return f" for {' '.join(route.match.methods)}" if route.match.methods else ""


def _taken(name: str, pairs: tuple[tuple[CompiledRoute, CompiledRoute], ...], *, removed: bool) -> Iterator[str]:
    """Return which route takes the requests that this route took, or will take."""
    others = dict.fromkeys(after.route.name for before, after in pairs if before.route.name == name)
    if removed or any(other != name for other in others):
        yield f"its requests would be taken by {', '.join(others)}"
    sources = dict.fromkeys(before.route.name for before, _ in pairs if before.route.name != name)
    if sources:
        yield f"its requests are taken by {', '.join(sources)} until now"


def _weight(generation: Generation, name: str) -> float | None:
    compiled = generation.table.compiled_route_of(name)
    if compiled is None:
        return None
    return compiled.weight if compiled.stopped is None else 0.0


def _alike(before: CompiledRoute, after: CompiledRoute) -> bool:
    """Whether two compiled routes decide alike for every user."""
    rollout = replace(after.route.rollout, weight=before.route.rollout.weight, steps=before.route.rollout.steps)
    return (before.weight, before.stopped, before.route.rollout) == (after.weight, after.stopped, rollout)


def _way(user: str, before: CompiledRoute, after: CompiledRoute) -> str:
    """Return how a user's side would change; None where the side is drawn for each request."""
    facts = Facts("GET", "/", None, "", _no_header, lambda: user)
    sides = []
    for compiled in (before, after):
        decision = choose(compiled, NO_NAMES, facts, _EVEN_DRAW)
        if decision.reason == "weight" and not compiled.by_user and 0.0 < compiled.weight < _ALL:
            return ""
        sides.append(decision.side)
    if sides[0] == sides[1]:
        return ""
    return "to_modern" if sides[1] == MODERN else "to_legacy"


def _no_header(_name: str) -> None:
    return None


def _masking(*snapshots: Snapshot) -> Masking:
    """Mask what either file took from the environment: old and new values are shown together."""
    return Masking(secret for snapshot in snapshots for secret in snapshot.secrets)


def _settings(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Yield what would change outside the routes."""
    masking = _masking(before, after)
    yield from changes(replace(before, routes=(), backends=()), replace(after, routes=(), backends=()), "", masking)
    old, new = ({backend.name: backend for backend in one.backends} for one in (before, after))
    for name in dict.fromkeys((*old, *new)):
        if name in old and name in new:
            yield from changes(old[name], new[name], f"backends.{name}", masking)
        else:
            yield f"backends.{name}: {'added' if name in new else 'removed'}"
    if before.identity != after.identity:
        yield "with another identity users may be known by another id: how many switch cannot be foretold"
