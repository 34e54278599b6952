"""Judges a head that is too long or not whole yet by the position of its first offence.

So a head is judged alike however it is cut: what comes in parts is refused for what it would have been refused for
in one piece.
"""

from __future__ import annotations

import re
from typing import Final

from proxy.http1.errors import Refusal
from proxy.http1.request_line import METHOD_LENGTH

REQUEST_LINE_EXTRA: Final = METHOD_LENGTH + len("  HTTP/1.1")
_bare_newline: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)").search


def early_refusal(data: bytes, end: int, header_bytes: int, url_bytes: int, clean: int = 0) -> Refusal | None:
    """What is already wrong with an over-long, or unfinished, head: the offence that comes first decides.

    `end` is where the head ends without its final CR LF CR LF; -1: not yet, then up to three of the last bytes
    may belong to those. So a head is judged alike however it is cut. The first `clean` bytes were looked at
    before: looking again with every byte that comes would cost the square of a head's size.
    """
    whole = data if end < 0 else data[:end]
    newline = _bare_newline(data if end < 0 else data[: end + 2], max(0, clean - 1))
    bare = newline.start() if newline else len(data)
    line = whole.find(b"\r\n")
    if line < 0:
        line = end if end >= 0 else len(data) - 1
    size = end if end >= 0 else len(data) - 3
    line_at_most = url_bytes + REQUEST_LINE_EXTRA
    if url_bytes and line > line_at_most and bare >= line_at_most:
        return Refusal(414, "the request target is longer than the limit")
    if header_bytes and size > header_bytes and bare >= header_bytes:
        return Refusal(431, "the request head is larger than the limit")
    if newline is not None:
        return Refusal(400, "a line of the head does not end with CR LF")
    return None


def first_offence(data: bytes, refusal: Refusal) -> Refusal:
    """What a refused head is refused for: a bare line end comes first, as it would have, had the head come in parts."""
    if refusal.status != 400 and _bare_newline(data) is not None:  # noqa: PLR2004 - HTTP
        return Refusal(400, "a line of the head does not end with CR LF")
    return refusal
