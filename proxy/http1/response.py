"""Reads the head of a response, strictly: what is ambiguous is not passed on.

A head is parsed once it is whole; text is Latin-1: every byte is one character, none is lost.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.fields import BrokenAnswer
from proxy.http1.head_cache import HeadCache

FIELDS_AT_MOST: Final = 128
_digits: Final = re.compile(r"[0-9]{1,18}").fullmatch
_FINAL: Final = 200
_BODYLESS: Final = (204, 304)
_set_cookie: Final = re.compile(rb"\n[sS]et-[cC]ookie:").search
_status_line: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?").fullmatch


class ResponseHead:
    """A response head, parsed; `lines` are the fields that go to the client as they came, in their order.

    `written` is the whole head for a client that needs no added line. Shared by all responses that repeat it: nothing
    changes it but `agrees`; a change is made to a `copy`, which is written anew.
    """

    written: bytes = b""
    is_simple: bool = False
    """Whether a body of `length` bytes follows (unless the request was HEAD), then another response."""
    length: int = -1
    chunked: bool = False
    upgrade: str = ""
    stream: bool = False
    decline: bool = False
    dry_run: bool = False
    """Whether a backend confirms that it did a copied write without effects."""
    named: tuple[str, ...] = ()
    agrees: tuple[list[str], frozenset[str]] | None = None
    """Another head's lines that are equal in the fields named with them; the last result of a comparison."""

    def __init__(self, status: int, reason: str, minor: int) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.close = False
        self.lines: list[str] = []

    def copy(self) -> ResponseHead:
        """Return a copy that may be changed."""
        head = ResponseHead(self.status, self.reason, self.minor)
        head.close = self.close
        head.lines = self.lines
        head.length = self.length
        head.chunked = self.chunked
        head.upgrade = self.upgrade
        head.stream = self.stream
        head.decline = self.decline
        head.dry_run = self.dry_run
        head.named = self.named
        return head


seen: Final[HeadCache[ResponseHead]] = HeadCache()
_status_lines: Final[dict[str, tuple[int, str, int]]] = {}


def seen_answer(data: bytes) -> ResponseHead | None:
    """Read a whole head with its final empty line where it is cached; None: it must be parsed."""
    return seen.lately.get(data) or seen.before(data)


def response_head(data: bytes) -> ResponseHead:  # noqa: C901, PLR0912 - a flat table of cases, hot
    """Read a whole response head, without its final empty line; raises `BrokenAnswer`."""
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
    head.written = f.response(status, reason, head.lines, "")
    head.is_simple = head.length >= 0 and not head.close and status >= _FINAL and status not in _BODYLESS
    if seen.has_room() and head.length >= 0 and _set_cookie(data) is None:  # no other response sets the same cookie
        seen.remember(data + b"\r\n\r\n", head)
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
    elif kind == f.SHADOW and name.lower() == "x-shadow-dry-run":
        head.dry_run = value == "1"
