"""Which words a varying piece of a text is found by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from comparators.html_volatile import is_owned
from comparators.noise_forms import HexPairs, Made, Numbers, Times, Uuids
from comparators.noise_rules import (
    Piece,
    Varying,
    around,
    is_about_money,
    is_price,
    pieces,
    speaks_of_money,
)
from comparators.sensitive_names import looks_secret

_BEFORE: Final = 24
_AFTER: Final = 8
_LETTERS: Final = 3
_WORDY: Final = 5
"""So many letters before a number: short words stand before many of them."""
_ENOUGH: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+")
_MARKS: Final = re.compile(r"[^0-9A-Za-z]{0,2}")
_UNIT: Final = re.compile(r" ?[A-Za-z%]{1,8}|[^0-9A-Za-z]{0,2}")
_WORD_BEHIND: Final = re.compile(r"[^0-9A-Za-z]{1,2}[A-Za-z]{3,}")
_TOKEN: Final = re.compile(
    r"(?<![A-Za-z])((?:[A-Za-z]+[ _-]){0,2})([A-Za-z]*token|nonce)(?: is|:|=| #|: #)? ?\Z", re.IGNORECASE
)
"""A text's own word for a piece right before it; a member's or a field's name is none."""
_SCHEME: Final = re.compile(r"(?<![\w-])(?:Authorization: )?Bearer \Z", re.IGNORECASE)
"""A scheme of HTTP right before a piece says that a token follows, not whose or what for; `Basic` is a password's."""
_JOINS: Final = re.compile("_[a-z]{1,12}_|-[a-z]{1,12}-")
_DIGITS: Final = frozenset("0123456789")
_CUT: Final = "…"
_VARIES: Final = re.compile(r"[0-9…]")
"""Where the words around a piece end: at what may change as well, at what was left out."""
_PARAMETER: Final = re.compile(r"[?&;][\w.\[\]-]{1,40}=(?:[A-Za-z][\w./-]{0,11}[_./-])?\Z")
"""What all values of a parameter begin with belongs to it: `?sig=tok_`."""
_MOST_PIECES: Final = 40
MOST_BESIDE: Final = 8
BESIDE: Final = " "
"""Between the values of pieces side by side: none of them holds white space."""
PADDED: Final = 16
_PACKED: Final = 128
"""A token of so many letters of both cases is packed: whether it ends with padding is chance."""
_MIXED: Final = frozenset("aAzZ09")
_CLAIMS: Final = "}."
"""What a signed token's claims end with, opened."""
_LONG: Final = 27
"""Letters of a signature: 20 bytes at least."""


class Clause(NamedTuple):
    """The words by which a piece is found, as parts of a regex; `timed` says that the piece is a time.

    `padded` says that it is base64, which ends with one `=`, two or none; `placed` that these are too few words to find
    it by anywhere but at its own place in a page, a document, a table. `between` is what stands between several pieces
    side by side that are only found together.
    """

    before: str
    after: str
    timed: bool = False
    padded: bool = False
    placed: bool = False
    between: tuple[str, ...] = ()

    @property
    def is_signature(self) -> bool:
        """Whether the piece is what signs a token."""
        return self.before == re.escape(_CLAIMS)


class Found(NamedTuple):
    """A piece that varied between two texts, or several side by side: where, and both values.

    `beside` says that it is found by itself, and others beside it only together with it.
    """

    clause: Clause
    values: tuple[str, str]
    beside: bool = False


@lru_cache(maxsize=512)
def found(one: str, two: str, *, whole: bool, placed: bool = False) -> tuple[Found, ...]:
    """Return the pieces in which two texts differ that can be found again; `whole` where they are no cut-outs.

    Of texts that have a place of their own (`placed`) also those that are only found there, by the texts' ends.
    None of what varies is a number about money or stands beside a secret's name, a parameter of an address aside.
    """
    strict = pieces((one, two))
    there = (pieces((one, two), lettered=True) if strict is None else strict) or ()
    varying = [at for at, piece in enumerate(there) if isinstance(piece, Varying)]
    if not varying or len(varying) > _MOST_PIECES or len(there) == 1:
        return ()
    if strict is None:
        # Words beside made pieces: what is found by itself alone, or any word would be taken for a piece of a run.
        each = (_alone(there, at, whole=whole, placed=placed) for at in varying)
        return tuple(_at_place(piece, placed=placed) for piece in each if piece is not None)
    return tuple(_each(there, varying, whole=whole, placed=placed))


def _each(there: Sequence[Piece], varying: Sequence[int], *, whole: bool, placed: bool) -> Iterator[Found]:
    alone = {at: _alone(there, at, whole=whole, placed=placed) for at in varying}
    beside: set[int] = set()
    for run in _runs(there, varying):
        together = None if all(alone[at] for at in run) else _together(there, run, whole=whole, placed=placed)
        if together is not None:
            beside.update(run)
            yield together
    for at, piece in alone.items():
        if piece is not None:
            yield piece._replace(beside=at in beside)


