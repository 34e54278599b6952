"""Compares two JSON bodies that a C parser has read: only the few values that differ are made exact and walked.

Most of a body is the same on both sides, and most of comparing it was to read its numbers as their literals. Where the
texts allow it (see `quick_equal`), values read as doubles are held together; what is neither the same nor excused by a
rule that looks at two values alone goes to the walk (`json_compare`), with the literals that it had in the text.
Whatever is doubtful is left to the walk over everything, to which the context is handed as it was:
`tests/property/test_quick_differences.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from comparators.context import Context, Full
from comparators.paths import Place, Trail
from comparators.quick_equal import (
    INEXACT,
    PLAIN,
    Scalars,
    exactness,
    has_minus_zero,
    has_texts,
    is_exact,
    parsed,
)
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
    left, right = parsed(legacy), parsed(modern)
    if left is None or right is None:
        return False
    look = _Look(legacy, modern, context.policy.rules)
    try:
        look.values(left, right, None, context.policy.place, 0)
        found = look.exact()
    except _Doubtful:
        return False
    if found:
        context.documents = left, right
        if not _walked(found, context, walk(context, look.legacy.text(), look.modern.text())):
            return False
    context.forgive_all(look.forgiven())
    return True


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


class _Side:
    """One body, with what only its own values have: `members`, `texts`; what is known of its text is kept."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.members = 0
        self.texts = 0
        self._exactness = -1
        self._minus_zero = -1

    def text(self) -> str:
        """Return the text as far as it can tell how to spell a value: nothing where it has no escapes."""
        return self.body.decode() if self.body.find(b"\\") >= 0 else ""

    def exact(self, value: Any, depth: int) -> Any:
        """Return a value with numbers as their literals; _Doubtful where the text may say something else."""
        if isinstance(value, str):
            self.texts += 1
            return value
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if not value and self.has_minus_zero():
                raise _Doubtful
            return b"%d" % value
        if kind is float:
            return self._decimal(value)
        if depth > _DEEPEST:
            raise _Doubtful
        if isinstance(value, dict):
            self.members += len(value)
            return {name: self.exact(each, depth + 1) for name, each in value.items()}
        return [self.exact(each, depth + 1) for each in value]

    def _decimal(self, value: float) -> bytes:
        """Return how a double is written: in the shortest way, where no other spelling of it is in the text."""
        if self._exactness < 0:
            self._exactness = exactness(self.body)
        written = repr(value).encode()
        # not `in`: see `exactness`
        if self._exactness != PLAIN or written.find(b"e") >= 0 or self.body.find(written + b"0") >= 0:
            raise _Doubtful
        return written

    def has_minus_zero(self) -> bool:
        """Whether the text may hold a -0, read as 0."""
        if self._minus_zero < 0:
            self._minus_zero = int(has_minus_zero(self.body))
        return self._minus_zero > 0

    def is_exact(self, noted: Scalars) -> bool:
        """Whether floats that were the same are so to their last digit."""
        return is_exact(self.body, noted) if self._exactness < 0 else self._exactness != INEXACT


class _Look(Scalars):
    """One pass over two values: counts what is the same or excused, collects where they differ.

    Where a setting may hold, nothing is excused here.
    """

    def __init__(self, legacy: bytes, modern: bytes, rules: frozenset[str]) -> None:
        super().__init__(rules)
        self.legacy = _Side(legacy)
        self.modern = _Side(modern)
        self._found: list[Found] = []

    def values(self, left: Any, right: Any, trail: Trail, place: Place, depth: int) -> None:
        """Hold two values together, one of them a container."""
        if place.ignored is not None:
            self._add(_VALUES, left, right, trail, place, depth)
        elif isinstance(right, dict) and isinstance(left, dict):
            self._objects(left, right, trail, place, depth)
        elif isinstance(right, list) and isinstance(left, list):
            self._lists(left, right, trail, place, depth)
        elif not (place.bare and self.excused(left, right)):
            self._add(_VALUES, left, right, trail, place, depth)

    def _objects(self, left: dict[str, Any], right: dict[str, Any], trail: Trail, place: Place, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Doubtful
        bare, common, texts = place.bare, 0, 0
        for name, value in right.items():
            other = left.get(name, _ABSENT)
            if isinstance(value, str):
                if isinstance(other, str) and value == other:
                    texts += 1
                    common += 1
                    continue
            elif other is value:
                common += 1
                continue
            inner = place if bare else place.step(name)
            if other is _ABSENT:
                self._add(_ADDED, None, value, (trail, name), inner, depth + 1)
                continue
            common += 1
            if isinstance(value, (dict, list)):
                self.values(other, value, (trail, name), inner, depth + 1)
            elif not self._are_same(other, value, inner):
                self._add(_VALUES, other, value, (trail, name), inner, depth + 1)
        self.texts += texts
        self.members += common
        self.modern.members += len(right) - common
        if common != len(left):
            self.legacy.members += len(left) - common
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
            if isinstance(value, str):
                if isinstance(other, str) and value == other:
                    self.texts += 1
                    continue
            elif other is value:
                continue
            inner = place if bare else place.step(index)
            if isinstance(value, (dict, list)):
                self.values(other, value, (trail, index), inner, depth + 1)
            elif not self._are_same(other, value, inner):
                self._add(_VALUES, other, value, (trail, index), inner, depth + 1)

    def _are_same(self, left: Any, right: Any, place: Place) -> bool:
        """Whether two values that are no texts and no containers need no walk."""
        if place.is_left_out:  # there the walk counts a number that is spelled otherwise
            kind = type(right)
            return kind is type(left) and kind is not float and bool(left == right)
        return self.same(left, right) or (place.bare and self.excused(left, right))

    def _add(self, kind: int, left: Any, right: Any, trail: Trail, place: Place, depth: int) -> None:
        if len(self._found) >= _MOST_PLACES:
            raise _Doubtful
        self._found.append((kind, left, right, trail, place, depth))

    def exact(self) -> list[Found]:
        """Return what differs, with numbers as their literals; _Doubtful where the texts may say something else."""
        legacy, modern = self.legacy, self.modern
        found = [
            (kind, legacy.exact(left, depth), modern.exact(right, depth), trail, place, depth)
            for kind, left, right, trail, place, depth in self._found
        ]
        if self.floats and not (legacy.is_exact(self) and modern.is_exact(self)):
            raise _Doubtful
        if self.bits and legacy.has_minus_zero():
            raise _Doubtful
        for side, taken in ((legacy, self.taken), (modern, 0)):
            members = self.members + side.members
            if not has_texts(side.body, members + self.texts + side.texts + taken, members):
                raise _Doubtful
        return found
