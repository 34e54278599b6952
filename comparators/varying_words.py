"""Whether a word may stand where legacy varies words: of about their length, in their letters, as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from comparators.html_volatile import is_broken, is_unfilled, is_worded
from comparators.literals import shared_beginning
from comparators.noise_forms import Made, Row, Shape
from comparators.noise_letters import narrowest, plausible
from comparators.noise_times import STRICT, Reading
from comparators.spelled_words import in_ascii, is_name, is_spelled_otherwise

_FACTOR: Final = 2
_TOKEN: Final = 10
_CODE: Final = 5
_WORD: Final = 12
_NAMED: Final = 24
"""A word among others may have so many letters, a name or a phrase so many, however short legacy's are."""
_SHORTER: Final = 4
_IN_WORDS: Final = frozenset(" .,'\u2019-_&()")
_NO: Final = frozenset({"not", "no", "never", "niet", "geen", "nicht", "kein", "keine", "pas", "non"})
_NONE: Final = frozenset({"None", "null", "undefined", "NaN"})
_FEW_WORDS: Final = 3
_MOST_DIGITS: Final = 7
_MARKS: Final = re.compile(r"[/_.-]")
_BOUNDARY: Final = re.compile(r"[\W_](?=[^\W_]*\Z)")
"""A letter with an accent ends no word."""
_FOLDER: Final = 3


class Words(NamedTuple):
    """The words that legacy has at one place among fixed text."""

    values: tuple[str, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:  # noqa: ARG002 - one form for all
        """Whether another word may stand there."""
        if text in self.values:
            return True
        cores = cores_of(self.values, text)
        return cores is not None and are_like(cores, among=True)


class Path(NamedTuple):
    """An address's folders: some fixed, some varying, at least one of these a word."""

    parts: tuple[str | Shape | Words, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text is an address of as many folders, the fixed ones the same."""
        mine = text.split("/")
        return len(mine) == len(self.parts) and all(
            each == part if isinstance(part, str) else part.fits(each, reading)
            for part, each in zip(self.parts, mine, strict=True)
        )


def _is_denied(values: Sequence[str], given: str) -> bool:
    """Whether a word or two say no, or none, where none of legacy's does: `not running`, `None Jansen`."""
    words, known = given.split(), " ".join(values).split()
    if len(words) > _FEW_WORDS:
        return False
    # as they are written: `Dr. No` is a film
    return any(not signs.isdisjoint(words) and signs.isdisjoint(known) for signs in (_NO, _NONE))


def path_of(column: Sequence[str], shape: Callable[[Sequence[str]], Shape | None]) -> Path | None:
    """Return what addresses share where words and what is made stand in fixed folders; None for other texts.

    A slash is also a letter of tokens: a folder between the varying ones, or a slash in front, says it is none here.
    """
    rows = [each.split("/") for each in column]
    if len({len(row) for row in rows}) > 1:
        return None
    there = list(zip(*rows, strict=True))
    varying = [at for at, each in enumerate(there) if len(set(each)) > 1]
    if len(varying) < _FACTOR or any("" in there[at] for at in varying):
        return None
    between = [there[at][0] for at in range(varying[0], varying[-1]) if at not in varying]
    if not any(between) or (rows[0][0] and max(map(len, between)) < _FOLDER):
        return None
    parts = tuple((shape(each) or Words(each)) if at in varying else each[0] for at, each in enumerate(there))
    words = sum(isinstance(each, Words) for each in parts)
    return Path(parts) if 0 < words < len(varying) else None


def is_loose(shape: Shape | None) -> bool:
    """Whether a shape says nothing of slashes: they would be letters of what is made."""
    return shape is None or isinstance(shape, Made) or (isinstance(shape, Row) and shape.mark != "/")


def cores_of(values: Sequence[str], given: str) -> list[str] | None:
    """Return texts without the words that all of `values` begin and end with; None where `given` has others."""
    before, after = _shared(values)
    if not (given.startswith(before) and given.endswith(after) and len(given) > len(before) + len(after)):
        return None
    return [text[len(before) : len(text) - len(after)] for text in (*values, given)]


def are_like(cores: Sequence[str], *, among: bool = False) -> bool:
    """Whether the last of some texts is a word, a phrase, an address as the others are; `among` fixed text, or alone.

    Never what stands for a value that was not there (`undefined`, a template's braces), nor what is written otherwise.
    """
    *values, given = cores
    is_number = not any(map(str.isalpha, given)) and not any(map(str.isdigit, "".join(values)))
    is_none = any(sign(given) and not any(map(sign, values)) for sign in (is_broken, is_unfilled))
    if is_number or is_none or _is_denied(values, given) or is_spelled_otherwise(values, given):
        return False
    return _has_letters(values, given, among=among) and _has_length(values, given, among=among)


def _has_letters(values: Sequence[str], given: str, *, among: bool) -> bool:
    # the next name may have a letter that none had so far; small letters alone may be a token's
    if all(map(is_name, (*values, given))):
        return True
    if among and given[0].isalnum() and all(each.isalnum() or each in _IN_WORDS for each in given):
        return True
    plain = list(map(in_ascii, values))
    if narrowest(plain) is None:
        return True
    letters = plausible(plain) if plain == values else plausible(plain) | _IN_WORDS  # an accent: no token's letters
    return letters.issuperset(in_ascii(given))


def _has_length(values: Sequence[str], given: str, *, among: bool) -> bool:
    sizes = [len(value) for value in values]
    least, most = min(sizes), max(sizes)
    is_token = least == most > _TOKEN and not any(map(_has_blank, values)) and not all(map(_is_slug, (*values, given)))
    if is_token or (among and least == most >= _CODE and _are_codes(values)):
        return len(given) == least
    if among:
        is_longer = any(map(_has_blank, values)) or all(map(is_name, (*values, given)))
        return max(1, least // _SHORTER) <= len(given) <= max(_NAMED if is_longer else _WORD, most * _FACTOR)
    return max(1, least / _FACTOR) <= len(given) <= most * _FACTOR


def _are_codes(values: Sequence[str]) -> bool:
    """Whether texts are letters of one case of which some cannot be spoken: codes, which keep their length."""
    plain = all(value.isascii() and value.isalpha() and value in {value.lower(), value.upper()} for value in values)
    return plain and not all(is_worded(value.lower()) for value in values)


def _shared(values: Sequence[str]) -> tuple[str, str]:
    """Return the words that all texts begin and end with."""
    before = shared_beginning(values)
    found = _BOUNDARY.search(before)
    before = before[: found.end()] if found else ""
    rest = [value[len(before) :][::-1] for value in values]
    after = shared_beginning(rest)
    found = _BOUNDARY.search(after)
    return before, after[: found.end()][::-1] if found else ""


def _is_slug(text: str) -> bool:
    """Whether a piece of an address is words and short numbers, `143/french-press-1-l`: no token of some length."""
    parts = _MARKS.split(text)
    words = [part for part in parts if part.islower() and part.isalpha() and is_worded(part)]
    return bool(words) and all(
        part in words or len(part) == 1 or (part.isdigit() and len(part) < _MOST_DIGITS) for part in parts
    )


def _has_blank(text: str) -> bool:
    return any(map(str.isspace, text))
