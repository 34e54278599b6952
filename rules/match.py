"""The table of routes, compiled once so that a request finds its route in constant time.

Precedence: exact path, then templates with most literal segments first, then prefixes with the longest first,
then regexes in file order; within one path the lane with more conditions first. Routes are kept by *shape*
(how many segments, which of them literal): one dictionary look-up a shape, however many routes share it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rules import pattern as patterns
from rules.bunch import Bunch
from rules.conditions import unmet
from rules.index import Index, indexed
from rules.lane import Lane, default_lane, effective_weight, lane_of
from rules.model import NO_NAMES, Facts, Override, Snapshot
from rules.reading import is_plain, readings

__all__ = ["Lane", "Rejection", "Table", "compile_table", "effective_weight"]

_KNOWN_AT_MOST = 8192
_KNOWN_LENGTH = 256
Found = tuple[Lane, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A lane whose path matched though the request is not for it, with the reason in words."""

    lane: Lane
    why: str


class Table:
    """Every lane, found by path. Nothing in it changes once it is built but `known`.

    Where no route looks beyond path and method, `known` remembers which lane these led to: most paths come again. In
    other tables it stays empty. What it says of a method is not true of an OPTIONS, which may ask for another's lane.
    """

    def __init__(self, lanes: tuple[Lane, ...], default: Lane, index: Index | None = None) -> None:
        self.lanes = lanes
        self.default = default
        self._by_name = {lane.route.name: lane for lane in lanes}
        found = self._index = indexed(lanes) if index is None else index
        self._exact, self._templates = found.exact, found.templates
        self._prefixes, self._regexes = found.prefixes, found.regexes
        self._is_plain = not any(lane.conditions for lane in lanes)
        self.known: dict[tuple[str, str], Found] = {}

    def replaced(self, lanes: Mapping[str, Lane]) -> Table:
        """Return this table with other lanes of the same routes, by name; what is not concerned is shared.

        Two thousand routes are gone through in a millisecond or two: nothing is compiled again.
        """
        kept = tuple([lanes.get(lane.route.name, lane) for lane in self.lanes])
        return Table(kept, self.default, self._index.replaced(lanes))

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
        if not self._is_plain or rejected is not None:
            return self._find(facts.path, method, facts, rejected)
        key = facts.path, method
        found = self.known.get(key)
        if found is None:
            found = self._find(facts.path, method, facts, None)
            if len(self.known) >= _KNOWN_AT_MOST:
                self.known.clear()
            if len(facts.path) <= _KNOWN_LENGTH:
                self.known[key] = found
        return found

    def _find(self, path: str, method: str, facts: Facts, rejected: list[Rejection] | None) -> Found:
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
