"""Reads a request line; refuses early what is too long or malformed."""

from __future__ import annotations

import re
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.fields import Refusal
from rules.bounded_cache import evict_oldest

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
METHOD_LENGTH: Final = 32
_SHORT_LINE: Final = 256
_SHORT_LINES_AT_MOST: Final = 8192
_absolute: Final = re.compile(r"[hH][tT][tT][pP][sS]?://([^/?#@]+)((?:[/?][\x21\x22\x24-\x7e]*)?)").fullmatch


class RequestLine:
    """A request line, parsed.

    Shared by all requests that repeat it: only `side_effects` is set once, when first needed.
    `path` and `query` (None without question mark) are the parts of `target`. `authority` is an absolute-form
    target's. `written` is the line as a backend gets it. `is_usual` where fields mean what they usually mean:
    HTTP/1.1, origin-form. `side_effects` says whether a read of it looks like one that changes something, None until
    that was decided.
    """

    __slots__ = ("authority", "is_usual", "method", "minor", "path", "query", "side_effects", "target", "written")

    def __init__(self, method: str, target: str, minor: int, authority: str, written: bytes) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.authority = authority
        path, mark, query = target.partition("?")
        self.path = path
        self.query: str | None = query if mark else None
        self.written = written
        self.side_effects: bool | None = None
        self.is_usual = minor == 1 and not authority and method != "OPTIONS"


request_lines: Final[dict[bytes, RequestLine]] = {}
"""Short lines seen before, checked then: a flood of new ones pushes out the oldest."""


def request_line(data: bytes) -> RequestLine:
    """Read a request line that is not in `request_lines`; raises `Refusal`."""
    method, target, minor = _three_parts(data.decode("latin-1"))
    authority = ""
    written = data + b"\r\n"
    unusual = target[:1] != "/" or "#" in target  # every other visible character passes as it is
    if unusual or minor == 0:
        if unusual:
            target, authority = _unusual_target(method, target)
        written = f"{method} {target} HTTP/1.1\r\n".encode("latin-1")
    line = RequestLine(method, target, minor, authority, written)
    if len(data) <= _SHORT_LINE:
        evict_oldest(request_lines, _SHORT_LINES_AT_MOST)
        request_lines[data] = line
    return line


def _unusual_target(method: str, target: str) -> tuple[str, str]:
    """A target that is not in origin-form (RFC 9112 3.2), as the backend gets it, with its authority."""
    if target == "*" and method == "OPTIONS":
        return target, ""
    absolute = _absolute(target)
    if absolute is None or not f.host_is_valid(absolute[1]):
        raise Refusal(400, "the request target has no valid form")
    path = absolute[2]
    if not path.startswith("/"):
        path = "*" if not path and method == "OPTIONS" else "/" + path
    return path, absolute[1]


def _three_parts(line: str) -> tuple[str, str, int]:
    if not (line.isascii() and line.isprintable()):
        raise Refusal(400, "a character in the request line that may not stand there")
    parts = line.split(" ")
    if len(parts) != 3:  # noqa: PLR2004 - method, target, version
        raise Refusal(400, "the request line is not method, target, version")
    method, target, version = parts
    if method not in _METHODS and (f.token(method) is None or len(method) > METHOD_LENGTH):
        raise Refusal(400, "the method is not a token")
    if version == "HTTP/1.1":
        minor = 1
    elif version == "HTTP/1.0":
        minor = 0
    else:
        raise Refusal(400, "the version is neither HTTP/1.1 nor HTTP/1.0")
    if method in ("CONNECT", "TRACE"):
        raise Refusal(405, f"{method} is not served here")
    return method, target, minor


# Refuses a head that is too long or incomplete by the position of its first offence.
#
# So the result does not depend on how a head is split: in parts it is refused for what it would be refused for
# in one piece.


REQUEST_LINE_EXTRA: Final = METHOD_LENGTH + len("  HTTP/1.1")
_bare_newline: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)").search


def early_refusal(data: bytes, end: int, header_bytes: int, url_bytes: int, clean: int = 0) -> Refusal | None:
    """Return what is wrong with an over-long or incomplete head: the offence that comes first decides.

    `end` is where the head ends without its final CR LF CR LF; -1: not yet, then up to three of the last bytes
    may belong to those. So the result does not depend on how a head is split. The first `clean` bytes were checked
    before: checking them again with every new byte would cost the square of a head's size.
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
    """Return the reason of a refusal: a bare line end comes first, as it would for a head that comes in parts."""
    if refusal.status != 400 and _bare_newline(data) is not None:  # noqa: PLR2004 - HTTP
        return Refusal(400, "a line of the head does not end with CR LF")
    return refusal
