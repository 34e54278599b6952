"""Finds the piece that changes inside a text, as a pattern with the words around it."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from comparators.names import looks_money, looks_secret

_WORDS: Final = re.compile(r"[0-9]+(?:[.:,][0-9]+)*|[0-9A-Za-z_]+|\s+|[^\w\s]")
_NUMBER: Final = re.compile(r"[0-9]+(?:[.:,][0-9]+)*")
_SIGN: Final = re.compile(r"[€$£¥]|\b(?:EUR|USD|GBP|CHF|JPY)\b")
_DIGIT: Final = re.compile(r"[0-9…]")
"""Where the words around a piece end: at what may change as well, at what was left out."""
_ANCHOR: Final = 24
_AFTER: Final = 8
_LETTERS: Final = 3
_MOST_WORDS: Final = 400
_MOST_PIECES: Final = 3


def patterns(one: str, two: str) -> tuple[str, ...]:
    """Return a pattern for each piece in which two texts differ; none where they differ in words, or too much.

    A piece is one number or one token; the pattern holds the text before it (after it where nothing stands
    before), which must have letters to be found by, and is neither about money nor a secret.
    """
    left, right = _WORDS.findall(one), _WORDS.findall(two)
    if max(len(left), len(right)) > _MOST_WORDS:
        return ()
    found: list[str] = []
    for change, begin, end, start, stop in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if change == "equal":
            continue
        pattern = _pattern(left, right, (begin, end), (start, stop))
        if pattern is None:
            return ()
        found.append(pattern)
    return tuple(dict.fromkeys(found)) if len(found) <= _MOST_PIECES else ()


def is_about_money(text: str) -> bool:
    """Whether a text speaks of money or amounts, by a word or a sign."""
    return looks_money([text]) or _SIGN.search(text) is not None


def _pattern(left: list[str], right: list[str], here: tuple[int, int], there: tuple[int, int]) -> str | None:
    if here[1] - here[0] != 1 or there[1] - there[0] != 1:
        return None
    piece = _piece(left[here[0]], right[there[0]])
    # Other numbers may change as well: the words to find a piece by end where digits begin.
    before = _DIGIT.split("".join(left[: here[0]])[-_ANCHOR:])[-1]
    after = _DIGIT.split("".join(left[here[1] :])[:_AFTER])[0]
    anchor = f"{before} {after}"
    if piece is None or sum(map(str.isalpha, anchor)) < _LETTERS or is_about_money(anchor) or looks_secret(anchor):
        return None
    return f"(?<={re.escape(before)}){piece}(?={re.escape(after)})"


def _piece(one: str, two: str) -> str | None:
    """Return what both pieces are instances of: numbers, or tokens of one length that have a digit."""
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(two):
        return r"[0-9]+(?:[.:,][0-9]+)*"
    token = len(one) == len(two) and one.isalnum() and two.isalnum() and not (one.isalpha() and two.isalpha())
    return f"[0-9A-Za-z]{{{len(one)}}}" if token else None