def _alone(there: Sequence[Piece], at: int, *, whole: bool, placed: bool) -> Found | None:
    """Return a piece with the words that find it by itself, None where there are too few."""
    piece = there[at]
    before, after = around(there, at)
    if not isinstance(piece, Varying) or not may_vary(piece, *_beside_it(there, at)):
        return None
    if before.endswith(_CUT) or after.startswith(_CUT):
        return None  # only a part of it is shown
    starts, ends = whole and at <= 1, whole and at + 2 >= len(there)
    padding = _padding(piece, after)
    if before.endswith(_CLAIMS) and min(map(len, piece.values)) >= _LONG:
        # A token's signature: what it signs is another one's.
        return Found(_signature(after, ends=ends), (piece.values[0], piece.values[1]))
    behind = after.lstrip(padding) if padding else after
    clause = _clause(before, behind, piece, starts=starts, ends=ends)
    if clause is None and placed:
        clause = _clause(before, behind, piece, starts=at <= 1, ends=at + 2 >= len(there))
        clause = None if clause is None else clause._replace(placed=True)
    if clause is None:
        return None
    ending = after[: len(after) - len(after.lstrip(padding))] if padding else ""
    one, two = (f"{each}{ending}" for each in piece.values[:2])
    return Found(clause._replace(padded=bool(padding)), (one, two))


def _at_place(piece: Found, *, placed: bool) -> Found:
    """Return letters alone as what is found at its place: elsewhere the same words may have a name behind them."""
    is_word = placed and all(map(str.isalpha, piece.values))
    return piece._replace(clause=piece.clause._replace(placed=True)) if is_word else piece


def _beside_it(there: Sequence[Piece], at: int) -> tuple[str, str]:
    """Return the words beside a piece, but what joins two made ones to one token (`pi_…_secret_…`): it is no label."""
    before, after = around(there, at)
    if not _is_token(there, at):
        return before, after
    # Where a text was cut into its pieces, the mark of the cut is the next one.
    is_joined = _JOINS.fullmatch(before.removeprefix(_CUT)) and (before[0] == _CUT or _is_token(there, at - 2))
    joins_on = _JOINS.fullmatch(after.removesuffix(_CUT)) and (after[-1] == _CUT or _is_token(there, at + 2))
    return "" if is_joined else before, "" if joins_on else after


def _is_token(there: Sequence[Piece], at: int) -> bool:
    """Whether a made piece stands there, of more than digits."""
    piece = there[at] if 0 <= at < len(there) else None
    return isinstance(piece, Varying) and isinstance(piece.shape, Made) and not piece.shape.letters <= _DIGITS


def _runs(there: Sequence[Piece], varying: Sequence[int]) -> Iterator[list[int]]:
    """Yield where made pieces stand side by side, two or more; none where one of them is a secret's or money's."""
    for beside in _beside(there, varying):
        if not all(may_vary(piece, *_beside_it(there, at)) for at in beside if isinstance(piece := there[at], Varying)):
            continue
        run: list[int] = []
        for at in beside:
            if isinstance(piece := there[at], Varying) and isinstance(piece.shape, Made | Uuids | HexPairs):
                run.append(at)
                continue
            yield from [run] if len(run) > 1 else []
            run = []
        yield from [run] if len(run) > 1 else []


def _beside(there: Sequence[Piece], varying: Sequence[int]) -> list[list[int]]:
    """Return the varying pieces in groups, each as close together as words are looked for."""
    found_: list[list[int]] = []
    for at in varying:
        between = around(there, at)[0]
        if found_ and len(between) <= _BEFORE and _CUT not in between:
            found_[-1].append(at)
        else:
            found_.append([at])
    return found_


def _together(there: Sequence[Piece], run: Sequence[int], *, whole: bool, placed: bool) -> Found | None:
    """Return made pieces side by side as one: what stands between them stays, so it finds the middle ones."""
    first, last = run[0], run[-1]
    before, after = around(there, first)[0], around(there, last)[1]
    if len(run) > MOST_BESIDE or before.endswith(_CUT) or after.startswith(_CUT):
        return None
    starts, ends = first <= 1, last + 2 >= len(there)
    clause = _outside(there[first], before, after, starts=whole and starts, ends=whole and ends)
    if clause is None and placed:
        clause = _outside(there[first], before, after, starts=starts, ends=ends)
        clause = None if clause is None else clause._replace(placed=True)
    if clause is None:
        return None
    between = tuple(_any_digits(around(there, at)[0]) for at in run[1:])
    values = zip(*(piece.values[:2] for at in run if isinstance(piece := there[at], Varying)), strict=True)
    one, two = map(BESIDE.join, values)
    return Found(clause._replace(between=between), (one, two))


