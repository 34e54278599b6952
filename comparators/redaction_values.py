"""Removes secrets by their value: what was masked in a response is masked wherever else it is shown.

The literal of a difference in a page, a table or a text shows a value and its place, but not the label, the heading or
the row's name that makes it a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from html import unescape
from itertools import islice
from typing import Final

_SHORTEST: Final = 6
"""Shorter ones are masked where they are all that is shown: as a part of a text they are words."""
_MOST: Final = 200
_MOST_LOOKED_FOR: Final = 20_000
_LONG: Final = 100
_ELLIPSIS: Final = "…"


def shown_in(literals: Iterable[str], secrets: AbstractSet[str]) -> AbstractSet[str]:
    """Return the secrets that may be shown in literals, whole or, long ones, in part: a body may hold ten thousand."""
    text = "\n".join(literals)
    there = {
        each for each in islice(secrets, _MOST_LOOKED_FOR) if any(one in text for one in _spellings(text, (each,)))
    }
    return there | set(islice((each for each in secrets if len(each) >= _LONG), _MOST))


def without_values(literal: str, secrets: AbstractSet[str], mask: Callable[[str], str]) -> str:
    """Return what is shown of a difference with the values of secrets masked, also those that are cut."""
    if not (literal and secrets):
        return literal
    there = sorted({each for each in _spellings(literal, secrets) if each in literal}, key=len, reverse=True)
    for each in there[:_MOST]:
        literal = _alone(literal, each, mask) if len(each) < _SHORTEST else literal.replace(each, mask(each))
    return _cut(literal, secrets, mask)


def _spellings(literal: str, secrets: Iterable[str]) -> Iterator[str]:
    """Yield secrets as they may be spelled in a literal: decoded of entities, escaped as JSON."""
    for secret in secrets:
        yield secret
        if "&" in secret:
            yield unescape(secret)
        if "\\" in literal:
            yield json.dumps(secret, ensure_ascii=False)[1:-1]


def _alone(literal: str, secret: str, mask: Callable[[str], str]) -> str:
    """Mask a short secret where it is the whole value that is shown."""
    for place in _places(literal):
        if literal[place:].rstrip("\"'") == secret:
            return literal[:place] + mask(secret) + literal[place + len(secret) :]
    return literal


def _places(literal: str) -> Iterator[int]:
    """Yield where the value of a literal may begin."""
    yield len(literal) - len(literal.lstrip("\"'"))
    for mark in (": ", "="):
        at = literal.find(mark)
        while at >= 0:
            yield at + len(mark) + (literal[at + len(mark) : at + len(mark) + 1] in {'"', "'"})
            at = literal.find(mark, at + 1)


def _cut(literal: str, secrets: AbstractSet[str], mask: Callable[[str], str]) -> str:
    """Mask a value that is shown in part: an ellipsis stands before or behind what belongs to a longer secret."""
    if _ELLIPSIS not in literal:
        return literal
    for place in _places(literal):
        head = literal[place:]
        bare = head.strip("\"'").strip(_ELLIPSIS)
        if len(bare) < _SHORTEST:
            continue
        whole = next((each for each in secrets if len(each) > len(bare) and bare in each), None)
        if whole is not None:
            return literal[:place] + mask(whole)
    return literal
