"""Estimates from the bytes of a body what reading it would take, before it is read."""

from __future__ import annotations

import re
from typing import Final

from comparators.context import Context

_CHEAP: Final = 1 << 20
"""Two bodies that together are no larger than one of a mebibyte are never too much."""
_LONGEST_TEXT: Final = 8 << 20
_MOST_MEMORY: Final = 170 << 20
_MOST_TAGS: Final = 1_400_000
"""Two pages of two megabytes of the shortest tags there are."""
_A_VALUE: Final = 60
_A_MAP: Final = 240

_TAG_START: Final = re.compile(rb"<[a-zA-Z/!?]")


def refuse_costly(legacy: bytes, modern: bytes, context: Context) -> None:
    """Stop where two bodies, read as what they look like, would take more than a judge may: small ones never do.

    What a body of a mebibyte can hold fits, whatever it is; a few kilobytes of gzip can hold much more.
    """
    both = (legacy, modern)
    if len(legacy) + len(modern) <= _CHEAP:
        return
    if sum(map(_tags, both)) > _MOST_TAGS or sum(map(_memory, both)) > _MOST_MEMORY:
        context.stop("nodes")


def refuse_long(legacy: bytes, modern: bytes, context: Context) -> None:
    """Stop where a body that is no mere bytes is longer than a judge reads."""
    if max(len(legacy), len(modern)) > _LONGEST_TEXT:
        context.stop("body_cap")


def _tags(body: bytes) -> int:
    """Return how many tags a page or document has; a bracket that begins none costs nothing."""
    if body[:_CHEAP].lstrip()[:1] not in {b"<", b"\xef"}:
        return 0
    brackets = body.count(b"<")
    return len(_TAG_START.findall(body)) if brackets > _MOST_TAGS // 2 else brackets


def _memory(body: bytes) -> int:
    """Return how many bytes the values of a JSON body would take."""
    if body[:_CHEAP].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"[", b"{"}:
        return 0
    maps = body.count(b"{") - body.count(b"{}")
    values = body.count(b",") + body.count(b"[") + body.count(b"{}")
    return maps * _A_MAP + values * _A_VALUE + len(body)
