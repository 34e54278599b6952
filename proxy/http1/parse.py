"""Reads one head, strictly.

A head is parsed once it is whole, so the verdict cannot depend on how its bytes were split over reads; what
must be refused before the end (`early_refusal`) looks at the position of the first offence only. Text is
Latin-1: every byte is one character, none is lost, all go back out as they came.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.errors import BrokenAnswer, Refusal

FIELDS_AT_MOST: Final = 128
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_METHOD_LENGTH: Final = 32
_SHORT_LINE: Final = 256
_REPEATED: Final = (f.PASS, f.KEEP_ALIVE, f.HOST)
"""Kinds whose lines are worth remembering: cookies, tokens and ids differ from user to user, and are secrets."""
_SHORT_LINES_AT_MOST: Final = 4096
REQUEST_LINE_EXTRA: Final = _METHOD_LENGTH + len("  HTTP/1.1")
_digits: Final = re.compile(r"[0-9]{1,18}").fullmatch
_absolute: Final = re.compile(r"[hH][tT][tT][pP][sS]?://([^/?#@]+)((?:[/?][\x21\x22\x24-\x7e]*)?)").fullmatch
_bare_newline: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)").search


class RequestHead:
    """A request's head, read: nothing changes it but the call it belongs to.

    `lines` are the fields that cross as they came, in their order. `length` is -1 where none was sent. What is
    not set below is as most requests have it.
    """

    host: str = ""
    authority: str = ""
    length: int = -1
    chunked: bool = False
    upgrade: str = ""
    expect: bool = False
    te: bool = False
    named: tuple[str, ...] = ()
    cookie: str = ""
    authorization: str = ""
    request_id: str = ""
    traceparent: str = ""
    tracestate: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()
    strangler: tuple[str, ...] = ()
    has_body: bool = False
    """Whether body bytes follow the head."""
    ends_here: bool = False
    """An OPTIONS whose Max-Forwards is used up (RFC 9110 7.6.2)."""

    def __init__(self, method: str, target: str, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.close = False
        self.lines: list[str] = []

    def field(self, name: str) -> str | None:
        """The first value of a field by its lower-case name; framing and forwarding fields are not found here."""
        if name == "host":
            return self.host
        size = len(name)
        for line in (*self.lines, *self.strangler):
            if line[size : size + 1] == ":" and line[:size].lower() == name:
                return line[size + 2 :]
        return None


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


def request_head(data: bytes) -> RequestHead:  # noqa: C901, PLR0912, PLR0915 - a flat table of cases, hot
    """Read a whole head, without its final empty line; raises `Refusal`."""
    lines = data.decode("latin-1").split("\r\n")
    if len(lines) > FIELDS_AT_MOST:
        _check_characters(lines)
        raise Refusal(431, "too many header fields")
    first = lines[0]
    method, target, minor, authority = _request_lines.get(first) or _request_line(first)
    head = RequestHead(method, target, minor)
    if authority:
        head.authority = authority
    passed = head.lines
    known = f.request_lines
    hosts = 0
    kept = False
    for line in islice(lines, 1, None):
        kind = known.get(line, -1)
        if kind == f.PASS:
            passed.append(line)
            continue
        if kind < 0:
            kind, line = _new_line(line)  # noqa: PLW2901 - the line as we write it
            if kind == f.PASS:
                passed.append(line)
                continue
        if kind == f.KEEP_ALIVE:
            kept = True
        elif kind == f.HOST:
            hosts += 1
            head.host = line[6:]
        elif kind == f.COOKIE:
            passed.append(line)
            head.cookie = f"{head.cookie}; {line[8:]}" if head.cookie else line[8:]
        elif kind == f.AUTHORIZATION:
            passed.append(line)
            head.authorization = line[15:]
        elif kind == f.REQUEST_ID and not head.request_id:
            head.request_id = line[14:]
        elif kind == f.TRACEPARENT and not head.traceparent:
            head.traceparent = line[13:]
        else:
            name, _, value = line.partition(": ")
            _meaningful(head, kind, name, value)
    if head.minor == 0 and not kept:
        head.close = True
    if hosts != 1 or head.authority:
        _check_host(head, hosts)
    if head.chunked or head.length > 0:
        head.has_body = True
        if head.chunked and head.length >= 0:
            raise Refusal(400, "Content-Length beside Transfer-Encoding")
    if head.named:
        head.lines = f.without(passed, head.named)
    return head


def _check_characters(lines: list[str]) -> None:
    """Allow what isprintable() does not: tab anywhere in a field value, obs-text; refuse every control."""
    for line in lines:
        if f.value_is_clean(line) is None:
            raise Refusal(400, "a control character in the head")


_request_lines: Final[dict[str, tuple[str, str, int, str]]] = {}


def _request_line(line: str) -> tuple[str, str, int, str]:
    """Method, target, minor version, the authority of an absolute-form target; remembers short lines."""
    method, target, minor = _three_parts(line)
    authority = ""
    if target[:1] != "/" or "#" in target:  # every other visible character passes as it is
        target, authority = _unusual_target(method, target)
    if len(line) <= _SHORT_LINE:
        if len(_request_lines) >= _SHORT_LINES_AT_MOST:
            _request_lines.clear()
        _request_lines[line] = (method, target, minor, authority)
    return method, target, minor, authority


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
    if method not in _METHODS and (f.token(method) is None or len(method) > _METHOD_LENGTH):
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


def _new_line(line: str) -> tuple[int, str]:
    """Check a field line that was not seen before; returns its kind with the line as we write it."""
    if not line.isprintable() and f.value_is_clean(line) is None:
        raise Refusal(400, "a control character in the head")
    name, colon, raw = line.partition(":")
    if not colon:
        raise Refusal(400, "a header line without a colon")
    kind = f.request_kinds.get(name, -1)
    if kind < 0:
        kind = f.request_kind(name)
        if kind < 0:
            raise Refusal(400, "a header field name that is not a token")
    if kind == f.DISGUISED:
        raise Refusal(400, "a framing field spelled with an underscore")
    value = raw.strip(" \t")
    if kind == f.HOST and not f.host_is_valid(value):
        raise Refusal(400, "Host is not valid")
    if kind == f.CONNECTION and value.lower() == "keep-alive":
        kind = f.KEEP_ALIVE
    written = f"{name}: {value}"
    if written == line and kind in _REPEATED:
        f.remember_line(f.request_lines, line, kind)
    return kind, written


def _meaningful(head: RequestHead, kind: int, name: str, value: str) -> None:  # noqa: C901, PLR0912 - a flat table of cases
    if kind == f.CONNECTION:
        _connection(head, value)
    elif kind == f.LENGTH:
        if head.length >= 0 or _digits(value) is None:
            raise Refusal(400, "Content-Length is repeated or not a number")
        head.length = int(value)
    elif kind == f.CODING:
        if head.chunked or head.minor == 0:
            raise Refusal(400, "Transfer-Encoding is repeated or not allowed in HTTP/1.0")
        if value.lower() != "chunked":
            raise Refusal(501 if f.token(value) else 400, "a transfer coding other than chunked")
        head.chunked = True
    elif kind == f.REQUEST_ID:
        head.request_id = "\0"  # two ids are no id
    elif kind == f.TRACEPARENT:
        head.traceparent = "\0"
    elif kind == f.TRACESTATE:
        head.tracestate = (*head.tracestate, value)
    elif kind == f.FORWARDED:
        head.forwarded = (*head.forwarded, f"{name}: {value}")
    elif kind == f.VIA:
        head.via = (*head.via, value)
    elif kind == f.UPGRADE:
        head.upgrade = value.lower() if not head.upgrade else "\0"
    elif kind == f.EXPECT:
        if value.lower() != "100-continue":
            raise Refusal(417, "an expectation other than 100-continue")
        head.expect = head.minor == 1
    elif kind == f.TE:
        head.te = head.te or "trailers" in f.tokens(value)
    elif kind == f.MAX_FORWARDS:
        hops = int(value) if head.method == "OPTIONS" and _digits(value) is not None else -1
        head.ends_here = head.ends_here or hops == 0
        head.lines.append(f"{name}: {hops - 1 if hops > 0 else value}")
    elif kind == f.STRANGLER:
        head.strangler = (*head.strangler, f"{name}: {value}")


def _connection(head: RequestHead, value: str) -> None:
    """Read connection options (RFC 9110 7.6.1)."""
    named = f.tokens(value)
    if "close" in named:
        head.close = True
    head.named = (*head.named, *(n for n in named if n not in ("close", "keep-alive")))


def _check_host(head: RequestHead, hosts: int) -> None:
    """RFC 9112 3.2: exactly one, valid; an absolute-form target's authority replaces it (3.2.2)."""
    if hosts > 1 or (hosts == 0 and head.minor == 1):
        raise Refusal(400, "Host is missing or repeated")
    if head.authority:
        head.host = head.authority


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────

