"""Cuts the two literals of a difference to a storable length, around their first difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from comparators.model import LONGEST_LITERAL

ELLIPSIS: Final = "…"
_BEFORE: Final = 160
_BEHIND: Final = 60
_LONG: Final = 240
_PLACE: Final = 0.4
"""The share of a literal that the place in a page may take of it."""
_OPENING: Final = ("{", "[", '"')


def first_difference(legacy: Sequence[object], modern: Sequence[object]) -> int:
    """Return the index of the first difference of two texts, or of two lists."""
    low, high = 0, min(len(legacy), len(modern))
    # Slices compare at the speed of memory; a loop over the characters of a megabyte does not.
    while low < high:
        middle = (low + high + 1) // 2
        if legacy[low:middle] == modern[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shared_beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    # Between the first and the last in order there is none that parts earlier.
    one, other = min(texts), max(texts)
    return one[: first_difference(one, other)]


def cut_apart(path: str, legacy: str, modern: str, longest: int = LONGEST_LITERAL) -> tuple[str, str]:
    """Return two literals of at most `longest` characters that are not the same, where these are not.

    Where one is longer, both show the same stretch of the text, around the first difference; the bracket or quote they
    begin with shows their type and stays, so does the place in a page that they begin with.
    """
    if len(legacy) < longest and len(modern) < longest:
        return legacy, modern
    place, left, right = _placed(legacy, modern, int(longest * _PLACE)) if path == "@body" else ("", legacy, modern)
    at = first_difference(left, right)
    room = longest - len(place)
    # In the proportions of a whole literal: what stands before the difference must never push it out of sight.
    before, behind = room * _BEFORE // LONGEST_LITERAL, room * _BEHIND // LONGEST_LITERAL
    start = at - before if at > room - behind else 0
    return place + _cut(left, start, room), place + _cut(right, start, room)


def apart(
    legacy: Any, modern: Any, write: Callable[[Any, int], str], counts: tuple[int, int] | None = None
) -> tuple[str, str]:
    """Return the literals of two values, of long ones from where they part on; `write` spells one of either side.

    A long text is cut before it is spelled, or two of them would show the same beginning; so is a list. `counts` are
    the places in both where what counts begins, where that is not where they part.
    """
    if type(legacy) is str and type(modern) is str and max(len(legacy), len(modern)) >= _LONG:
        places = counts or (first_difference(legacy, modern),) * 2
        starts = [at - _BEFORE if max(places) > _LONG - _BEHIND and at > _BEFORE else 0 for at in places]
        return _written(legacy, starts[0], write, 0), _written(modern, starts[1], write, 1)
    left, right = write(legacy, 0), write(modern, 1)
    if left == right and type(legacy) is list and type(modern) is list:
        pairs = enumerate(zip(legacy, modern, strict=False))
        at = next((at for at, (one, two) in pairs if one != two), min(len(legacy), len(modern)))
        left, right = (f"[{ELLIPSIS}{write(each[at:], side)[1:]}" for side, each in enumerate((legacy, modern)))
        if left == right:
            # Two long elements: they part further on than a literal is long.
            left, right = (f"[{ELLIPSIS}{each}{ELLIPSIS}" for each in apart(legacy[at], modern[at], write))
    return left, right


def are_short(legacy: Any, modern: Any) -> bool:
    """Whether `apart` spells two values just as they are: no lists, no long texts."""
    if type(legacy) is list or type(modern) is list:
        return False
    return type(legacy) is not str or type(modern) is not str or (len(legacy) < _LONG and len(modern) < _LONG)


def _written(text: str, start: int, write: Callable[[Any, int], str], side: int) -> str:
    head, end = ELLIPSIS if start else "", start + _LONG
    tail = ELLIPSIS if end < len(text) else ""
    return f'"{head}{write(text[start:end], side)[1:-1]}{tail}"'


def is_cut(literal: str) -> bool:
    """Whether a literal shows only a part of the value: the rest may be anything."""
    return len(literal) >= LONGEST_LITERAL or ELLIPSIS in literal[:2] or ELLIPSIS in literal[-2:]


def _placed(legacy: str, modern: str, longest: int) -> tuple[str, str, str]:
    place, colon, left = legacy.partition(": ")
    other, _, right = modern.partition(": ")
    if not colon or other != place:
        return "", legacy, modern
    shown = place if len(place) <= longest else ELLIPSIS + place[1 - longest :]
    return f"{shown}: ", left, right


def _cut(text: str, start: int, room: int) -> str:
    """Return the stretch of a text from an index on, the bracket or quote it begins with before it."""
    head = (text[0] if text[0] in _OPENING else "") + ELLIPSIS if start and text else ""
    shown = text[start:]
    rest = room - len(head)
    return head + (shown if len(shown) <= rest else shown[: rest - 1] + ELLIPSIS)
