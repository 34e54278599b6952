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
from rules.bunch import Bunch
from rules.conditions import unmet
from rules.lane import Lane, default_lane, effective_weight, lane_of
from rules.model import NO_NAMES, Facts, Override, Snapshot
from rules.reading import is_plain, readings

__all__ = ["Lane", "Rejection", "Table", "compile_table", "effective_weight"]

Found = tuple[Lane, Mapping[str, str]]
Form = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A lane whose path matched though the request is not for it, with the reason in words."""

    lane: Lane
    why: str


@dataclass(frozen=True, slots=True)
class Shape:
    """All paths of one form: `key` picks the literal segments, `bunches` knows who spelled them."""

    length: int
    key: Callable[[list[str]], object]
    bunches: dict[object, Bunch]


class Table:
    """Every lane, found by path. Nothing in it changes once it is built."""

    def __init__(self, lanes: tuple[Lane, ...], default: Lane) -> None:
        self.lanes = lanes
        self.default = default
        self._by_name = {lane.route.name: lane for lane in lanes}
        exact, templates, prefixes, regexes = _sorted_out(lanes)
        self._exact = {path: Bunch(same) for path, same in exact.items()}
        self._templates: dict[int, tuple[Shape, ...]] = {}
        for shape in _shapes(templates):
            self._templates[shape.length] = (*self._templates.get(shape.length, ()), shape)
        self._prefixes = _shapes(prefixes)
        self._regexes = tuple((re.compile(text), Bunch(same)) for text, same in regexes.items())

    def lane_of(self, name: str) -> Lane | None:
        """Return the lane of a route by its name."""
        return self._by_name.get(name)

    def find(self, facts: Facts, rejected: list[Rejection] | None = None) -> Found:
        """Return the lane a request is on with the names its path captured; `_default` when no route takes it.

        `rejected`, where given, collects the lanes that were passed over: for `explain`, never for traffic.
        """
        method = facts.method
        if method == "OPTIONS":
            method = facts.header("access-control-request-method") or method
        path = facts.path
        bunch = self._exact.get(path)
        if bunch is not None:
            # A path that is spelled as a route spells it is plain: routes with other paths do not load.
            for lane in bunch.lanes if bunch.probe is None else bunch.forked(facts):
                if _takes(lane, method, facts, rejected):
                    return lane, NO_NAMES
        elif not is_plain(path):
            return self._find_odd(path, method, facts, rejected)
        found = self._search(path, method, facts, rejected)
        return (self.default, NO_NAMES) if found is None else found

    def _find_odd(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found:
        """Find the lane on which all readings of a path agree; the names are those of the usual reading."""
        agreed: Found | None = None
        for reading in readings(path):
            found = self._look_up(reading, method, facts, rejected)
            if found is None or (agreed is not None and found[0] is not agreed[0]):
                return self.default, NO_NAMES
            agreed = agreed or found
        return agreed or (self.default, NO_NAMES)

    def _look_up(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        bunch = self._exact.get(path)
        for lane in bunch.forked(facts) if bunch is not None else ():
            if _takes(lane, method, facts, rejected):
                return lane, NO_NAMES
        return self._search(path, method, facts, rejected)

    def _search(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        """Find a lane by template, then by prefix, then by regex."""
        if path[:1] != "/":
            return None
        segments = path.split("/")
        count = len(segments) - 1
        for shape in self._templates.get(count, ()):
            bunch = shape.bunches.get(shape.key(segments))
            if bunch is not None:
                found = _first(bunch, segments, method, facts, rejected)
                if found is not None:
                    return found
        for shape in self._prefixes:
            bunch = shape.bunches.get(shape.key(segments)) if shape.length <= count else None
            if bunch is not None:
                found = _first(bunch, segments, method, facts, rejected)
                if found is not None:
                    return found
        return self._by_regex(path, method, facts, rejected) if self._regexes else None

    def _by_regex(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found | None:
        for expression, bunch in self._regexes:
            match = expression.search(path)
            names = None if match is None else _groups(match)
            if names is not None:
                for lane in bunch.forked(facts):
                    if _takes(lane, method, facts, rejected):
                        return lane, names
        return None


def compile_table(
    snapshot: Snapshot,
    overrides: Mapping[str, Override],
    legacy_only: bool,  # noqa: FBT001 - one of three things a generation is made of
) -> Table:
    """Compile a snapshot's routes with what was set at run time on top."""
    lanes = tuple(lane_of(route, overrides.get(route.name), legacy_only=legacy_only) for route in snapshot.routes)
    return Table(lanes, default_lane(snapshot))


