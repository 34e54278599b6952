"""In how many ways the bounded repeats of a regex may share out one text among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

from rules.regex_charsets import ops, single
from rules.regex_steps import UNBOUNDED, Piece, either, linked, overlapping, share, steps_of, union

WAYS_AT_MOST = 10_000
"""More count as exponential."""
_WAYS_OF_MANY = 32
_COPIES_AT_MOST = 14
"""As many rounds of at least two ways each are more ways than are allowed."""
_STEPS_AT_MOST = 256


def most_ways(data: Any, *, ignorecase: bool) -> int:
    """Return the most ways, up to `WAYS_AT_MOST` and one, that a parsed regex has to share out a text."""
    return max(_ways(_spread(data, ignorecase=ignorecase, fewest=fewest)) for fewest in (False, True))


def _spread(data: Iterable[Any], *, ignorecase: bool, fewest: bool) -> list[Piece]:
    """Flatten a pattern into its steps, those of a bounded repeat written out round for round, or its `fewest` rounds.

    Required characters separate neighbours only where the round is taken, hence both.
    """
    found: list[Piece] = []
    for op, value in data:
        chars = single(op, value, ignorecase=ignorecase)
        if len(found) >= _STEPS_AT_MOST:
            break
        if chars is not None:
            found.append(Piece(chars, must=True, many=False))
        elif op in ops.REPEATS:
            found += _rounds(op, value, ignorecase=ignorecase, fewest=fewest)
        elif op is ops.BRANCH:
            branches = [_spread(branch, ignorecase=ignorecase, fewest=fewest) for branch in value[1]]
            found.append(replace(either(branches), ways=max(map(_ways, branches))))
        elif op is ops.SUBPATTERN:
            found += _spread(value[3], ignorecase=ignorecase, fewest=fewest)
        elif op is ops.ATOMIC_GROUP:
            found += [replace(piece, ways=1) for piece in _spread(value, ignorecase=ignorecase, fewest=fewest)]
    return found[:_STEPS_AT_MOST]


def _rounds(op: Any, value: Any, *, ignorecase: bool, fewest: bool) -> list[Piece]:
    """Return the steps of a repeat: one where its body is always of one length, else its body round for round."""
    least, most, body = value
    inner = _spread(body, ignorecase=ignorecase, fewest=fewest)
    if most < UNBOUNDED and overlapping(body, steps_of(body, ignorecase=ignorecase), ignorecase=ignorecase):
        inner.append(Piece(union(inner), must=False, many=False, ways=2))
    needs = tuple(piece.chars for piece in inner if piece.must)
    if op is ops.POSSESSIVE_REPEAT:
        return [Piece(union(inner), must=least > 0 and bool(needs), many=False)]
    if most < UNBOUNDED and any(piece.ways > 1 for piece in inner):
        rounds = repeat(inner, min(least if fewest else most, _COPIES_AT_MOST))
        return list(chain.from_iterable(rounds))[:_STEPS_AT_MOST]
    many = min(most - least + 1, _WAYS_OF_MANY)
    return [Piece(union(inner), must=least > 0 and bool(needs), many=False, needs=needs, ways=many)]


def _ways(pieces: Sequence[Piece]) -> int:
    """Return in how many ways steps in a row can share out one text among them."""
    best = [1] * len(pieces)
    for at, piece in enumerate(pieces):
        if piece.ways == 1:
            continue
        before = 1
        for place in range(at - 1, -1, -1):
            other = pieces[place]
            if best[place] > before and share(other, piece) and linked(pieces[place + 1 : at], other, piece):
                before = best[place]
        best[at] = min(before * piece.ways, WAYS_AT_MOST + 1)
    return max(best, default=1)
