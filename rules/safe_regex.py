"""Whether a regex may be run on untrusted text.

The pattern's own parse tree is read. Two repeats that can share the same characters with nothing between them
to keep them apart multiply the time by the length (`.*x.*` is quadratic); the same inside a repeat doubles it
with each character (`(a+)+`, `(a|ab)*`). The reading errs towards refusing.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

# The characters one step of a regex takes, as a bit mask over Latin-1 with one bit for all others.
#
# `ops` gathers what is used of the standard library's own regex parser: it has no public door, so this is the
# one place to look when a Python release moves it.


_LATIN = 256
_OTHERS = 1 << _LATIN
EVERY = (1 << (_LATIN + 1)) - 1


class _Ops:
    """The parser's operation codes; read once, never changed."""

    def __init__(self) -> None:
        self._parser: Any = importlib.import_module("re._parser")
        constants: Any = importlib.import_module("re._constants")
        self.AT = constants.AT
        self.AT_BEGINNING = constants.AT_BEGINNING
        self.AT_BEGINNING_STRING = constants.AT_BEGINNING_STRING
        self.ANY = constants.ANY
        self.ATOMIC_GROUP = constants.ATOMIC_GROUP
        self.BRANCH = constants.BRANCH
        self.CATEGORY = constants.CATEGORY
        self.GROUPREF = constants.GROUPREF
        self.GROUPREF_EXISTS = constants.GROUPREF_EXISTS
        self.IN = constants.IN
        self.LITERAL = constants.LITERAL
        self.MAXREPEAT = constants.MAXREPEAT
        self.NEGATE = constants.NEGATE
        self.NOT_LITERAL = constants.NOT_LITERAL
        self.POSSESSIVE_REPEAT = constants.POSSESSIVE_REPEAT
        self.RANGE = constants.RANGE
        self.SUBPATTERN = constants.SUBPATTERN
        self.REPEATS = frozenset((constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT))
        self._ASSERTS = frozenset((constants.ASSERT, constants.ASSERT_NOT))
        self.categories = {
            constants.CATEGORY_DIGIT: _mask(r"\d", others=True),
            constants.CATEGORY_NOT_DIGIT: _mask(r"\D", others=True),
            constants.CATEGORY_SPACE: _mask(r"\s", others=True),
            constants.CATEGORY_NOT_SPACE: _mask(r"\S", others=True),
            constants.CATEGORY_WORD: _mask(r"\w", others=True),
            constants.CATEGORY_NOT_WORD: _mask(r"\W", others=True),
        }

    def parse(self, text: str) -> Any:
        """Return the parse tree of a regex."""
        return self._parser.parse(text)

    def bodies(self, op: Any, value: Any) -> Iterator[Any]:
        """Yield the patterns inside a step."""
        if op in self.REPEATS:
            yield value[2]
        elif op is self.BRANCH:
            yield from value[1]
        elif op is self.SUBPATTERN:
            yield value[3]
        elif op is self.ATOMIC_GROUP:
            yield value
        elif op in self._ASSERTS:
            yield value[1]
        elif op is self.GROUPREF_EXISTS:
            yield from (part for part in value[1:] if part is not None)


def _mask(pattern: str, *, others: bool) -> int:
    matches = re.compile(pattern).match
    mask = _OTHERS if others else 0
    for code in range(_LATIN):
        if matches(chr(code)):
            mask |= 1 << code
    return mask


ops = _Ops()


def has_ignorecase(parsed: Any) -> bool:
    """Whether a parsed regex ignores case as a whole."""
    return bool(parsed.state.flags & re.IGNORECASE)


def single(op: Any, value: Any, *, ignorecase: bool) -> int | None:
    """Return the characters a step takes when it takes exactly one, else None."""
    if op is ops.ANY:
        return EVERY
    if op is ops.LITERAL:
        return _literal(value, ignorecase=ignorecase)
    if op is ops.NOT_LITERAL:
        return EVERY & ~_literal(value, ignorecase=ignorecase) | _OTHERS
    if op is ops.IN:
        return _set(value, ignorecase=ignorecase)
    return None


def _literal(code: int, *, ignorecase: bool) -> int:
    mask = 1 << min(code, _LATIN)
    if ignorecase:
        for other in chr(code).swapcase():
            mask |= 1 << min(ord(other), _LATIN)
    return mask


def _set(items: Any, *, ignorecase: bool) -> int:
    mask = 0
    negated = False
    for op, value in items:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            mask |= _literal(value, ignorecase=ignorecase)
        elif op is ops.RANGE:
            for code in range(value[0], min(value[1], _LATIN - 1) + 1):
                mask |= _literal(code, ignorecase=ignorecase)
            if value[1] >= _LATIN:
                mask |= _OTHERS
        elif op is ops.CATEGORY:
            mask |= ops.categories[value]
    # A negated set takes unknown characters whatever it names: at worst two sets seem to overlap.
    return EVERY & ~mask | _OTHERS if negated else mask


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
