"""Reads the Forwarded field (RFC 7239)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_READ_AT_MOST: Final = 1024
"""Characters; a quote that is never closed costs the square of what is read."""
_ELEMENT: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_PAIR: Final = re.compile(r'(?:\A|;)[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))[ \t]*(?=;|\Z)')
_ESCAPED: Final = re.compile(r"\\(.)")
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9A-Za-z._-]+)?").fullmatch


def first(value: str) -> tuple[str, str]:
    """`proto` and `host` of the first element: as set by the edge nearest to the user; empty where absent."""
    element = next(_elements(value), {})
    return element.get("proto", ""), element.get("host", "")


def addresses(value: str) -> tuple[str, ...]:
    """The addresses that are named by `for`, without ports; hidden and unknown hops are left out."""
    found = (_ADDRESS(element.get("for", "")) for element in _elements(value))
    return tuple(match[1] or match[2] for match in found if match is not None)


def _elements(value: str) -> Iterator[dict[str, str]]:
    """The parameters of each element; none of one that has a parameter twice, which says nothing (RFC 7239, 4)."""
    for element in _ELEMENT.findall(value[:_READ_AT_MOST]):
        if text := element.strip(" \t"):
            pairs = _PAIR.findall(text)
            named = {name.lower(): _ESCAPED.sub(r"\1", quoted) or bare for name, quoted, bare in pairs}
            yield named if len(named) == len(pairs) else {}
