"""Compares two bodies as text, line by line."""

from __future__ import annotations

from typing import Final

from comparators.context import Context
from comparators.noise_rules import MASKED
from comparators.texts import around, as_texts, first_difference, without_mark

_MOST: Final = 8


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find the first lines in which two texts part; `length` where one has more of them.

    The operator's patterns are blanked and own hosts undone before that; line ends count.
    """
    left, right = without_mark(*as_texts(legacy, modern), context)
    if context.same_text(left, right):
        return
    ours, theirs = left.split("\n"), right.split("\n")
    if len(ours) != len(theirs):
        context.differ("@body", "length", f"{len(ours)} lines", f"{len(theirs)} lines")
        _at_first(left, right, context)
        return
    shown = 0
    for number, (one, two) in enumerate(zip(ours, theirs, strict=True), 1):
        if not context.same_text(one, two):
            one, two = _shown(one, two, context)  # noqa: PLW2901 - what is masked is not what differs
            at = first_difference(one, two)
            # Who hides a line as noise must not hide with it the lines that were no longer looked at.
            place = f"line {number}" if shown < _MOST else f"line {number}, not the last"
            context.differ("@body", "value", f"{place}: {around(one, at)}", f"{place}: {around(two, at)}")
            shown += 1
            if shown > _MOST:
                return
    if not shown:
        # Blanked or readdressed as a whole they differ, line by line they do not: a pattern reaches over a line end.
        _at_first(left, right, context)


def _at_first(legacy: str, modern: str, context: Context) -> None:
    legacy, modern = _shown(legacy, modern, context)
    at = first_difference(legacy, modern)
    line = legacy.count("\n", 0, at) + 1
    context.differ("@body", "value", f"line {line}: {around(legacy, at)}", f"line {line}: {around(modern, at)}")


def _shown(legacy: str, modern: str, context: Context) -> tuple[str, str]:
    """Return two texts with what is masked in them left out."""
    left, right = context.without_noise(legacy, modern)
    return left.replace(MASKED, "…"), right.replace(MASKED, "…")
