"""Whether a regex may be run on untrusted text.

The pattern's own parse tree is read. Two repeats that can share the same characters with nothing between them
to separate them multiply the time by the length (`.*x.*` is quadratic); the same inside a repeat doubles it
with each character (`(a+)+`, `(a|ab)*`). In doubt a regex is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rules.regex_charsets import EVERY, has_ignorecase, ops
from rules.regex_steps import UNBOUNDED, Piece, longest_chain, overlapping, steps_of
from rules.regex_ways import WAYS_AT_MOST, most_ways

_OPTIONAL_AT_MOST = 5
"""Of so many optional groups both are looked at, the pattern with the group and the one without it."""
_TOO_STEEP = 3
_STEEP = 2


class RegexError(ValueError):
    """A regex that is broken or must not be run; `hint` says what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def refuse_dangerous(text: str) -> None:
    """Raise RegexError for a regex that is broken, or whose time can explode."""
    parsed = _parse(text)
    ignorecase = has_ignorecase(parsed)
    if _explodes(parsed.data, ignorecase=ignorecase):
        raise RegexError(
            f"the regex `{text}` can take exponential time",
            "a repeat inside a repeat, or alternatives that overlap; make the inner part begin or end with"
            " a character it does not repeat",
        )
    if degree(text) >= _TOO_STEEP:
        raise RegexError(
            f"the regex `{text}` can take cubic time",
            "anchor it with ^, write [^/]+ for one segment instead of .*",
        )
    if most_ways(parsed.data, ignorecase=ignorecase) > WAYS_AT_MOST:
        raise RegexError(
            f"the regex `{text}` can take exponential time, up to its bounds",
            "bounded repeats that take the same characters one after the other, or one inside another; put a"
            " character between them that neither takes",
        )


def is_steep(text: str) -> bool:
    """Whether the time may grow with the square of the text's length: worth a warning."""
    return degree(text) >= _STEEP


def degree(text: str) -> int:
    """Return the power of the text's length that a search may take, 1 for a harmless regex."""
    parsed = _parse(text)
    data, ignorecase = list(parsed.data), has_ignorecase(parsed)
    start: list[Piece] = [] if _anchored(data) else [Piece(EVERY, must=False, many=True)]
    if data and data[0][0] is ops.ASSERT and data[0][1][0] < 0:
        # A search looks further only behind this text.
        start += steps_of(data[0][1][1], ignorecase=ignorecase)
    chains = (longest_chain([*start, *steps_of(tree, ignorecase=ignorecase)]) for tree in _with_and_without(data))
    return max(1, *chains)


def matches_everything(text: str) -> bool:
    """Whether a path regex certainly matches every path: it needs nothing beyond the leading slash."""
    data = list(_parse(text).data)
    while data and data[0][0] is ops.AT and data[0][1] in {ops.AT_BEGINNING, ops.AT_BEGINNING_STRING}:
        data = data[1:]
    if data and data[0] == (ops.LITERAL, ord("/")):
        data = data[1:]
    if len(data) > 1 and data[-1][0] is ops.AT and _takes_anything(data[-2]):
        data = data[:-1]
    return all(_is_optional(step) for step in data)


def literal_start(text: str) -> str | None:
    """Return the text with which every matched path begins; None where the regex is not anchored."""
    data = list(_parse(text).data)
    if not _anchored(data):
        return None
    found = ""
    for op, value in data[1:]:
        if op is not ops.LITERAL:
            break
        found += chr(value)
    return found


def _parse(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            # What Python only warns of changes its meaning in a later release.
            warnings.simplefilter("error")
            re.compile(text)
            return ops.parse(text)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise RegexError(f"`{text}` is not a regex: {error}") from None


def _with_and_without(data: list[Any]) -> list[list[Any]]:
    """Return the pattern with each optional group and without it: what begins the group keeps repeats apart."""
    trees: list[list[Any]] = [[]]
    optional = 0
    for op, value in data:
        body = list(value[2]) if op in ops.REPEATS and tuple(value[:2]) == (0, 1) else []
        optional += bool(body)
        if body and optional <= _OPTIONAL_AT_MOST:
            trees = [*trees, *([*tree, *body] for tree in trees)]
        else:
            trees = [[*tree, (op, value)] for tree in trees]
    return trees


def _anchored(data: Any) -> bool:
    steps = list(data)
    return bool(steps) and steps[0][0] is ops.AT and steps[0][1] in {ops.AT_BEGINNING, ops.AT_BEGINNING_STRING}


def _takes_anything(step: Any) -> bool:
    op, value = step
    return op in ops.REPEATS and value[0] == 0 and value[1] is ops.MAXREPEAT and next(iter(value[2]))[0] is ops.ANY


def _is_optional(step: Any) -> bool:
    op, value = step
    return op in ops.REPEATS and value[0] == 0


def _explodes(data: Iterable[Any], *, ignorecase: bool) -> bool:
    """Whether some repeat's body can take the same text in more than one way."""
    for op, value in data:
        for body in ops.bodies(op, value):
            if _explodes(body, ignorecase=ignorecase):
                return True
        if op in ops.REPEATS and op is not ops.POSSESSIVE_REPEAT and value[1] >= UNBOUNDED:
            body = steps_of(value[2], ignorecase=ignorecase)
            loose = [_loosened(piece) for piece in body]
            if longest_chain([*loose, *loose]) >= _STEEP or overlapping(value[2], body, ignorecase=ignorecase):
                return True
    return False


def _loosened(piece: Piece) -> Piece:
    """Inside a repeat an optional step may be taken many times over."""
    return replace(piece, many=piece.many or not piece.must)
