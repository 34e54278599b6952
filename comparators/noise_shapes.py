"""Tells what kind of varying value a literal is: made at random, a time, a whole number, a measure."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

from comparators.instants import moment
from comparators.model import LONGEST_LITERAL

ALPHABETS: Final = (
    ("digits", re.compile(r"[0-9]+")),
    ("hex", re.compile(r"[0-9a-f]+")),
    ("HEX", re.compile(r"[0-9A-F]+")),
    ("uuid", re.compile(r"[0-9a-fA-F-]+")),
    ("letters and digits", re.compile(r"[A-Za-z0-9]+")),
    ("url", re.compile(r"[A-Za-z0-9_.~-]+")),
    ("base64", re.compile(r"[A-Za-z0-9+/=_-]+")),
    ("printable", re.compile(r"[!-~]+")),
)
"""From narrow to wide; a token's is the first that all of its values keep to."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_SHORTEST_TOKEN: Final = 8
_EPOCH: Final = (1_000_000_000, 4_200_000_000)
_MILLISECONDS: Final = 1000
_ALIKE: Final = re.compile(r"[0-9]")


def text_of(literal: str) -> str | None:
    """Return the whole text that a literal stands for, as it is where it is not in quotes; None where it was cut."""
    if len(literal) >= LONGEST_LITERAL:
        return None
    if not literal.startswith('"'):
        return literal
    try:
        found = json.loads(literal)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def number_of(literal: str) -> Decimal | None:
    """Return the number that a literal is, a plain text of digits included; None where it is none."""
    text = text_of(literal)
    return Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None


def is_whole(literal: str) -> bool:
    """Whether a literal is a whole number that is not too long."""
    text = text_of(literal)
    return text is not None and _WHOLE.fullmatch(text) is not None


def is_beside(literal: str, least: float, most: float, other: str) -> bool:
    """Whether a literal is a number between two sizes, quoted where the `other` is."""
    number = number_of(literal)
    quoted = literal.startswith('"') == other.startswith('"')
    return quoted and number is not None and least <= number <= most


def moments_apart(one: str, two: str) -> float | None:
    """Return the seconds between two literals that are times in one spelling; None where they are not."""
    first, second = instant_of(one), instant_of(two)
    if first is None or second is None or _spelling(one) != _spelling(two):
        return None
    return abs(first - second)


def instant_of(literal: str) -> float | None:
    """Return a literal's time in seconds, of a naive one as if in UTC: an epoch in (milli)seconds, a date with time."""
    text = text_of(literal)
    if text is None:
        return None
    if _WHOLE.fullmatch(text):
        for unit in (1, _MILLISECONDS):
            if _EPOCH[0] <= int(text) / unit <= _EPOCH[1]:
                return int(text) / unit
        return None
    when = moment(text)
    if when is None:
        return None
    wall = when.wall.replace(tzinfo=None) - (when.offset or timedelta(0))
    return (wall - type(wall)(1970, 1, 1)).total_seconds() + float(f"0.{when.fraction or 0}")


def alphabet_of(texts: list[str]) -> str:
    """Return the narrowest alphabet that texts long enough to be tokens keep to, empty where there is none."""
    if any(len(text) < _SHORTEST_TOKEN for text in texts):
        return ""
    return next((name for name, letters in ALPHABETS if all(letters.fullmatch(text) for text in texts)), "")


def fits_random(literal: str, alphabet: str, least: float, most: float) -> bool:
    """Whether a literal is a text of an alphabet between two lengths."""
    text = text_of(literal)
    letters = dict(ALPHABETS).get(alphabet)
    return text is not None and letters is not None and least <= len(text) <= most and bool(letters.fullmatch(text))


def digest(literal: str) -> str:
    """Return a short hash of a value: rules are stored, values that people typed are not."""
    return sha256(literal.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _spelling(literal: str) -> str:
    return _ALIKE.sub("0", literal.partition(".")[0] + literal[-1:])
