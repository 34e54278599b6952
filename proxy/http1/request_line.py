"""Reads a request line: method, target, version (RFC 9112 section 3)."""

from __future__ import annotations

import re
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.errors import Refusal

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
METHOD_LENGTH: Final = 32
_SHORT_LINE: Final = 256
_SHORT_LINES_AT_MOST: Final = 8192
_absolute: Final = re.compile(r"[hH][tT][tT][pP][sS]?://([^/?#@]+)((?:[/?][\x21\x22\x24-\x7e]*)?)").fullmatch


class RequestLine:
    """A request line, read; shared by all requests that repeat it: nothing changes it but whoever first asks `effects`.

    `path` and `query` (None without question mark) are the parts of `target`. `authority` is an absolute-form
    target's. `written` is the line as a backend gets it. `is_usual` where fields mean what they usually mean:
    HTTP/1.1, origin-form. `effects` tells whether a read of it looks like one that changes something, None until
    somebody has looked.
    """

    __slots__ = ("authority", "effects", "is_usual", "method", "minor", "path", "query", "target", "written")

    def __init__(self, method: str, target: str, minor: int, authority: str, written: bytes) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.authority = authority
        path, mark, query = target.partition("?")
        self.path = path
        self.query: str | None = query if mark else None
        self.written = written
        self.effects: bool | None = None
        self.is_usual = minor == 1 and not authority and method != "OPTIONS"


request_lines: Final[dict[bytes, RequestLine]] = {}
"""Short lines seen before, checked then: whoever floods us with new ones empties the table."""


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
        if len(request_lines) >= _SHORT_LINES_AT_MOST:
            request_lines.clear()
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
