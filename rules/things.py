"""Tells which segments of a path name a thing, by their shape alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ANY: Final = "*"
"""What stands in a pattern for the name of a thing."""
_DEEPEST: Final = 8
_A_NOUN: Final = 4
"""Letters that a plural has at least; `js` is none."""
_DATUM: Final = re.compile(
    r"""
      [0-9]+                                   # an id
    | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{18,}   # a UUID
    | (?=.*[0-9])[0-9a-f]{8,}                  # a hash
    | (?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}  # a token, a ULID
    | [A-Za-z]{1,12}([-_][0-9]+|[0-9]{2,})     # INV-2024
    | [0-9]{4}-[0-9]{2}(-[0-9]{2})?            # a date
    | [^@]+@[^@]+\.[a-z]+                      # an address
    | [0-9]+[-_][a-z0-9-]+                     # 42-a-title
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSION: Final = re.compile(r"v[0-9]{1,3}", re.IGNORECASE)
_WORDS_JOINED: Final = re.compile(r"[a-z0-9]+(?:[-_.:~][a-z0-9]+)+", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z0-9._~-]{1,40}")


def is_datum(segment: str) -> bool:
    """Whether a segment reads like an id, a hash, a date …; `v2` is a version, not an id."""
    if _VERSION.fullmatch(segment):
        return False
    stem = segment.rpartition(".")[0] or segment
    return _DATUM.fullmatch(stem) is not None or _DATUM.fullmatch(segment) is not None


def is_name(segment: str, before: str) -> bool:
    """Whether a segment names one of those that the segment `before` it is the plural of.

    An id does anywhere; words joined by hyphens do behind a plural only: `/tickets/printer-on-fire` is a ticket,
    `/api/gift-cards` is no api.
    """
    return _is_name(segment, _is_plural(before))


def _is_name(segment: str, behind_plural: bool) -> bool:  # noqa: FBT001 - the one thing that counts of the segment before
    return is_datum(segment) or (behind_plural and _WORDS_JOINED.fullmatch(segment) is not None)


def _is_plural(word: str) -> bool:
    return len(word) >= _A_NOUN and singular(word) != word


def singular(word: str) -> str:
    """One of several, in the simplest English there is; `status` and `address` are one already."""
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - `ties`
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def pattern_of(path: str) -> str:
    """Return `path` with `*` for whatever names a thing, or might be somebody's name or secret: `/orders/*/lines`.

    What is deeper than eight segments is left out.
    """
    plural, found = False, []
    for segment in path.split("/", _DEEPEST + 1)[1 : _DEEPEST + 1]:
        if segment.isdecimal() and segment.isascii():  # what is new in a path mostly is
            plural = False
            found.append(ANY)
        else:
            found.append(_shown(segment, plural))
            plural = _is_plural(segment)
    return "/" + "/".join(found)


@lru_cache(maxsize=4096)
def _shown(segment: str, behind_plural: bool) -> str:  # noqa: FBT001 - as `is_name`
    """A segment as it stands in a pattern; words come again and again."""
    if segment and (_WORD.fullmatch(segment) is None or _is_name(segment, behind_plural)):
        return ANY
    return segment
