"""Walks two JSON values: lists in order, or as rows whose order does not matter."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Final, NoReturn

from comparators import error_bodies, text_compare
from comparators.budget import Untried
from comparators.context import DEEPEST, GLANCED, Context, Differs, Full, Mark
from comparators.json_labels import labels, may_be_labelled
from comparators.json_parse import Side, legacy_side, literal, modern_side
from comparators.json_reshape import reshaped, sparse
from comparators.json_unordered import Rows
from comparators.legacy_again import ABSENT
from comparators.literals import apart, are_short
from comparators.model import Kind
from comparators.near_misses import nearly
from comparators.one_sided import inside, one_sided
from comparators.paths import INCLUDE, Place, Trail, pointer, steps_of
from comparators.quick_differences import quick_differences
from comparators.row_keys import Likely
from comparators.row_walk import RowWalk, are_paired
from comparators.scalars import forgiving, one_type
from comparators.self_noise import counting
from comparators.sensitive_names import looks_secret
from comparators.values import Number

_SHORTEST_CLOCK: Final = 4
"""`9:41`"""
_ENOUGH: Final = 8
"""From so many differing elements on it is checked whether all are there in another order."""
_LONGEST_ASKED: Final = 20_000


def compare_lists(
    walk: Walk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int, *, rule: str = ""
) -> None:
    """Compare two lists; `rule` is what made legacy's side a list."""
    walk.enter(depth, len(modern))
    if place.unordered is not None:
        if not are_paired(walk, legacy, modern, trail, place, depth):
            Rows(walk, legacy, modern, place, depth).compare(trail, place.unordered.key)
    elif len(legacy) != len(modern):
        # The lost row could only be guessed, and a wrong guess would report every row after it.
        if not walk.is_own("length", _length(modern), trail, place):
            walk.differ(trail, "length", _length(legacy), _length(modern), rule)
    else:
        _in_order(walk, legacy, modern, trail, place, depth)


def _in_order(walk: Walk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int) -> None:
    """Compare element by element; the same elements in another order are one difference, not many."""
    if len(modern) == 1:
        _only_rows(walk, legacy, modern, trail, place, depth)
        return
    context = walk.context
    before = context.mark()
    broken, asked = 0, False
    glanced = depth < GLANCED
    try:
        for index, right in enumerate(modern):
            left = legacy[index]
            if glanced and left == right:
                continue
            count = context.differences
            walk.values(left, right, (trail, index), place.step(index), depth + 1)
            broken += context.differences > count
            if broken == _ENOUGH and not asked:
                asked = True
                if len(modern) <= _LONGEST_ASKED and _are_moved(walk, legacy, modern, place, depth):
                    break
        else:
            if (
                asked
                or broken <= 1
                or not _may_be_moved(context, before)
                or not _are_moved(walk, legacy, modern, place, depth)
            ):
                return
    except Full:
        if asked or not _are_moved(walk, legacy, modern, place, depth):
            raise
    context.go_back(before)
    walk.differ(trail, "order", legacy, modern)


def _only_rows(walk: Walk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int) -> None:
    """Compare the only elements of two lists, of lists with one element theirs: no glance tells more, at any level."""
    left, right = legacy[0], modern[0]
    trail, place, level = (trail, 0), place.step(0), depth + 1
    if place.bare:
        while type(left) is list and type(right) is list and len(left) == len(right) == 1:
            left, right, trail, level = left[0], right[0], (trail, 0), level + 1
        walk.enter(level - 1, level - depth)
    walk.values(left, right, trail, place, level)


def _are_moved(walk: Walk, legacy: list[Any], modern: list[Any], place: Place, depth: int) -> bool:
    apart = [index for index, right in enumerate(modern) if legacy[index] != right]
    return len(apart) > 1 and Rows(walk, legacy, modern, place, depth).are_moved(apart)


def _may_be_moved(context: Context, before: Mark) -> bool:
    """Whether an element missing in one place is in another; rules out most lists at no cost."""
    found = context.findings[before.findings :]
    there = {each.modern for each in found}
    return context.is_full or any(each.legacy in there for each in found)


def _length(rows: list[Any]) -> Number:
    return str(len(rows)).encode()


_CONTAINERS: Final = frozenset({dict, list})


