"""Compares two JSON bodies that a C parser has read: only the few values that differ are made exact and walked.

Most of a body is the same on both sides, and most of comparing it was to read its numbers as their literals. Where the
texts allow it (see `quick_equal`), values read as doubles are held together, and what is not the same goes to the walk
(`json_compare`), with the literals that it had in the text. Whatever is doubtful is left to the walk over everything,
to which the context is handed as it was: `tests/property/test_quick_differences.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from comparators.context import Context, Full
from comparators.paths import Place, Trail
from comparators.quick_equal import INEXACT, PLAIN, exactness, has_members, has_minus_zero, parsed
from comparators.row_walk import RowWalk

MOST_FINDINGS: Final = 8
"""From so many on it is to be asked whether the rows of a list are in another order: the walk does that."""
_MOST_PLACES: Final = 4096
_DEEPEST: Final = 64
_LONGEST: Final = 256 << 10
"""Of one body: of larger ones reading is the smaller part, and reading in vain costs most."""
_ABSENT: Final = object()
_VALUES, _ADDED, _REMOVED = range(3)

Found = tuple[int, Any, Any, Trail, Place, int]


class _Doubtful(Exception):
    """It is left to the walk over everything."""


def quick_differences(
    legacy: bytes, modern: bytes, context: Context, walk: Callable[[Context, str, str], RowWalk]
) -> bool:
    """Compare two JSON bodies; False where that is left to the walk over everything, and nothing was done."""
    if context.minds_places or context.alike or context.again is not None or max(len(legacy), len(modern)) > _LONGEST:
        return False
    values = parsed(legacy), parsed(modern)
    if None in values:
        return False
    look = _Look(legacy, modern)
    try:
        look.values(values[0], values[1], None, context.policy.place, 0)
        found = look.exact()
    except _Doubtful:
        return False
    if found:
        context.documents = values
    return not found or _walked(found, context, walk(context, legacy.decode(), modern.decode()))


def _walked(found: list[Found], context: Context, walk: RowWalk) -> bool:
    """Walk what differs; False where there is more to it than single values, and all of it is taken back."""
    before = context.mark()
    most = before.differences + MOST_FINDINGS
    try:
        for kind, left, right, trail, place, depth in found:
            if kind == _VALUES:
                walk.values(left, right, trail, place, depth)
            elif kind == _ADDED:
                walk.added(right, trail, place)
            else:
                walk.removed(left, trail, place)
            if context.differences >= most:
                break
        else:
            if not _may_be_moved(found, context, before.findings):
                return True
    except Full:
        pass
    context.go_back(before)
    return False


def _may_be_moved(found: list[Found], context: Context, first: int) -> bool:
    """Whether what one place of a list lacks stands in another one."""
    findings = context.findings[first:]
    if len(findings) <= 1 or not any(_is_in_list(each[3]) for each in found):
        return False
    there = {each.modern for each in findings}
    return any(each.legacy in there for each in findings)


def _is_in_list(trail: Trail) -> bool:
    while trail is not None:
        trail, step = trail
        if type(step) is int:
            return True
    return False


class _Look:
    """One pass over two values: collects where they differ, and what is to be known of the texts for that to hold."""

    def __init__(self, legacy: bytes, modern: bytes) -> None:
        self._bodies = legacy, modern
        self._members = [0, 0]
        self._floats = False
        self._found: list[Found] = []
        self._exactness = [-1, -1]

    def values(self, left: Any, right: Any, trail: Trail, place: Place, depth: int) -> None:
        """Hold two values together whose types may be anything."""
        kind = type(right)
        if kind is not type(left) or place.ignored is not None:
            self._add(_VALUES, left, right, trail, place, depth)
        elif kind is dict:
            self._objects(left, right, trail, place, depth)
        else:
            self._lists(left, right, trail, place, depth)

    def _objects(self, left: dict[str, Any], right: dict[str, Any], trail: Trail, place: Place, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Doubtful
        self._members[0] += len(left)
        self._members[1] += len(right)
        bare, common = place.bare, 0
        for name, value in right.items():
            other = left.get(name, _ABSENT)
            if other is value:
                common += 1
                continue
            kind = type(value)
            if kind is str and type(other) is str and value == other:
                common += 1
                continue
            inner = place if bare else place.step(name)
            if other is _ABSENT:
                self._add(_ADDED, None, value, (trail, name), inner, depth + 1)
                continue
            common += 1
            if kind is dict or kind is list:
                self.values(other, value, (trail, name), inner, depth + 1)
            elif not self._are_same(other, value):
                self._add(_VALUES, other, value, (trail, name), inner, depth + 1)
        if common != len(left):
            for name, other in left.items():
                if name not in right:
                    self._add(_REMOVED, other, None, (trail, name), place.step(name), depth + 1)

    def _lists(self, left: list[Any], right: list[Any], trail: Trail, place: Place, depth: int) -> None:
        if depth > _DEEPEST or place.unordered is not None:
            raise _Doubtful
        if len(left) != len(right):
            self._add(_VALUES, left, right, trail, place, depth)
            return
        bare = place.bare
        for index, value in enumerate(right):
            other = left[index]
            if other is value:
                continue
            kind = type(value)
            if kind is dict or kind is list:
                self.values(other, value, (trail, index), place if bare else place.step(index), depth + 1)
            elif not self._are_same(other, value):
                inner = place if bare else place.step(index)
                self._add(_VALUES, other, value, (trail, index), inner, depth + 1)

    def _are_same(self, left: Any, right: Any) -> bool:
        kind, other = type(right), type(left)
        if kind is other:
            if kind is float:
                self._floats = True
            return bool(left == right)
        if (kind is float and other is int) or (kind is int and other is float):
            self._floats = True
            return bool(left == right)
        return False

    def _add(self, kind: int, left: Any, right: Any, trail: Trail, place: Place, depth: int) -> None:
        if len(self._found) >= _MOST_PLACES:
            raise _Doubtful
        self._found.append((kind, left, right, trail, place, depth))

    def exact(self) -> list[Found]:
        """Return what differs, with numbers as their literals; _Doubtful where the texts may say something else."""
        found = [
            (kind, self._exact(left, 0, depth), self._exact(right, 1, depth), trail, place, depth)
            for kind, left, right, trail, place, depth in self._found
        ]
        legacy, modern = self._bodies
        if self._floats and INEXACT in {self._exactly(0), self._exactly(1)}:
            raise _Doubtful
        if not (has_members(legacy, self._members[0]) and has_members(modern, self._members[1])):
            raise _Doubtful
        return found

    def _exactly(self, side: int) -> int:
        if self._exactness[side] < 0:
            self._exactness[side] = exactness(self._bodies[side])
        return self._exactness[side]

    def _exact(self, value: Any, side: int, depth: int) -> Any:
        kind = type(value)
        if kind is str or value is None or kind is bool:
            return value
        if kind is int:
            if not value and has_minus_zero(self._bodies[side]):
                raise _Doubtful
            return b"%d" % value
        if kind is float:
            return self._decimal(value, side)
        if depth > _DEEPEST:
            raise _Doubtful
        if kind is dict:
            self._members[side] += len(value)
            return {name: self._exact(each, side, depth + 1) for name, each in value.items()}
        return [self._exact(each, side, depth + 1) for each in value]

    def _decimal(self, value: float, side: int) -> bytes:
        """Return how a double is written: in the shortest way, where no other spelling of it is in the text."""
        written = repr(value).encode()
        if self._exactly(side) != PLAIN or b"e" in written or written + b"0" in self._bodies[side]:
            raise _Doubtful
        return written
