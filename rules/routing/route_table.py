"""The compiled table: index by path shape, lookup, precedence.

Precedence: exact path, then templates with most literal segments first, then prefixes with the longest first,
then regexes in file order; within one path the route with more conditions first. Routes are kept by *shape*
(how many segments, which of them literal): one dictionary look-up a shape, however many routes share it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from rules.bounded_cache import evict_oldest
from rules.captured import Captured
from rules.model import NO_NAMES, Facts, Override, Snapshot
from rules.routing import pattern as patterns
from rules.routing.compiled_route import CompiledRoute, compiled_route_of, default_compiled_route
from rules.routing.conditions import Condition, unmet, value_of, weight_of
from rules.routing.pattern import climbs, is_plain, is_reading_of, readings

# All compiled routes of one path, in the order in which they are tried.
#
# One path may carry a thousand routes, distinguished by a parameter (`index.php?r=…`), a host or a header. Then the
# condition that most of them name is looked up first, so that only routes with the right value are tried.


_WORTH_A_FORK: Final = 4


class PathRoutes:
    """The compiled routes of one path.

    Immutable. With a `discriminator` the routes are in `candidates`, else in `compiled_routes`.
    """

    __slots__ = ("_by_value", "_unconditional", "compiled_routes", "discriminator")

    def __init__(self, compiled_routes: list[CompiledRoute]) -> None:
        self.compiled_routes: tuple[CompiledRoute, ...] = tuple(
            sorted(compiled_routes, key=lambda compiled: -weight_of(compiled.route.match))
        )
        self.discriminator: Condition | None = _telling(self.compiled_routes)
        self._by_value: dict[str | None, tuple[CompiledRoute, ...]] = {}
        self._unconditional: tuple[CompiledRoute, ...] = ()
        if self.discriminator is not None:
            self._fork(self.discriminator)

    def candidates(self, facts: Facts) -> tuple[CompiledRoute, ...]:
        """Return the routes that can take this request, by the value of the one distinguishing condition."""
        if self.discriminator is None:
            return self.compiled_routes
        return self._by_value.get(value_of(self.discriminator, facts), self._unconditional)

    def replaced(self, compiled_routes: Mapping[str, CompiledRoute]) -> PathRoutes:
        """Return a copy with other compiled routes by name; itself where none is concerned."""
        if not any(compiled.route.name in compiled_routes for compiled in self.compiled_routes):
            return self
        return PathRoutes([compiled_routes.get(compiled.route.name, compiled) for compiled in self.compiled_routes])

    def _fork(self, probe: Condition) -> None:
        wanted = [_exact(compiled, probe) for compiled in self.compiled_routes]
        self._unconditional = tuple(
            compiled for compiled, value in zip(self.compiled_routes, wanted, strict=True) if value is None
        )
        places: dict[str, list[int]] = {}
        loose = [at for at, value in enumerate(wanted) if value is None]
        for at, value in enumerate(wanted):
            if value is not None:
                places.setdefault(value, []).append(at)
        for value, found in places.items():
            self._by_value[value] = tuple(self.compiled_routes[at] for at in sorted((*found, *loose)))


def _telling(compiled_routes: tuple[CompiledRoute, ...]) -> Condition | None:
    """Return the condition for which most routes require an exact value; None where trying them in turn is as good."""
    if len(compiled_routes) <= _WORTH_A_FORK:
        return None
    named: dict[tuple[str, str], Condition] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for compiled in compiled_routes:
        for condition in compiled.conditions:
            if condition.exact is not None:
                key = condition.kind, condition.name
                named.setdefault(key, condition)
                counts[key] += 1
    if not counts:
        return None
    key, count = counts.most_common(1)[0]
    return named[key] if count > 1 else None


def _exact(compiled: CompiledRoute, probe: Condition) -> str | None:
    for condition in compiled.conditions:
        if condition.kind == probe.kind and condition.name == probe.name:
            return condition.exact
    return None


# Keeps compiled routes by the shape of their paths, so that one look-up finds all that share a shape.


Form = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PathShape:
    """All paths of one shape: `key` picks the literal segments, `path_routes` maps them to their routes."""

    length: int
    key: Callable[[list[str]], object]
    path_routes: dict[object, PathRoutes]

    def replaced(self, compiled_routes: Mapping[str, CompiledRoute]) -> PathShape:
        """Return a copy with other compiled routes, by name."""
        return PathShape(
            self.length,
            self.key,
            {key: path_routes.replaced(compiled_routes) for key, path_routes in self.path_routes.items()},
        )


@dataclass(frozen=True, slots=True)
class PathIndex:
    """All compiled routes by the shape of their paths; immutable."""

    exact: dict[str, PathRoutes]
    templates: dict[int, tuple[PathShape, ...]]
    prefixes: tuple[PathShape, ...]
    regexes: tuple[tuple[re.Pattern[str], PathRoutes], ...]

    def replaced(self, compiled_routes: Mapping[str, CompiledRoute]) -> PathIndex:
        """Return a copy with other compiled routes, by name."""
        return PathIndex(
            {path: path_routes.replaced(compiled_routes) for path, path_routes in self.exact.items()},
            {length: _all_replaced(shapes, compiled_routes) for length, shapes in self.templates.items()},
            _all_replaced(self.prefixes, compiled_routes),
            tuple([(expression, path_routes.replaced(compiled_routes)) for expression, path_routes in self.regexes]),
        )


def _all_replaced(shapes: tuple[PathShape, ...], compiled_routes: Mapping[str, CompiledRoute]) -> tuple[PathShape, ...]:
    return tuple([shape.replaced(compiled_routes) for shape in shapes])


def indexed(compiled_routes: tuple[CompiledRoute, ...]) -> PathIndex:
    """Return the index of `compiled_routes`."""
    exact, templates, prefixes, regexes = _sorted_out(compiled_routes)
    by_length: dict[int, tuple[PathShape, ...]] = {}
    for shape in _shapes(templates):
        by_length[shape.length] = (*by_length.get(shape.length, ()), shape)
    return PathIndex(
        {path: PathRoutes(same) for path, same in exact.items()},
        by_length,
        _shapes(prefixes),
        tuple([(re.compile(text), PathRoutes(same)) for text, same in regexes.items()]),
    )


def _sorted_out(
    compiled_routes: tuple[CompiledRoute, ...],
) -> tuple[
    dict[str, list[CompiledRoute]],
    dict[Form, dict[object, list[CompiledRoute]]],
    dict[Form, dict[object, list[CompiledRoute]]],
    dict[str, list[CompiledRoute]],
]:
    """Return compiled routes by exact path, by shape of template, by shape of prefix, by regex in file order."""
    exact: dict[str, list[CompiledRoute]] = {}
    templates: dict[Form, dict[object, list[CompiledRoute]]] = {}
    prefixes: dict[Form, dict[object, list[CompiledRoute]]] = {}
    regexes: dict[str, list[CompiledRoute]] = {}
    for compiled in compiled_routes:
        form = patterns.parse(compiled.route.match.path)
        if form.kind == patterns.EXACT:
            exact.setdefault(form.text, []).append(compiled)
        elif form.kind == patterns.REGEX:
            regexes.setdefault(form.text, []).append(compiled)
        else:
            forms = templates if form.kind == patterns.TEMPLATE else prefixes
            members = forms.setdefault((len(form.segments), form.shape), {})
            key = _picker(form.shape)(["", *(segment or "" for segment in form.segments)])
            members.setdefault(key, []).append(compiled)
    return exact, templates, prefixes, regexes


def _shapes(forms: Mapping[Form, dict[object, list[CompiledRoute]]]) -> tuple[PathShape, ...]:
    """Return the shapes, the longest first, of equally long ones those with most literals first."""
    order = sorted(forms, key=lambda form: (-form[0], -len(form[1]), form[1]))
    return tuple(
        PathShape(length, _picker(literals), {key: PathRoutes(same) for key, same in forms[length, literals].items()})
        for length, literals in order
    )


def _picker(literals: tuple[int, ...]) -> Callable[[list[str]], object]:
    """Return a function that reads the literal segments of a split path, as one hashable value.

    A split path begins with the empty text before its first slash, so that segment 0 is at 1.
    """
    return itemgetter(*(at + 1 for at in literals)) if literals else _nothing


def _nothing(_segments: list[str]) -> object:
    return ()


_KNOWN_AT_MOST: Final = 8192
_KNOWN_LENGTH: Final = 256
Found = tuple[CompiledRoute, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A compiled route whose path matched but not its conditions, with the reason in words."""

    compiled: CompiledRoute
    why: str