class Walk(RowWalk):
    """One walk; it changes only its context. Paths are only written where something differs.

    What Python treats as equal is equal (see json_parse): whole branches are skipped without being entered. Far down
    branches are entered all the same, or every level would compare what is below it once more.
    """

    def __init__(self, context: Context, legacy_text: str = "", modern_text: str = "", *, tries: bool = False) -> None:
        self.context = context
        self._texts = (legacy_text, modern_text)
        self._tries = tries
        self._trial: Walk | None = None
        self._own_aside: Context | None = None
        self._likely: Likely | None = None
        self.failed = {}

    def compare(self, legacy: Any, modern: Any) -> None:
        """Compare two whole documents, up to the wanted number of differences."""
        self.context.documents = legacy, modern
        self.compare_at(legacy, modern, self.context.policy.place)

    def compare_at(self, legacy: Any, modern: Any, place: Place) -> None:
        """Compare two values under the settings of a place."""
        with suppress(Full):
            self.values(legacy, modern, None, place, 0)

    def values(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Compare two values at one place."""
        kind = type(modern)
        if (depth < GLANCED or kind not in _CONTAINERS) and legacy == modern:
            return
        if kind is not type(legacy) or kind not in _CONTAINERS:
            self.unlike(legacy, modern, trail, place, depth)
        elif place.ignored is not None:
            self._ignored(legacy, modern, trail, place)
        elif kind is dict:
            self.members(legacy, modern, trail, place, depth)
        else:
            compare_lists(self, legacy, modern, trail, place, depth)

    def members(self, legacy: dict[str, Any], modern: dict[str, Any], trail: Trail, place: Place, depth: int) -> None:
        """Compare two objects, whatever the order of their members."""
        self.enter(depth, len(modern))
        common, glanced, bare = 0, depth < GLANCED, place.bare
        for name, right in modern.items():
            left = legacy.get(name, ABSENT)
            if left is ABSENT:
                self.added(right, (trail, name), place.step(name))
                continue
            common += 1
            if glanced and left == right:
                continue
            self.values(left, right, (trail, name), place if bare else place.step(name), depth + 1)
        if common != len(legacy):
            for name, left in legacy.items():
                if name not in modern:
                    self.removed(left, (trail, name), place.step(name))

    def enter(self, depth: int, size: int) -> None:
        """Count a container against the caps."""
        if depth > DEEPEST:
            self.context.stop("depth")
        self.context.spend(size)

    def unlike(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Judge two values that are not the same: excused by a rule, or a difference."""
        if place.ignored is not None:
            self._ignored(legacy, modern, trail, place)
            return
        context = self.context
        if type(legacy) is dict and type(modern) is list and context.has("sparse_list"):
            rows = sparse(legacy)
            if rows is not None:
                context.forgive("sparse_list")
                context.numbered[pointer(trail)] = list(legacy)
                compare_lists(self, rows, modern, trail, place, depth, rule="sparse_list")
                return
        if self.excuses(legacy, modern, trail, place):
            return
        kind: Kind = "value" if one_type(legacy, modern, place, context) else "type"
        if self.is_own(kind, modern, trail, place):
            return
        self.differ(trail, kind, legacy, modern, "" if self._tries else nearly(legacy, modern, context))

    def excuses(self, legacy: Any, modern: Any, trail: Trail, place: Place) -> bool:
        """Whether two values that are not the same, nor two objects or two lists, are excused; counts that."""
        context = self.context
        if place.is_left_out and type(legacy) not in _CONTAINERS and type(modern) not in _CONTAINERS:
            context.forgive(INCLUDE if place.partly else place.excused)
            return True
        if context.minds_places:
            context.path = pointer(trail)
            context.label = self._label(trail)
        rules = forgiving(legacy, modern, place, context)
        if rules is None:
            return _may_be_clocks(legacy, modern) and context.same_clock(legacy, modern, partial(self._called, trail))
        for rule in rules:
            context.forgive(rule)
        return True

    def _called(self, trail: Trail) -> list[str]:
        return [*_names(trail), self._label(trail)]

    def _label(self, trail: Trail) -> str:
        """Return what its neighbours call a value."""
        documents = self.context.documents
        if documents is None or trail is None or not may_be_labelled(trail[1]):
            return ""
        return " ".join(labels(documents[1], steps_of(trail)))

    def added(self, modern: Any, trail: Trail, place: Place) -> None:
        """Judge a member that modern has alone."""
        name = place.excused or (INCLUDE if place.partly and type(modern) not in _CONTAINERS else None)
        if name is None and place.allowed is not None:
            name = "allow_extra"
        if name is None and modern is None and "null_missing" in place.rules:
            name = "null_missing"
        if name is None and self.is_own("extra", modern, trail, place):
            return
        if name is None or _named_secret(trail):
            self.differ(trail, "extra", ABSENT, modern, "null_missing" if modern is None else "")
            return
        self.context.forgive(name)
        self._secrets(modern, trail, "extra")

    def removed(self, legacy: Any, trail: Trail, place: Place) -> None:
        """Judge a member that legacy has alone."""
        name = place.excused or (INCLUDE if place.partly and type(legacy) not in _CONTAINERS else None)
        if name is None and legacy is None and "null_missing" in place.rules:
            name = "null_missing"
        if name is None and self.is_own("missing", ABSENT, trail, place):
            return
        if name is None or _named_secret(trail):
            self.differ(trail, "missing", legacy, ABSENT, "null_missing" if legacy is None else "")
            return
        self.context.forgive(name)
        self._secrets(legacy, trail, "missing")

    def is_own(self, kind: Kind, modern: Any, trail: Trail, place: Place) -> bool:
        """Whether legacy's second answer shows that it varies there by itself; counts that."""
        again = self.context.again
        if again is None or self._tries:
            return False
        aside = self._own_aside
        if aside is None:
            aside = self._own_aside = self.context.fork()

        def differ(one: Any, other: Any) -> bool:
            return forgiving(one, other, place, aside) is None

        is_own = again.varies(kind, modern, trail, differ)
        if is_own:
            self.context.excuse(kind, trail)
        return is_own

    def differ(self, trail: Trail, kind: Kind, legacy: Any, modern: Any, rule: str = "") -> None:
        """Report a difference with both literals; ABSENT shows as nothing."""
        if self._tries:
            raise Differs
        if self.context.is_full:
            self.context.differ("", kind, "", "")
            raise Full
        path = pointer(trail)
        if are_short(legacy, modern):
            left, right = self._literal(legacy, 0), self._literal(modern, 1)
        else:
            left, right = apart(legacy, modern, self._literal, counting(self.context.own, path, legacy, modern))
        self.context.differ(path, kind, left, right, rule)

    def _literal(self, value: Any, side: int) -> str:
        return "" if value is ABSENT else literal(value, self._texts[side])

    def lost(self, legacy: Any, trail: Trail) -> None:
        """Report a row of an unordered list that modern does not have."""
        self.differ(trail, "missing", legacy, ABSENT, "unordered")

    def gained(self, modern: Any, trail: Trail) -> None:
        """Report a row of an unordered list that legacy does not have."""
        self.differ(trail, "extra", ABSENT, modern, "unordered")

    def alike(self, legacy: Any, modern: Any, place: Place, depth: int) -> bool:
        """Whether two values would lead to no difference; reports and counts nothing. Untried at the cap of trials."""
        self.context.budget.spend_trial()
        if self._trial is None:
            self._trial = Walk(self.context.trial(), tries=True)
            self._trial._likely = self.likely  # noqa: SLF001 - of its own kind
        try:
            self._trial.values(legacy, modern, None, place, depth)
        except Differs:
            return False
        return True

    def apart(self, legacy: Any, modern: Any, place: Place, depth: int) -> int:
        """Return how many differences two values would lead to; reports and counts nothing."""
        return self._aside(legacy, modern, place, depth).differences

    def excused_in(self, legacy: Any, modern: Any, place: Place, depth: int) -> dict[str, int]:
        """Return what would be excused between two values; reports and counts nothing."""
        return self._aside(legacy, modern, place, depth).forgiven

    def _aside(self, legacy: Any, modern: Any, place: Place, depth: int) -> Context:
        attempt = self.context.fork()
        walk = Walk(attempt)
        walk._likely = self.likely
        with suppress(Full):
            walk.values(legacy, modern, None, place, depth)
        return attempt

    @property
    def likely(self) -> Likely:
        """The keys of rows, remembered as long as the walk."""
        if self._likely is None:
            self._likely = Likely(self.context)
        return self._likely

    def fail(self) -> None:
        """End a trial: there is a difference, wherever it will be reported."""
        if self._tries:
            raise Differs

    def give_up(self) -> NoReturn:
        """Report that a search has not ended: the pair is not compared, a trial not made."""
        if self._tries:
            raise Untried
        self.context.stop("nodes")

    def _ignored(self, legacy: Any, modern: Any, trail: Trail, place: Place) -> None:
        """Count what is ignored where it is not the same.

        A secret that only one side shows is reported all the same.
        """
        before = self.context.differences
        for kind, name_trail, value in one_sided(legacy, modern, trail):
            if _named_secret(name_trail):
                left, right = (value, ABSENT) if kind == "missing" else (ABSENT, value)
                self.differ(name_trail, kind, left, right)
        if self.context.differences == before and type(legacy) is type(modern) and legacy == modern:
            return
        self.context.forgive(place.excused)

    def _secrets(self, value: Any, trail: Trail, kind: Kind) -> None:
        """Report members with secret names inside a value that only one side has."""
        for inner, each in inside(value, trail):
            if _named_secret(inner):
                self.differ(inner, kind, *((each, ABSENT) if kind == "missing" else (ABSENT, each)))


def _may_be_clocks(legacy: Any, modern: Any) -> bool:
    """Whether two values are long enough for the time of day."""
    kind = type(legacy)
    is_one_kind = kind is type(modern) and (kind is str or kind is Number)
    return is_one_kind and len(legacy) >= _SHORTEST_CLOCK and len(modern) >= _SHORTEST_CLOCK


def _names(trail: Trail) -> list[str]:
    found: list[str] = []
    while trail is not None:
        trail, name = trail
        if type(name) is str:
            found.append(name)
    return found


def _named_secret(trail: Trail) -> bool:
    return trail is not None and type(trail[1]) is str and looks_secret(trail[1])


# Compares two bodies as JSON: from text to values, into one shape, then member by member.


_PREVIEW: Final = 120


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find what differs between two JSON bodies; a body that only one side can parse is one difference.

    0. Where most of both is the same by value, only the rest is compared as below.
    1. Both sides are parsed, legacy's without what PHP is known to put around its JSON.
    2. Neither is JSON: they are compared as text.
    3. Legacy is brought into the modern shape; where that leads to differences, the original may be right as well.
    4. Error answers are reduced to what their shape leaves to compare, if the policy says so.
    """
    is_plain = not (context.policy.reshape.anything or error_bodies.by_shape(context))
    if is_plain and quick_differences(legacy, modern, context, Walk):
        return
    left, right = legacy_side(legacy, context), modern_side(modern, context)
    if left.value is Side.NONE or right.value is Side.NONE:
        _unparsed(left, right, legacy, modern, context)
        return
    left.report(context)
    right.report(context)
    if not context.policy.reshape.anything:
        compare(left, right, left.value, right.value, context)
        return
    shaped = context.fork(whole=True)
    value = reshaped(left.value, right.value, shaped)
    other = reshaped(right.value, left.value, shaped) if context.alike else right.value
    compare(left, right, value, other, shaped)
    if shaped.findings:
        # A setting only ever excuses: what is the same without being reshaped is the same.
        plain = context.fork(whole=True)
        compare(left, right, left.value, right.value, plain)
        if not plain.findings:
            shaped = plain
    context.adopt(shaped)


def compare(left: Side, right: Side, legacy: Any, modern: Any, context: Context) -> None:
    """Walk two values whose sides are known to be JSON."""
    if error_bodies.by_shape(context):
        reduced = error_bodies.reduced(legacy, modern, context)
        if reduced is None:
            return
        legacy, modern = reduced
    Walk(context, left.text, right.text).compare(legacy, modern)


def _unparsed(left: Side, right: Side, legacy: bytes, modern: bytes, context: Context) -> None:
    if left.value is Side.NONE and right.value is Side.NONE:
        text_compare.text_differences(legacy, modern, context)
        return
    left.report(context)
    if error_bodies.excused(context):
        error_bodies.excuse(legacy, modern, context)
        return
    ours, theirs = text_compare.parted(_preview(left, legacy), _preview(right, modern), legacy, modern)
    context.differ("@body", "parse", ours, theirs, left.rule)


def _preview(side: Side, body: bytes) -> str:
    return (body.decode("utf-8", "replace") if side.value is Side.NONE else literal(side.value, side.text))[:_PREVIEW]
