"""Checks across the fields of one route, and of routes that overlap."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice, pairwise

from rules.invariant_parser import InvariantError
from rules.invariants import compile_invariant
from rules.methods import READ_METHODS
from rules.model import SAFE_METHODS, Match, Route, SidePolicy, Snapshot
from rules.problems import WARNING, Finding
from rules.routing import pattern
from rules.routing.conditions import bare_host, methods_of, weight_of
from rules.routing.pattern import Pattern
from rules.safe_regex import literal_start, matches_everything
from rules.secret_names import looks_secret
from rules.ways_back import obstacle

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A snapshot under test.

    `indexes` are the places of its routes in the file (wrong ones are left out), `backends` every name the
    file gives a backend, sound or not, `lost` the sections that could not be read. `from_environment` returns
    whether the value at a path came from a variable, `is_written` whether the file writes it there (not under
    the defaults).
    """

    snapshot: Snapshot
    indexes: tuple[int, ...]
    backends: frozenset[str]
    lost: frozenset[str]
    from_environment: Callable[[Path], bool]
    is_written: Callable[[Path], bool]

    def routes(self) -> Iterator[tuple[Path, Route]]:
        """Yield each route with its path in the file."""
        for index, route in zip(self.indexes, self.snapshot.routes, strict=True):
            yield ("routes", index), route


# Whether two routes' conditions can hold for one request.


def can_meet(one: Match, two: Match) -> bool:
    """Whether some request meets the conditions of both; yes where that is unknown."""
    mine, theirs = methods_of(one), methods_of(two)
    if mine is not None and theirs is not None and not mine & theirs:
        return False
    if one.host is not None and two.host is not None and _hosts_apart(one.host, two.host):
        return False
    return not (_pairs_apart(one.headers, two.headers, fold=True) or _pairs_apart(one.query, two.query, fold=False))


def exact_values(match: Match) -> dict[str, str]:
    """Return the exact values a route requires, by place: two routes that differ in one never share a request."""
    named = [(f"header {name.lower()}", value) for name, value in match.headers]
    named += [(f"query {name}", value) for name, value in match.query]
    if match.host is not None and not match.host.startswith("*."):
        named.append(("host", bare_host(match.host)))
    return {name: value for name, value in named if not value.startswith("~")}


def _hosts_apart(one: str, two: str) -> bool:
    if one.startswith("~") or two.startswith("~"):
        return _values_apart(one, two)
    first, second = bare_host(one), bare_host(two)
    if first.startswith("*.") and second.startswith("*."):
        return not (first[1:].endswith(second[1:]) or second[1:].endswith(first[1:]))
    if first.startswith("*."):
        return not second.endswith(first[1:])
    if second.startswith("*."):
        return not first.endswith(second[1:])
    return first != second


def _pairs_apart(one: tuple[tuple[str, str], ...], two: tuple[tuple[str, str], ...], *, fold: bool) -> bool:
    """Whether both require different exact values of one name."""
    theirs = {name.lower() if fold else name: value for name, value in two}
    return any(
        _values_apart(value, theirs[key])
        for key, value in ((name.lower() if fold else name, value) for name, value in one)
        if key in theirs
    )


def _values_apart(one: str, two: str) -> bool:
    if not one.startswith("~") and not two.startswith("~"):
        return one != two
    if one.startswith("~") and two.startswith("~"):
        first, second = literal_start(one[1:]), literal_start(two[1:])
        if first is None or second is None:
            return False
        return not (first.startswith(second) or second.startswith(first))
    regex, text = (one, two) if one.startswith("~") else (two, one)
    return re.search(regex[1:], text) is None


# Checks that every request has one route and every route can get requests.


@dataclass(frozen=True, slots=True)
class Entry:
    """A route with its path split into segments."""

    path: Path
    route: Route
    form: Pattern

    @property
    def literals(self) -> tuple[str | None, ...]:
        """What two routes on one path have in common: the segments, or the regex."""
        return self.form.segments or (self.form.text,)


MOST_PAIRS = 100_000
MOST_TIES = 1000
"""Bounds of what is looked at, of what is reported: a proposed file may have five thousand like routes."""


