"""Compares two JSON lists: in order, or as rows whose order does not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comparators.context import GLANCED, Context
from comparators.json_rows import Rows
from comparators.numbers import Number
from comparators.place import Place
from comparators.pointer import Trail

if TYPE_CHECKING:
    from comparators.json_walk import Walk

_LONGEST_KEY = 20
"""No integer of PHP is longer."""


def compare(
    walk: Walk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int, *, rule: str = ""
) -> None:
    """Compare two lists; `rule` is what made legacy's side a list."""
    walk.enter(depth, len(modern))
    if place.unordered is not None:
        Rows(walk, legacy, modern, place, depth).compare(trail, place.unordered.key)
    elif len(legacy) != len(modern):
        # Which row is lost could only be guessed, and a guess would tell every row behind it.
        walk.differ(trail, "length", _length(legacy), _length(modern), rule)
    else:
        _in_order(walk, legacy, modern, trail, place, depth)


def sparse(legacy: dict[str, Any]) -> list[Any] | None:
    """Return the values of an object whose names are ascending integers: how PHP writes a list with gaps."""
    last = -1
    for name in legacy:
        if (
            len(name) > _LONGEST_KEY
            or not name.isdecimal()
            or not name.isascii()
            or (name[0] == "0" and name != "0")
            or int(name) <= last
        ):
            return None
        last = int(name)
    return list(legacy.values()) if legacy else None


def _in_order(walk: Walk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int) -> None:
    """Compare element by element; the same elements in another order are one difference, not many."""
    context = walk.context
    start, found, counted = len(context.findings), context.differences, dict(context.forgiven)
    broken, notes = list[int](), len(context.notes)
    glanced = depth < GLANCED
    for index, right in enumerate(modern):
        left = legacy[index]
        if glanced and left == right:
            continue
        before = context.differences
        walk.values(left, right, (trail, index), place.step(index), depth + 1)
        if context.differences > before:
            broken.append(index)
    if len(broken) > 1 and _may_be_moved(context, start) and Rows(walk, legacy, modern, place, depth).are_moved(broken):
        del context.findings[start:], context.notes[notes:]
        context.differences = found
        context.forgiven = counted
        walk.differ(trail, "order", legacy, modern)


def _may_be_moved(context: Context, start: int) -> bool:
    """Whether something that is missed in one place was found in another; rules out most lists at no cost."""
    found = context.findings[start:]
    there = {each.modern for each in found}
    return context.is_full or any(each.legacy in there for each in found)


def _length(rows: list[Any]) -> Number:
    return str(len(rows)).encode()
