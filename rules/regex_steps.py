"""A regex as a sequence of steps: which characters each may take, how often, and what keeps two of them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules.regex_charsets import EVERY, ops, single

UNBOUNDED = 16
"""A repeat of so many rounds counts as unbounded."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One step of a pattern: characters it may take, whether it must take one, whether it may take many.

    `needs` are the characters each round of a repeat must have, one set for each step of its body. `ways` says how
    many numbers of characters a step that does not take many may take.
    """

    chars: int
    must: bool
    many: bool
    needs: tuple[int, ...] = ()
    ways: int = 1


def overlapping(data: Any, after: Sequence[Piece], *, ignorecase: bool) -> bool:
    """Whether two alternatives of a branch, with what follows them, begin alike as far as can be seen."""
    steps = list(data)
    for at, (op, value) in enumerate(steps):
        if op is ops.BRANCH:
            rest = [*steps_of(steps[at + 1 :], ignorecase=ignorecase), *after]
            branches = [[*steps_of(branch, ignorecase=ignorecase), *rest] for branch in value[1]]
            pairs = ((one, two) for first, one in enumerate(branches) for two in branches[first + 1 :])
            if any(not _told_apart(one, two) for one, two in pairs):
                return True
        if op is ops.SUBPATTERN:
            rest = [*steps_of(steps[at + 1 :], ignorecase=ignorecase), *after]
            if overlapping(value[3], rest, ignorecase=ignorecase):
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


def steps_of(data: Iterable[Any], *, ignorecase: bool) -> list[Piece]:
    """Flatten a pattern into its steps; what may be left out keeps its place, unbinding."""
    found: list[Piece] = []
    for op, value in data:
        chars = single(op, value, ignorecase=ignorecase)
        if chars is not None:
            found.append(Piece(chars, must=True, many=False))
        elif op in ops.REPEATS:
            found += _repeated(value, ignorecase=ignorecase)
        elif op is ops.BRANCH:
            found.append(either([steps_of(branch, ignorecase=ignorecase) for branch in value[1]]))
        elif op is ops.SUBPATTERN or op is ops.ATOMIC_GROUP:
            inner = value[3] if op is ops.SUBPATTERN else value
            found += steps_of(inner, ignorecase=ignorecase)
        elif op in {ops.GROUPREF, ops.GROUPREF_EXISTS}:
            found.append(Piece(EVERY, must=False, many=True))
    return found


def _repeated(value: Any, *, ignorecase: bool) -> list[Piece]:
    least, most, body = value
    inner = steps_of(body, ignorecase=ignorecase)
    if most - least >= UNBOUNDED or most >= UNBOUNDED * 4:
        needs = tuple(piece.chars for piece in inner if piece.must)
        return [Piece(union(inner), must=least > 0 and bool(needs), many=True, needs=needs)]
    return inner if least > 0 else [replace(piece, must=False) for piece in inner]


def either(branches: list[list[Piece]]) -> Piece:
    """Return the one step that alternatives are to what stands around them."""
    return Piece(
        union([piece for branch in branches for piece in branch]),
        must=all(any(piece.must for piece in branch) for branch in branches),
        many=any(piece.many for branch in branches for piece in branch),
    )


def union(pieces: Iterable[Piece]) -> int:
    """Return all characters that some of the steps may take."""
    chars = 0
    for piece in pieces:
        chars |= piece.chars
    return chars


def longest_chain(pieces: Sequence[Piece]) -> int:
    """Return how many repeats in a row can pass characters to one another."""
    best = [0] * len(pieces)
    for at, piece in enumerate(pieces):
        if not piece.many:
            continue
        best[at] = 1
        for before in range(at - 1, -1, -1):
            other = pieces[before]
            if other.many and share(other, piece) and linked(pieces[before + 1 : at], other, piece):
                best[at] = max(best[at], best[before] + 1)
    return max(best, default=0)


def share(one: Piece, two: Piece) -> bool:
    """Whether text can pass from one repeat to the other: each can take what a round of the other needs."""
    if not one.chars & two.chars:
        return False
    return all(need & two.chars for need in one.needs) and all(need & one.chars for need in two.needs)


def linked(between: Iterable[Piece], one: Piece, two: Piece) -> bool:
    """Whether everything that must stand between two repeats can be taken by either of them."""
    return all(not piece.must or (piece.chars & one.chars and piece.chars & two.chars) for piece in between)