def ties(plan: Plan) -> Iterator[Finding]:
    """No two routes match one request with the same precedence."""
    on_one_path: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    by_rank: dict[tuple[str, int, int], dict[tuple[int, ...], list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in _entries(plan):
        form = entry.form
        on_one_path[(form.kind, entry.literals, weight_of(entry.route.match))].append(entry)
        if form.kind in {pattern.TEMPLATE, pattern.PREFIX}:
            by_rank[form.kind, len(form.segments), form.literals][form.shape].append(entry)
    pairs = chain(
        ((one, two, False) for same in on_one_path.values() for one, two in _candidates(same)),
        ((one, two, True) for shapes in by_rank.values() for one, two in _crossing(shapes)),
    )
    found = 0
    for one, two, crosses in islice(pairs, MOST_PAIRS):
        if can_meet(one.route.match, two.route.match):
            what = f"can tie with `{one.route.name}`: both match {_common(one, two)}"
            yield _tie(one, two, what if crosses else f"takes the same requests as `{one.route.name}`")
            found += 1
            if found >= MOST_TIES:
                return
    if next(pairs, None) is not None:
        said = "too many routes on one path differ only by patterns: not every pair was looked at"
        hint = "exact values of host, headers or query are distinguished at once"
        yield Finding(("routes",), said, hint, at_key=True, level=WARNING)


def unreachable(plan: Plan) -> Iterator[Finding]:
    """No route comes after one that takes all of its requests."""
    entries = list(_entries(plan))
    open_prefixes = [
        entry
        for entry in entries
        if entry.form.kind == pattern.PREFIX and weight_of(entry.route.match) == 0 and not entry.form.names
    ]
    catch_all: Entry | None = None
    for entry in entries:
        if entry.form.kind != pattern.REGEX:
            continue
        start = literal_start(entry.form.text)
        first = next((one for one in open_prefixes if _covers(one, start)), catch_all)
        if first is not None:
            message = f"`{entry.route.name}` can never be reached: {first.route.match.path} takes its requests first"
            hint = f"that is `{first.route.name}` on line {first.route.line}; a regex is tried last, in file order"
            yield Finding((*entry.path, "match", "path"), message, hint)
        elif weight_of(entry.route.match) == 0 and matches_everything(entry.form.text):
            catch_all = entry


def _entries(plan: Plan) -> Iterator[Entry]:
    for path, route in plan.routes():
        yield Entry(path, route, pattern.parse(route.match.path))


def _covers(prefix: Entry, start: str | None) -> bool:
    """Whether a prefix takes every path that begins with this text."""
    if not prefix.form.segments:
        return True
    return start is not None and start.startswith("/" + "/".join(map(str, prefix.form.segments)) + "/")


def _candidates(same: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield pairs on one path that may tie; those that require different exact values are not compared.

    One path may carry a thousand routes, distinguished by a parameter (`index.php?r=…`), a host or a header.
    """
    wanted = [exact_values(entry.route.match) for entry in same]
    counts = Counter(name for values in wanted for name in values)
    if len(same) < 3 or not counts:  # noqa: PLR2004 - two can simply be compared
        yield from combinations(same, 2)
        return
    telling = counts.most_common(1)[0][0]
    by_value: dict[str, list[Entry]] = defaultdict(list)
    loose: list[Entry] = []
    for entry, values in zip(same, wanted, strict=True):
        (by_value[values[telling]] if telling in values else loose).append(entry)
    for entries in by_value.values():
        yield from combinations(entries, 2)
        yield from ((one, two) if _before(one, two) else (two, one) for one in entries for two in loose)
    yield from combinations(loose, 2)


def _crossing(shapes: dict[tuple[int, ...], list[Entry]]) -> Iterator[tuple[Entry, Entry]]:
    """Yield pairs of equal precedence whose literals are at different positions yet match one path."""
    for first, second in combinations(shapes, 2):
        common = sorted(set(first) & set(second))
        by_literals: dict[tuple[str | None, ...], list[Entry]] = defaultdict(list)
        for entry in shapes[first]:
            by_literals[tuple(entry.form.segments[at] for at in common)].append(entry)
        for two in shapes[second]:
            for one in by_literals.get(tuple(two.form.segments[at] for at in common), ()):
                yield (one, two) if _before(one, two) else (two, one)


def _before(one: Entry, two: Entry) -> bool:
    return one.route.line <= two.route.line


def _common(one: Entry, two: Entry) -> str:
    """Return a path that both match."""
    segments = [mine or theirs or "x" for mine, theirs in zip(one.form.segments, two.form.segments, strict=True)]
    return "/" + "/".join(segments)


def _tie(one: Entry, two: Entry, what: str) -> Finding:
    hint = f"line {one.route.line}; make one path more literal, or add methods, host, headers or query"
    return Finding((*two.path, "match", "path"), f"`{two.route.name}` {what}", hint)


# Checks on what a side changes in requests or responses.


FRAMING = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
BODILESS = frozenset({204, 205, 304})
PARTIAL = 206


def framing_fields(plan: Plan) -> Iterator[Finding]:
    """What frames a message, or marks a shadow, is the proxy's own."""
    for path, policy in _sides(plan):
        for key, names in (("set", [name for name, _ in policy.headers.set]), ("remove", policy.headers.remove)):
            for at, name in enumerate(names):
                place: Path = (*path, "headers", key, name if key == "set" else at)
                if name.lower() in FRAMING:
                    yield Finding(place, f"`{name}` frames the message; the proxy sets it", "take it out", at_key=True)
                elif name.lower().startswith("x-shadow"):
                    yield Finding(place, f"`{name}` marks shadows; the proxy sets it", "take it out", at_key=True)


def bodies_lost(plan: Plan) -> Iterator[Finding]:
    """A response with a body keeps it, one without gets none: its status decides where it ends."""
    for path, policy in _sides(plan):
        for before, after in policy.status:
            why = _impossible(before, after)
            if why:
                hint = "map to a status of the same form"
                yield Finding((*path, "status", before), f"{before} cannot become {after}: {why}", hint, at_key=True)


def _impossible(before: int, after: int) -> str:
    """Why a client could not read a response of one status under another status; empty where it can."""
    if before == after:
        return ""
    if PARTIAL in (before, after):
        return "a 206 is a part of what its Content-Range says"
    if before in BODILESS and after in BODILESS:
        return f"a {before} and a {after} do not end alike"
    without = before if before in BODILESS else after
    return f"a {without} has no body" if without in BODILESS else ""


def ways_lost(plan: Plan) -> Iterator[Finding]:
    """Where redirects are rewritten, the path of a side can be mapped back to one of ours."""
    for path, route in plan.routes():
        for side, policy in (("legacy", route.legacy), ("modern", route.modern)):
            why = obstacle(route.match.path, policy.path) if policy.rewrite_location and policy.path else ""
            if why:
                message = f"`location: rewrite` cannot map {policy.path} back to {route.match.path}: {why}"
                hint = "clients will be sent to the path of this side; name in it all that the match captures"
                yield Finding((*path, side, "path"), message, hint, level=WARNING)


def methods_made_unsafe(plan: Plan) -> Iterator[Finding]:
    """A method that only reads for the client only reads on a side; HEAD and OPTIONS stay what they are."""
    for path, route in plan.routes():
        for side, policy in (("legacy", route.legacy), ("modern", route.modern)):
            if policy.method is None or policy.method in READ_METHODS:
                continue
            made = [method for method in route.match.methods if method in READ_METHODS]
            if made:
                message = f"{made[0]} cannot become {policy.method}: it would no longer be safe"
                hint = f"give the route's {' and '.join(made)} a route of its own"
                yield Finding((*path, side, "method"), message, hint)


def secrets_written_out(plan: Plan) -> Iterator[Finding]:
    """A secret comes from the environment."""
    for path, policy in _sides(plan):
        for section, pairs in (("headers", policy.headers.set), ("query", policy.query.set)):
            for name, _ in pairs:
                yield from _secret(plan, (*path, section, "set", name), name)
    for path, route in plan.routes():
        for name, value in route.match.headers:
            if not value.startswith("~"):
                yield from _secret(plan, (*path, "match", "headers", name), name)
    for backend in plan.snapshot.backends:
        for name, _ in backend.health.headers if backend.health is not None else ():
            yield from _secret(plan, ("backends", backend.name, "health", "headers", name), name)


def _secret(plan: Plan, path: Path, name: str) -> Iterator[Finding]:
    if looks_secret(name) and not plan.from_environment(path):
        yield Finding(path, f"the value of `{name}` does not belong in the file", "write ${NAME} and set the variable")


def _sides(plan: Plan) -> Iterator[tuple[Path, SidePolicy]]:
    for path, route in plan.routes():
        yield (*path, "legacy"), route.legacy
        yield (*path, "modern"), route.modern


# Checks on which users are sent to the modern side.


def may_get_weight(route: Route) -> bool:
    """Whether the file ever sends users to the modern side."""
    return route.rollout.weight > 0 or any(step.weight > 0 for step in route.rollout.steps)


def weight_without_identity(plan: Plan) -> Iterator[Finding]:
    """A share of users needs an identity of users."""
    if plan.snapshot.identity or "identity" in plan.lost:
        return
    for path, route in plan.routes():
        if route.rollout.by == "user" and may_get_weight(route):
            key = "steps" if route.rollout.steps else "weight"
            yield Finding(
                (*path, "rollout", key),
                f"`{key}` above 0 by user, with no `identity` in the file",
                "add `identity: [sticky]`, or `by: request`",
            )


def lists_without_identity(plan: Plan) -> Iterator[Finding]:
    """A list of users needs an identity of users."""
    if plan.snapshot.identity or "identity" in plan.lost:
        return
    for path, route in plan.routes():
        for key, listed in (("include", route.rollout.include), ("exclude", route.rollout.exclude)):
            if listed:
                message = f"`{key}` names users, with no `identity` in the file"
                yield Finding((*path, "rollout", key), message, "add `identity:`", at_key=True, level=WARNING)


def on_both_lists(plan: Plan) -> Iterator[Finding]:
    """A user on both lists is excluded, which is worth a warning."""
    for path, route in plan.routes():
        both = sorted(set(route.rollout.include) & set(route.rollout.exclude))
        if both:
            message = f"`{both[0]}` is included and excluded; `exclude` wins"
            yield Finding((*path, "rollout", "include"), message, "take it off one list", level=WARNING)


def shrinking_steps(plan: Plan) -> Iterator[Finding]:
    """Steps go up: a smaller one would send users back to legacy."""
    for path, route in plan.routes():
        for index, (before, after) in enumerate(pairwise(route.rollout.steps), start=1):
            if after.weight <= before.weight:
                place: Path = (*path, "rollout", "steps", index)
                message = f"step {index + 1} ({after.weight:g} %) is not above step {index} ({before.weight:g} %)"
                yield Finding(place, message, "order the steps by weight", level=WARNING)


def uneven_groups(plan: Plan) -> Iterator[Finding]:
    """Routes of one group decide alike only with the same weight and the same hash."""
    first: dict[str, Route] = {}
    for path, route in plan.routes():
        group = route.rollout.group
        if group is None:
            continue
        other = first.setdefault(group, route)
        mine, theirs = route.rollout, other.rollout
        same = (mine.weight, mine.steps, mine.hash, mine.by) == (theirs.weight, theirs.steps, theirs.hash, theirs.by)
        if not same:
            message = f"group `{group}` does not stay together: `{route.name}` rolls out unlike `{other.name}`"
            hint = f"give both the same weight, hash and `by`; the other is on line {other.line}"
            yield Finding((*path, "rollout", "group"), message, hint, level=WARNING)


def unguarded_weight(plan: Plan) -> Iterator[Finding]:
    """`guard: none` on a route that gets users is possible, with a warning."""
    for path, route in plan.routes():
        if route.guard is None and may_get_weight(route):
            message = f"`guard: none`: nothing rolls `{route.name}` back when the modern side fails"
            yield Finding((*path, "guard"), message, "leave `guard` out for the usual limits", level=WARNING)


# Checks on what is mirrored.


NEVER = frozenset({"OPTIONS", "TRACE", "CONNECT"})


def methods_never_mirrored(plan: Plan) -> Iterator[Finding]:
    """Responses to some methods have nothing worth comparing."""
    for path, route in plan.routes():
        for index, method in enumerate(route.shadow.methods):
            if method in NEVER:
                place: Path = (*path, "shadow", "methods", index)
                yield Finding(place, f"{method} is never mirrored", "take it off the list")


def writes_without_a_way(plan: Plan) -> Iterator[Finding]:
    """A write is mirrored only when the file says why that is harmless."""
    for path, route in plan.routes():
        if route.shadow.writes != "none":
            continue
        for index, method in enumerate(route.shadow.methods):
            if method not in SAFE_METHODS | NEVER:
                place: Path = (*path, "shadow", "methods", index)
                hint = "say `writes: dry_run` or `writes: isolated`, or mirror GET and HEAD only"
                yield Finding(place, f"{method} would be done twice", hint)


def isolated_without_backend(plan: Plan) -> Iterator[Finding]:
    """`isolated` states that the backend has a database of its own."""
    for path, route in plan.routes():
        if route.shadow.writes == "isolated" and route.shadow.backend is None:
            hint = "name it as `shadow: {backend: NAME}`"
            place: Path = (*path, "shadow", "writes")
            yield Finding(place, "`writes: isolated` needs a backend with its own database", hint)


def nothing_to_mirror(plan: Plan) -> Iterator[Finding]:
    """A sample of methods the route does not take has no effect."""
    for path, route in plan.routes():
        taken = set(route.match.methods) | ({"HEAD"} if "GET" in route.match.methods else set())
        place: Path = (*path, "shadow", "sample")
        nothing = route.shadow.sample > 0 and taken and not taken & set(route.shadow.methods)
        # A sample under `defaults` is meant for the routes it fits.
        if nothing and plan.is_written(place):
            message = f"nothing is mirrored: the route takes {' '.join(route.match.methods)}"
            yield Finding(place, message, f"`shadow.methods` are {' '.join(route.shadow.methods)}", level=WARNING)


# Checks on business rules.


def unreadable_invariants(plan: Plan) -> Iterator[Finding]:
    """An expression that cannot be parsed would check nothing."""
    for path, route in plan.routes():
        for index, invariant in enumerate(route.invariants):
            try:
                compile_invariant(invariant)
            except InvariantError as error:
                place: Path = (*path, "invariants", index, "expr")
                yield Finding(place, str(error), error.hint)