_status_line: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?").fullmatch


class ResponseHead:
    """An answer's head, read; `lines` are the fields that go to the client as they came, in their order."""

    length: int = -1
    chunked: bool = False
    upgrade: str = ""
    stream: bool = False
    decline: bool = False
    named: tuple[str, ...] = ()

    def __init__(self, status: int, reason: str, minor: int) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.close = False
        self.lines: list[str] = []


_status_lines: Final[dict[str, tuple[int, str, int]]] = {}


def response_head(data: bytes) -> ResponseHead:  # noqa: C901, PLR0912 - a flat table of cases, hot
    """Read a whole answer head, without its final empty line; raises `BrokenAnswer`."""
    lines = data.decode("latin-1").split("\r\n")
    if len(lines) > FIELDS_AT_MOST:
        raise BrokenAnswer("too many header fields")
    status, reason, minor = _status_lines.get(lines[0]) or _new_status_line(lines[0])
    head = ResponseHead(status, reason, minor)
    passed = head.lines
    known = f.response_lines
    kept = False
    for line in islice(lines, 1, None):
        kind = known.get(line, -1)
        if kind == f.PASS:
            passed.append(line)
            continue
        if kind < 0:
            kind, line = _new_answer_line(line)  # noqa: PLW2901 - the line as we write it
            if kind == f.PASS:
                passed.append(line)
                continue
        if kind == f.KEEP_ALIVE:
            kept = True
            continue
        name, _, value = line.partition(": ")
        if kind == f.LENGTH:
            if head.length >= 0 or _digits(value) is None:
                raise BrokenAnswer("Content-Length is repeated or not a number")
            head.length = int(value)
            passed.append(line)
        elif kind == f.CONTENT_TYPE:
            head.stream = value[:17].lower() == "text/event-stream"
            passed.append(line)
        else:
            _meaningful_answer(head, kind, name, value)
    if head.minor == 0 and not kept:
        head.close = True
    if head.chunked and head.length >= 0:
        raise BrokenAnswer("Content-Length beside Transfer-Encoding")
    if head.named:
        head.lines = f.without(passed, tuple(n for n in head.named if n not in ("content-length", "set-cookie")))
    return head


