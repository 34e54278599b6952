"""Which letters made texts are written in: the narrowest alphabet of all samples, and what chance left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, NamedTuple

_CHANCE: Final = 5e-3
_SAME_FAMILY: Final = 1e-3
"""How improbable it must be that letters are missing by chance before they count as letters that never come."""

_FEW: Final = 2
_LONG: Final = 8


class Alphabet(NamedTuple):
    """Letters under a name; nothing changes."""

    name: str
    letters: frozenset[str]


ALPHABETS: Final = tuple(
    Alphabet(name, frozenset(letters))
    for name, letters in (
        ("digits", digits),
        ("hex", digits + "abcdef"),
        ("HEX", digits + "ABCDEF"),
        ("lower", ascii_lowercase),
        ("UPPER", ascii_uppercase),
        ("base32", ascii_uppercase + "234567"),
        ("crockford", digits + "ABCDEFGHJKMNPQRSTVWXYZ"),
        ("lower and digits", ascii_lowercase + digits),
        ("UPPER and digits", ascii_uppercase + digits),
        ("letters", ascii_lowercase + ascii_uppercase),
        ("letters and digits", ascii_lowercase + ascii_uppercase + digits),
        ("url", ascii_lowercase + ascii_uppercase + digits + "_-"),
        ("base64", ascii_lowercase + ascii_uppercase + digits + "+/="),
        ("token", ascii_lowercase + ascii_uppercase + digits + "_-.~+/=$!*"),
        ("printable", "".join(map(chr, range(33, 127)))),
    )
)
"""From narrow to wide."""

_BY_NAME: Final = {each.name: each for each in ALPHABETS}
_MIXED: Final = frozenset({"letters", "letters and digits", "url", "base64"})
_CODED: Final = re.compile(r"%(?:2[bBfF]|3[dD])")
_CODES: Final = {"%2b": "+", "%2f": "/", "%3d": "="}


def decoded(text: str) -> str:
    """Return a token with the letters of base64 that an address may not hold as they are."""
    return _CODED.sub(lambda found: _CODES[found[0].lower()], text) if "%" in text else text


def narrowest(texts: Sequence[str]) -> Alphabet | None:
    """Return the narrowest alphabet that all texts keep to."""
    there = frozenset().union(*texts)
    return next((each for each in ALPHABETS if there <= each.letters), None)


def plausible(texts: Sequence[str]) -> frozenset[str]:
    """Return the letters that may come as well: of each wider alphabet the texts could be a chance draw from.

    Digits stay digits: a number is much more often one than it is hexadecimal without a letter.
    """
    own = narrowest(texts)
    if own is None:
        return frozenset()
    count = sum(map(len, texts))
    wide = own.letters
    if own.name == "digits":
        return wide
    for other in ALPHABETS:
        limit = _SAME_FAMILY if own.name in _MIXED and other.name in _MIXED else _CHANCE
        is_wider = own.letters < other.letters and other.name not in {"token", "printable"}
        if is_wider and (len(own.letters) / len(other.letters)) ** count >= limit:
            wide |= other.letters
    return wide


def letters_of(name: str) -> frozenset[str]:
    """Return the letters of an alphabet by its name; of several, joined by `|`. KeyError for what is none."""
    return frozenset().union(*(_BY_NAME[each].letters for each in name.split("|")))


def name_of(letters: frozenset[str]) -> str:
    """Return the name under which `letters_of` gives these letters back: few alphabets that make them up."""
    parts = [each for each in ALPHABETS if each.letters <= letters]
    widest = [each for each in parts if not any(each.letters < other.letters for other in parts)]
    return "|".join(each.name for each in widest)


def is_even(text: str) -> bool:
    """Whether a text is one letter over and over, or two: that is not random."""
    return len(text) >= _LONG and len(set(text)) <= _FEW


def charset(letters: frozenset[str]) -> str:
    """Return a regex's class of these letters."""
    runs = [
        run
        for run, members in (("0-9", digits), ("A-Z", ascii_uppercase), ("a-z", ascii_lowercase))
        if set(members) <= letters
    ]
    rest = sorted(letters - {each for run in runs for each in map(chr, range(ord(run[0]), ord(run[2]) + 1))})
    short = _spans(rest)
    return f"[{''.join(runs)}{short}]"


def _spans(letters: Sequence[str]) -> str:
    """Write letters in their order as ranges where three or more follow each other."""
    found, at = "", 0
    while at < len(letters):
        end = at
        while end + 1 < len(letters) and ord(letters[end + 1]) == ord(letters[end]) + 1:
            end += 1
        wide = end - at >= _FEW and letters[at].isalnum() and letters[end].isalnum()
        if wide:
            found += f"{letters[at]}-{letters[end]}"
        else:
            found += "".join(map(_escaped, letters[at : end + 1]))
        at = end + 1
    return found


def _escaped(letter: str) -> str:
    return letter if letter.isalnum() or letter in "_/=.~+:%!$*" else f"\\{letter}"
