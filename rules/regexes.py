"""Whether a regex may be run on what strangers send: how its time grows with the length of the text.

The pattern's own parse tree is read. Two repeats that can share the same characters with nothing between them
to keep them apart multiply the time by the length (`.*x.*` is quadratic); the same inside a repeat doubles it
with each character (`(a+)+`, `(a|ab)*`). The reading errs towards refusing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules.charsets import EVERY, has_ignorecase, ops, single

_UNBOUNDED = 16
_TOO_STEEP = 3
_STEEP = 2


class RegexError(ValueError):
    """A regex that is broken or must not be run; `hint` says what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Piece:
    """One step of a pattern: characters it may take, whether it must take one, whether it may take many.

    `needs` are the characters each round of a repeat must have, one set for each step of its body.
    """

    chars: int
    must: bool
    many: bool
    needs: tuple[int, ...] = ()


def refuse_dangerous(text: str) -> None:
    """Raise RegexError for a regex that is broken, or whose time can explode."""
    parsed = _parse(text)
    if _explodes(parsed.data, ignorecase=has_ignorecase(parsed)):
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


def is_steep(text: str) -> bool:
    """Whether the time may grow with the square of the text's length: worth a warning."""
    return degree(text) >= _STEEP


def degree(text: str) -> int:
    """Return the power of the text's length that a search may take, 1 for a harmless regex."""
    parsed = _parse(text)
    pieces = _pieces(parsed.data, ignorecase=has_ignorecase(parsed))
    start = [] if _anchored(parsed.data) else [Piece(EVERY, must=False, many=True)]
    return max(1, _longest_chain([*start, *pieces]))


def matches_everything(text: str) -> bool:
    """Whether a path regex surely matches every path: it needs nothing beyond the leading slash."""
    data = list(_parse(text).data)
    while data and data[0][0] is ops.AT and data[0][1] in {ops.AT_BEGINNING, ops.AT_BEGINNING_STRING}:
        data = data[1:]
    if data and data[0] == (ops.LITERAL, ord("/")):
        data = data[1:]
    if len(data) > 1 and data[-1][0] is ops.AT and _takes_anything(data[-2]):
        data = data[:-1]
    return all(_is_optional(step) for step in data)


def literal_start(text: str) -> str | None:
    """Return the text a match must begin the path with; None where the regex is not anchored."""
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
            # What Python only warns of will mean something else in a later release.
            warnings.simplefilter("error")
            re.compile(text)
            return ops.parse(text)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise RegexError(f"`{text}` is not a regex: {error}") from None


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
        if op in ops.REPEATS and op is not ops.POSSESSIVE_REPEAT and value[1] >= _UNBOUNDED:
            body = _pieces(value[2], ignorecase=ignorecase)
            loose = [_loosened(piece) for piece in body]
            if _longest_chain([*loose, *loose]) >= _STEEP or _overlapping(value[2], body, ignorecase=ignorecase):
                return True
    return False


def _loosened(piece: Piece) -> Piece:
    """Inside a repeat an optional step may be taken many times over."""
    return replace(piece, many=piece.many or not piece.must)


def _overlapping(data: Any, after: Sequence[Piece], *, ignorecase: bool) -> bool:
    """Whether two alternatives of a branch, with what follows them, begin alike for as long as can be told."""
    steps = list(data)
    for at, (op, value) in enumerate(steps):
        if op is ops.BRANCH:
            rest = [*_pieces(steps[at + 1 :], ignorecase=ignorecase), *after]
            branches = [[*_pieces(branch, ignorecase=ignorecase), *rest] for branch in value[1]]
            pairs = ((one, two) for first, one in enumerate(branches) for two in branches[first + 1 :])
            if any(not _told_apart(one, two) for one, two in pairs):
                return True
        if op is ops.SUBPATTERN:
            rest = [*_pieces(steps[at + 1 :], ignorecase=ignorecase), *after]
            if _overlapping(value[3], rest, ignorecase=ignorecase):
                return True
    return False


def _told_apart(one: Sequence[Piece], two: Sequence[Piece]) -> bool:
    for first, second in zip(one, two, strict=False):
        if not (first.must and second.must):
            return False
        if not first.chars & second.chars:
            return True
        if first.many or second.many:
            return False
    return False


def _pieces(data: Iterable[Any], *, ignorecase: bool) -> list[Piece]:
    """Flatten a pattern into its steps; what may be left out keeps its place, unbinding."""
    found: list[Piece] = []
    for op, value in data:
        chars = single(op, value, ignorecase=ignorecase)
        if chars is not None:
            found.append(Piece(chars, must=True, many=False))
        elif op in ops.REPEATS:
            found += _repeated(value, ignorecase=ignorecase)
        elif op is ops.BRANCH:
            found.append(_either([_pieces(branch, ignorecase=ignorecase) for branch in value[1]]))
        elif op is ops.SUBPATTERN or op is ops.ATOMIC_GROUP:
            inner = value[3] if op is ops.SUBPATTERN else value
            found += _pieces(inner, ignorecase=ignorecase)
        elif op in {ops.GROUPREF, ops.GROUPREF_EXISTS}:
            found.append(Piece(EVERY, must=False, many=True))
    return found


def _repeated(value: Any, *, ignorecase: bool) -> list[Piece]:
    least, most, body = value
    inner = _pieces(body, ignorecase=ignorecase)
    if most - least >= _UNBOUNDED or most >= _UNBOUNDED * 4:
        needs = tuple(piece.chars for piece in inner if piece.must)
        return [Piece(_union(inner), must=least > 0 and bool(needs), many=True, needs=needs)]
    return inner if least > 0 else [replace(piece, must=False) for piece in inner]


def _either(branches: list[list[Piece]]) -> Piece:
    return Piece(
        _union([piece for branch in branches for piece in branch]),
        must=all(any(piece.must for piece in branch) for branch in branches),
        many=any(piece.many for branch in branches for piece in branch),
    )


def _union(pieces: Iterable[Piece]) -> int:
    chars = 0
    for piece in pieces:
        chars |= piece.chars
    return chars


def _longest_chain(pieces: Sequence[Piece]) -> int:
    """Return how many repeats in a row can pass characters to one another."""
    best = [0] * len(pieces)
    for at, piece in enumerate(pieces):
        if not piece.many:
            continue
        best[at] = 1
        for before in range(at - 1, -1, -1):
            other = pieces[before]
            if other.many and _share(other, piece) and _linked(pieces[before + 1 : at], other, piece):
                best[at] = max(best[at], best[before] + 1)
    return max(best, default=0)


def _share(one: Piece, two: Piece) -> bool:
    """Whether text can pass from one repeat to the other: each can take what a round of the other needs."""
    if not one.chars & two.chars:
        return False
    return all(need & two.chars for need in one.needs) and all(need & one.chars for need in two.needs)


def _linked(between: Iterable[Piece], one: Piece, two: Piece) -> bool:
    """Whether everything that must stand between two repeats can be taken by either of them."""
    return all(not piece.must or (piece.chars & one.chars and piece.chars & two.chars) for piece in between)
