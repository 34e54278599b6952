"""Frames a request for the side that gets it."""

from __future__ import annotations

from proxy.http1 import RequestHead


def framing_lines(head: RequestHead, *, chunked: bool, length: int, expect: bool, upgrade: bool) -> str:
    """Our framing and connection lines; a length stays a length, chunked stays chunked (requirement 5)."""
    own = ""
    if chunked:
        own = "Transfer-Encoding: chunked\r\n"
    elif length >= 0:
        own = f"Content-Length: {length}\r\n"
    if expect:
        own += "Expect: 100-continue\r\n"
    if upgrade:
        own += "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    elif head.te:
        own += "Connection: TE\r\nTE: trailers\r\n"
    return own