def _outside(piece: Piece, before: str, after: str, *, starts: bool, ends: bool) -> Clause | None:
    """Return the words around pieces side by side: where they are few, the begin or the end of the text will do."""
    clause = _clause(before, after, piece, starts=starts, ends=ends) if isinstance(piece, Varying) else None
    if clause is not None:
        return clause
    begins = starts and len(before) <= _BEFORE and _CUT not in before
    closes = ends and len(after) <= _AFTER and _CUT not in after
    left = f"\\A{_any_digits(before)}" if begins else ""
    right = f"{_any_digits(after)}\\Z" if closes else ""
    return Clause(left, right) if left or right else None


def _padding(piece: Varying, after: str) -> str:
    """Return `=` where a piece is base64 with padding, which one response has and another has not."""
    least = min(map(len, piece.values))
    if not isinstance(piece.shape, Made) or least < PADDED:
        return ""
    seen = after[:1] == "=" or any(each.endswith("=") for each in piece.values)
    return "=" if seen or (least >= _PACKED and piece.shape.letters >= _MIXED) else ""


def may_vary(piece: Varying, before: str, after: str) -> bool:
    """Whether a piece may be learned beside these words: none of money, no secret."""
    if any(is_price(value, before, after) for value in piece.values):
        return False
    is_token = isinstance(piece.shape, Made) and not piece.shape.letters <= _DIGITS
    if isinstance(piece.shape, Uuids | HexPairs | Times) or is_token:
        return _PARAMETER.search(before) is not None or not _is_secret(before[-_BEFORE:], after[:_AFTER])
    near = f"{before[-_BEFORE:]} {after[:_AFTER]}"
    return not (speaks_of_money(before, after) or is_about_money(near) or looks_secret(near))


def _is_secret(before: str, after: str) -> bool:
    """Whether words beside a piece say that it is a secret; not where it is called a token and is nobody's."""
    before = _SCHEME.sub("", before)
    if (named := _TOKEN.search(before)) is not None:
        of, token = named.groups()
        if is_owned(f"{of}{token}".replace(" ", "_")) or looks_secret(of):
            return True
        before = before[: named.start(2)]
    return looks_secret(f"{before} {after}")


def _clause(before: str, after: str, piece: Varying, *, starts: bool, ends: bool) -> Clause | None:
    """Return the words next to a piece, up to what may vary as well; None where there are too few to find it by.

    As few words as will do: those further away are often another page's. A number's unit stands behind it.
    """
    is_number = isinstance(piece.shape, Numbers)
    near = before[-_BEFORE:]
    left = _nearest(_VARIES.split(near)[-1], _WORDY if is_number else _LETTERS)
    if _letters(left) < _LETTERS <= _letters(near := near.rpartition("…")[2]):
        # Too few words without the digits: any of as many digits may stand there.
        left = _nearest(near, _LETTERS)
    behind = (_UNIT if is_number or _letters(left) < _LETTERS else _MARKS).match(_VARIES.split(after[:_AFTER])[0])
    right = behind[0] if behind is not None else ""
    begins, closes = starts and left == before, ends and right == after
    if not (_are_enough(left, right) or ((begins or closes) and left + right)):
        # A whole word behind it, where the text before it says as little; else all that the text begins with.
        word = None if is_number else _WORD_BEHIND.match(_VARIES.split(after[:_AFTER])[0])
        if word is not None:
            right, closes = word[0], ends and word[0] == after
        elif starts and 0 < len(before) <= _BEFORE and _CUT not in before:
            left, begins = before, True
        else:
            return None
    return Clause(
        ("\\A" if begins else "") + _any_digits(left) if left or begins else "",
        re.escape(right) + ("\\Z" if closes else "") if right or closes else "",
        isinstance(piece.shape, Times),
    )


def _are_enough(left: str, right: str) -> bool:
    """Whether a piece can be found by what stands before and behind it: words, marks, the name of a parameter."""
    is_parameter = _PARAMETER.fullmatch(left) is not None
    return is_parameter or _letters(left + right) >= _LETTERS or len(left + right) >= _ENOUGH


def _signature(after: str, *, ends: bool) -> Clause:
    behind = _MARKS.match(_VARIES.split(after[:_AFTER])[0])
    right = "" if behind is None else behind[0]
    closes = ends and right == after
    return Clause(re.escape(_CLAIMS), re.escape(right) + ("\\Z" if closes else "") if right or closes else "")


def _any_digits(words: str) -> str:
    return re.sub(r"[0-9]+", lambda run: f"[0-9]{{{len(run[0])}}}", re.escape(words))


def _nearest(words: str, letters: int) -> str:
    """Return the end of a text from a word on that has so many letters, the whole of it where there are fewer."""
    if (parameter := _PARAMETER.search(words)) is not None:
        return parameter[0]
    starts = [found.start() for found in _WORD.finditer(words)]
    return next((words[at:] for at in reversed(starts) if _letters(words[at:]) >= letters), words)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
