"""Reads two bodies as text in one common way, cuts what is shown of them around their first difference."""

from __future__ import annotations

from typing import Final

from comparators.context import Context

_BOM: Final = "\ufeff"
_BEFORE: Final = 30
_AFTER: Final = 120


def as_texts(legacy: bytes, modern: bytes) -> tuple[str, str]:
    """Decode both as UTF-8, or both as Latin-1 where one of them is not UTF-8: two different bodies never become one.

    The charset parameter is not looked at: media-type parameters do not count.
    """
    try:
        return legacy.decode(), modern.decode()
    except UnicodeDecodeError:
        return legacy.decode("latin-1"), modern.decode("latin-1")


def without_mark(legacy: str, modern: str, context: Context) -> tuple[str, str]:
    """Take the byte order mark off both where the preset forgives legacy's, where legacy is held against itself."""
    bare = legacy.removeprefix(_BOM)
    if bare != legacy and context.has("bom_ws"):
        if not modern.startswith(_BOM):
            context.forgive("bom_ws")
        return bare, modern.removeprefix(_BOM)
    return legacy, modern


def first_difference(legacy: str, modern: str) -> int:
    """Return the index at which two texts part."""
    low, high = 0, min(len(legacy), len(modern))
    # Slices compare at the speed of memory; a loop over the characters of a megabyte does not.
    while low < high:
        middle = (low + high + 1) // 2
        if legacy[low:middle] == modern[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def around(text: str, at: int) -> str:
    """Return the piece of a text around an index, with an ellipsis where more stands."""
    start, end = max(0, at - _BEFORE), at + _AFTER
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
