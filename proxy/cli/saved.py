"""Reads a saved answer: raw HTTP as `curl -i` writes it, or a body alone."""

from __future__ import annotations

import re
from pathlib import Path

from comparators.model import Capture
from proxy.errors import EXIT_USAGE, ProxyError

_STATUS = re.compile(rb"HTTP/[0-9.]+ ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = range(100, 200)
_TYPES = {
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
}


class UnreadableAnswerError(ProxyError):
    """A file that holds no answer; the message names it."""

    exit_code = EXIT_USAGE


def saved(name: str, method: str, target: str) -> Capture:
    """Return the answer saved in the file `name` to a request of `method` for `target`; UnreadableAnswerError."""
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise UnreadableAnswerError(f"{name}: {error.strerror}") from error
    if _STATUS.match(data):
        return _raw(name, data, method, target)
    kind = _TYPES.get(Path(name).suffix.lower()) or _guessed(data)
    return Capture(method, target, 200, (("Content-Type", kind),), data)


def _guessed(data: bytes) -> str:
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return "application/json"
    return "text/html" if start == b"<" else "text/plain"


def _raw(name: str, data: bytes, method: str, target: str) -> Capture:
    while True:
        line, end = _STATUS.match(data), _END.search(data)
        if line is None or end is None:
            raise UnreadableAnswerError(f"{name}: the head of an HTTP answer never ends")
        status, head, rest = int(line[1]), data[line.end() : end.end()], data[end.end() :]
        # curl writes the heads of interim answers, of redirects that it followed, before the last one
        if status in _INTERIM or _STATUS.match(rest):
            data = rest
            continue
        headers = tuple(_headers(name, head))
        return Capture(method, target, status, headers, _body(name, dict(headers), rest, method))


def _headers(name: str, head: bytes) -> list[tuple[str, str]]:
    found = []
    for line in head.decode("latin-1").splitlines():
        if not line:
            continue
        field, colon, value = line.partition(":")
        if not colon or field != field.strip():
            raise UnreadableAnswerError(f"{name}: {line[:60]!r} is no header")
        found.append((field, value.strip()))
    return found


def _body(name: str, headers: dict[str, str], rest: bytes, method: str) -> bytes:
    fields = {field.lower(): value for field, value in headers.items()}
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return _without_chunks(rest)
    length = fields.get("content-length", "")
    if length.isdigit() and method != "HEAD" and rest:
        if int(length) > len(rest):
            raise UnreadableAnswerError(f"{name}: {len(rest)} bytes of a body of {length}")
        return rest[: int(length)]
    return rest


def _without_chunks(rest: bytes) -> bytes:
    """Undo chunks where they are still there: curl takes them out, leaving the header that tells of them."""
    body: list[bytes] = []
    left = rest
    while True:
        size = re.match(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r\n", left)
        if size is None:
            return rest
        length = int(size[1], 16)
        if length == 0:
            return b"".join(body)
        chunk = left[size.end() : size.end() + length]
        left = left[size.end() + length :]
        if len(chunk) < length or not left.startswith(b"\r\n"):
            return rest
        body.append(chunk)
        left = left[2:]