def _new_status_line(line: str) -> tuple[int, str, int]:
    found = _status_line(line)
    if found is None:
        raise BrokenAnswer("no valid status line")
    known = (int(found[2]), found[3] or "", 1 if found[1] == "1" else 0)
    if len(_status_lines) < FIELDS_AT_MOST:
        _status_lines[line] = known
    return known


def _new_answer_line(line: str) -> tuple[int, str]:
    if not line.isprintable() and f.value_is_clean(line) is None:
        raise BrokenAnswer("a control character in the head")
    name, colon, raw = line.partition(":")
    kind = f.response_kinds.get(name, -1)
    if kind < 0:
        kind = f.response_kind(name)
    if not colon or kind < 0:
        raise BrokenAnswer("a header line that is not name, colon, value")
    value = raw.strip(" \t")
    if kind == f.CONNECTION and value.lower() == "keep-alive":
        kind = f.KEEP_ALIVE
    written = f"{name}: {value}"
    if written == line:
        f.remember_line(f.response_lines, line, kind)
    return kind, written


def _meaningful_answer(head: ResponseHead, kind: int, name: str, value: str) -> None:
    if kind == f.CONNECTION:
        options = f.tokens(value)
        if "close" in options:
            head.close = True
        head.named = (*head.named, *(option for option in options if option not in ("close", "keep-alive")))
    elif kind == f.CODING:
        if head.chunked or head.minor == 0 or value.lower() != "chunked":
            raise BrokenAnswer("a transfer coding that is not one chunked")
        head.chunked = True
    elif kind == f.UPGRADE:
        head.upgrade = value.lower()
    elif kind == f.STRANGLER and name.lower() == "x-strangler-decline":
        head.decline = value == "1"