class Table:
    """All compiled routes, found by path. Only `known` changes once it is built.

    Where no route looks beyond path and method, `known` caches the result of these: most paths are repeated. In
    other tables it stays empty. It does not serve OPTIONS, which may be about another method's route.
    """

    def __init__(
        self, compiled_routes: tuple[CompiledRoute, ...], default: CompiledRoute, index: PathIndex | None = None
    ) -> None:
        self.compiled_routes = compiled_routes
        self.default = default
        self._by_name = {compiled.route.name: compiled for compiled in compiled_routes}
        found = self._index = indexed(compiled_routes) if index is None else index
        self._exact, self._templates = found.exact, found.templates
        self._prefixes, self._regexes = found.prefixes, found.regexes
        self._is_plain = not any(compiled.conditions for compiled in compiled_routes)
        self.known: dict[tuple[str, str], Found] = {}

    def replaced(self, compiled_routes: Mapping[str, CompiledRoute]) -> Table:
        """Return a copy with other compiled routes, by name; unchanged parts are shared.

        Two thousand routes take a millisecond or two: nothing is compiled again.
        """
        kept = tuple([compiled_routes.get(compiled.route.name, compiled) for compiled in self.compiled_routes])
        return Table(kept, self.default, self._index.replaced(compiled_routes))

    def compiled_route_of(self, name: str) -> CompiledRoute | None:
        """Return a compiled route by its name."""
        return self._by_name.get(name)

    def find(self, facts: Facts, rejected: list[Rejection] | None = None) -> Found:
        """Return the compiled route of a request with the names its path captured; `_default` when none matches.

        `rejected`, where given, collects the routes that were passed over: for `explain`, never for traffic.
        """
        method = facts.method
        if method == "OPTIONS":
            method = facts.header("access-control-request-method") or method
        if not self._is_plain or rejected is not None:
            return self._find(facts.path, method, facts, rejected)
        key = facts.path, method
        found = self.known.get(key)
        if found is None:
            found = self._find(facts.path, method, facts, None)
            evict_oldest(self.known, _KNOWN_AT_MOST)
            if len(facts.path) <= _KNOWN_LENGTH:
                self.known[key] = found
        return found

    def _find(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found:
        path_routes = self._exact.get(path)
        if path_routes is not None:
            # A path that equals a route's own is plain: a configuration with another path is refused.
            for compiled in (
                path_routes.compiled_routes if path_routes.discriminator is None else path_routes.candidates(facts)
            ):
                if _takes(compiled, method, facts, rejected):
                    return compiled, NO_NAMES
        elif not is_plain(path):
            return self._find_odd(path, method, facts, rejected)
        found = self._search(path, method, facts, rejected)
        return (self.default, NO_NAMES) if found is None else found

    def _find_odd(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found:
        """Find the compiled route on which all readings of a path agree; the names are those of the usual reading.

        Each keeps the client's spelling, so that it is sent on unchanged; where the spelling climbs, the reading is
        used.
        """
        agreed: Found | None = None
        for reading in readings(path):
            found = self._look_up(reading, method, facts, rejected)
            if found is None or (agreed is not None and found[0] is not agreed[0]):
                return self.default, NO_NAMES
            agreed = agreed or found
        if agreed is None:
            return self.default, NO_NAMES
        compiled, names = agreed
        return compiled, _as_sent(names, self._spelled(compiled, path)) if names else names

    def _spelled(self, compiled: CompiledRoute, path: str) -> Mapping[str, str]:
        """Return what a route captures of a path as spelled, nothing where the spelling does not match."""
        for expression, path_routes in self._regexes:
            if any(each is compiled for each in path_routes.compiled_routes):
                match = expression.search(path)
                return NO_NAMES if match is None else _groups(match) or NO_NAMES
        segments = path.split("/")
        if len(segments) - 1 < max((index for _, index in compiled.names), default=0) + 1:
            return NO_NAMES
        return _captured(compiled, segments) or NO_NAMES

    def _look_up(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        path_routes = self._exact.get(path)
        for compiled in path_routes.candidates(facts) if path_routes is not None else ():
            if _takes(compiled, method, facts, rejected):
                return compiled, NO_NAMES
        return self._search(path, method, facts, rejected)

    def _search(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        """Find a compiled route by template, then by prefix, then by regex."""
        if path[:1] != "/":
            return None
        segments = path.split("/")
        count = len(segments) - 1
        for shape in self._templates.get(count, ()):
            path_routes = shape.path_routes.get(shape.key(segments))
            if path_routes is not None:
                found = _first(path_routes, segments, method, facts, rejected)
                if found is not None:
                    return found
        for shape in self._prefixes:
            path_routes = shape.path_routes.get(shape.key(segments)) if shape.length <= count else None
            if path_routes is not None:
                found = _first(path_routes, segments, method, facts, rejected)
                if found is not None:
                    return found
        return self._by_regex(path, method, facts, rejected) if self._regexes else None

    def _by_regex(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        for expression, path_routes in self._regexes:
            match = expression.search(path)
            names = None if match is None else _groups(match)
            if names is not None:
                for compiled in path_routes.candidates(facts):
                    if _takes(compiled, method, facts, rejected):
                        return compiled, names
        return None


def compile_table(
    snapshot: Snapshot,
    overrides: Mapping[str, Override],
    legacy_only: bool,  # noqa: FBT001 - one of three things a generation is made of
) -> Table:
    """Compile a snapshot's routes with what was set at run time on top."""
    compiled_routes = tuple(
        compiled_route_of(route, overrides.get(route.name), legacy_only=legacy_only) for route in snapshot.routes
    )
    return Table(compiled_routes, default_compiled_route(snapshot))


def _first(
    path_routes: PathRoutes, segments: list[str], method: str, facts: Facts, rejected: list[Rejection] | None
) -> Found | None:
    """Return the first compiled route of a path that takes the request."""
    for compiled in path_routes.compiled_routes if path_routes.discriminator is None else path_routes.candidates(facts):
        names = _captured(compiled, segments) if compiled.names or compiled.rest >= 0 else NO_NAMES
        if names is not None and _takes(compiled, method, facts, rejected):
            return compiled, names
    return None


def _takes(compiled: CompiledRoute, method: str, facts: Facts, rejected: list[Rejection] | None) -> bool:
    """Whether a compiled route whose path matches takes this request."""
    if compiled.methods is not None and method not in compiled.methods:
        if rejected is not None:
            rejected.append(
                Rejection(compiled, f"{method} is not among its methods {' '.join(sorted(compiled.methods))}")
            )
        return False
    if not compiled.conditions:
        return True
    why = unmet(compiled.conditions, facts)
    if why is not None and rejected is not None:
        rejected.append(Rejection(compiled, why))
    return why is None


def _captured(compiled: CompiledRoute, segments: list[str]) -> Mapping[str, str] | None:
    """Return the names a split path captured, None when a named segment is empty."""
    names: dict[str, str] = {}
    for name, index in compiled.names:
        value = segments[index + 1]
        if not value:
            return None
        names[name] = value
    if 0 <= compiled.rest < len(segments) - 1:
        names[patterns.REST] = "/".join(segments[compiled.rest + 1 :])
    return names


def _as_sent(names: Mapping[str, str], spelled: Mapping[str, str]) -> Mapping[str, str]:
    """Return the names with the client's spelling; without it where the two differ in meaning or a dot would climb."""
    if any(climbs(value) for value in spelled.values()):
        return names
    same = [is_reading_of(spelled.get(name, ""), value, is_rest=name == patterns.REST) for name, value in names.items()]
    return {name: Captured(value, spelled[name]) for name, value in names.items()} if all(same) else names


def _groups(match: re.Match[str]) -> Mapping[str, str] | None:
    """Return what a regex captured by name; None where putting it into a path could make the path climb."""
    found = match.groupdict()
    if not found:
        return NO_NAMES
    names = {name: value for name, value in found.items() if value is not None}
    if any("." in value and not {".", ".."}.isdisjoint(value.split("/")) for value in names.values()):
        return None
    return names
