"""Cuts a page into its tags, texts and comments.

Most `<` begin a tag, so that the page is split at them, which takes a fifth of the time that a regex takes for the
pieces one by one. What comes from one tag to the next is a unit, `p>text`; each is taken apart once, however often it
comes. A comment, or a script, that holds further `<` is a unit as a whole, `<!-- … -->`, and so is a text that no tag
comes before: `<>>text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Final, NamedTuple

RAW: Final = "script|style|xmp|iframe|noembed|noframes|plaintext"
"""Elements whose text is no markup, as the parser writes them."""
MARK: Final = "<>>"
"""What a unit begins with that is a text alone."""

_WHOLE: Final = re.compile(rf"(<(?:!--.*?--|(?:{RAW})[ >].*?</(?:{RAW}))>)", re.DOTALL)
_PIECES: Final = re.compile(rf"[^<]+|<(?:!--.*?--|(?:{RAW})[ >].*?</(?:{RAW})|[^>]*)>", re.DOTALL)
"""The parser writes `<` and `>` of attributes as entities: a tag ends at the first `>`."""


class Known:
    """What pages are cut into, so far: the pieces of each unit, each piece as one object. Both grow by the pages.

    One object for all that are equal takes a sixth of the memory, and is compared at a glance.
    """

    def __init__(self) -> None:
        self.units: dict[str, tuple[str, ...]] = {}
        self.pieces: dict[str, str] = {}


class Way(NamedTuple):
    """A way to cut a page.

    `whole` finds what may hold a `<` that begins no tag; `learn` notes the pieces of new units, and returns False where
    a tag does not end in its unit: then `single` finds the pieces one by one.
    """

    whole: re.Pattern[str]
    single: re.Pattern[str]
    learn: Callable[[Iterable[str], Known], bool]


def pieces(page: str, way: Way, known: Known) -> list[str]:
    """Return a page's pieces."""
    found = _units(page, way.whole)
    if not way.learn(set(found).difference(known.units), known):
        found = [each if each[0] == "<" else MARK + each for each in way.single.findall(page)]
        way.learn(set(found).difference(known.units), known)
    return list(chain.from_iterable(map(known.units.__getitem__, found)))


def _units(page: str, whole: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for at, part in enumerate(whole.split(page)):
        if at % 2:
            found.append(part)
        elif part:
            units = part.split("<")
            units[0] = MARK + units[0]
            found += units
    return found


def _learn(units: Iterable[str], known: Known) -> bool:
    """Note the pieces of units as the parser writes them."""
    made, held = known.units, known.pieces
    for unit in units:
        if unit.startswith(MARK):
            made[unit] = _texts(unit[len(MARK) :], held)
        elif unit.startswith("<"):
            made[unit] = (unit,)
        else:
            tag, end, text = unit.partition(">")
            if not end:
                return False
            tag = f"<{tag}>"
            tag = held.setdefault(tag, tag)
            made[unit] = (tag, held.setdefault(text, text)) if text else (tag,)
    return True


def _texts(text: str, held: dict[str, str]) -> tuple[str, ...]:
    return (held.setdefault(text, text),) if text else ()


PARSED: Final = Way(_WHOLE, _PIECES, _learn)
"""A page as the parser writes it down."""