def _sorted_out(
    lanes: tuple[Lane, ...],
) -> tuple[
    dict[str, list[Lane]],
    dict[Form, dict[object, list[Lane]]],
    dict[Form, dict[object, list[Lane]]],
    dict[str, list[Lane]],
]:
    """Return lanes by exact path, by form of template, by form of prefix, by regex in file order."""
    exact: dict[str, list[Lane]] = {}
    templates: dict[Form, dict[object, list[Lane]]] = {}
    prefixes: dict[Form, dict[object, list[Lane]]] = {}
    regexes: dict[str, list[Lane]] = {}
    for lane in lanes:
        form = patterns.parse(lane.route.match.path)
        if form.kind == patterns.EXACT:
            exact.setdefault(form.text, []).append(lane)
        elif form.kind == patterns.REGEX:
            regexes.setdefault(form.text, []).append(lane)
        else:
            forms = templates if form.kind == patterns.TEMPLATE else prefixes
            members = forms.setdefault((len(form.segments), form.shape), {})
            key = _picker(form.shape)(["", *(segment or "" for segment in form.segments)])
            members.setdefault(key, []).append(lane)
    return exact, templates, prefixes, regexes


def _shapes(forms: Mapping[Form, dict[object, list[Lane]]]) -> tuple[Shape, ...]:
    """Return the shapes, the longest first, of equally long ones those with most literals first."""
    order = sorted(forms, key=lambda form: (-form[0], -len(form[1]), form[1]))
    return tuple(
        Shape(length, _picker(literals), {key: Bunch(same) for key, same in forms[length, literals].items()})
        for length, literals in order
    )


def _picker(literals: tuple[int, ...]) -> Callable[[list[str]], object]:
    """Return what takes the literal segments out of a path that was split at its slashes, as one hashable value.

    A split path begins with the empty text before its first slash, so that segment 0 is at 1.
    """
    return itemgetter(*(at + 1 for at in literals)) if literals else _nothing


def _nothing(_segments: list[str]) -> object:
    return ()


def _first(
    bunch: Bunch, segments: list[str], method: str, facts: Facts, rejected: list[Rejection] | None
) -> Found | None:
    """Return the first lane of a bunch that takes the request."""
    for lane in bunch.lanes if bunch.probe is None else bunch.forked(facts):
        names = _captured(lane, segments) if lane.names or lane.rest >= 0 else NO_NAMES
        if names is not None and _takes(lane, method, facts, rejected):
            return lane, names
    return None


def _takes(lane: Lane, method: str, facts: Facts, rejected: list[Rejection] | None) -> bool:
    """Whether a lane whose path matches takes this request."""
    if lane.methods is not None and method not in lane.methods:
        if rejected is not None:
            rejected.append(Rejection(lane, f"{method} is not among its methods {' '.join(sorted(lane.methods))}"))
        return False
    if not lane.conditions:
        return True
    why = unmet(lane.conditions, facts)
    if why is not None and rejected is not None:
        rejected.append(Rejection(lane, why))
    return why is None


def _captured(lane: Lane, segments: list[str]) -> Mapping[str, str] | None:
    """Return the names a split path captured, None when a named segment is empty."""
    names: dict[str, str] = {}
    for name, index in lane.names:
        value = segments[index + 1]
        if not value:
            return None
        names[name] = value
    if 0 <= lane.rest < len(segments) - 1:
        names[patterns.REST] = "/".join(segments[lane.rest + 1 :])
    return names


def _groups(match: re.Match[str]) -> Mapping[str, str] | None:
    """Return what a regex captured by name; None where putting it into a path could make the path climb."""
    found = match.groupdict()
    if not found:
        return NO_NAMES
    names = {name: value for name, value in found.items() if value is not None}
    if any("." in value and not {".", ".."}.isdisjoint(value.split("/")) for value in names.values()):
        return None
    return names
