"""What each header field means to an intermediary; serialises heads.

Each spelling seen is classified once, then found in a bounded table: one dictionary look-up a line. PHP and
CGI read `X_Forwarded_For` as `X-Forwarded-For`, PHP even `X.Forwarded.For` (php_register_variable_ex), so such a
spelling of a name that matters is refused (framing) or dropped (trust), never passed.
"""

from __future__ import annotations

import re
from typing import Final

from rules.bounded_cache import evict_oldest

# Ordered: everything up to LAST_PASSED crosses the proxy as it came.
PASS: Final = 0
COOKIE: Final = 1
AUTHORIZATION: Final = 2
CONTENT_TYPE: Final = 3
LAST_PASSED: Final = 3
HOST: Final = 10
LENGTH: Final = 11
CODING: Final = 12
CONNECTION: Final = 13
UPGRADE: Final = 14
EXPECT: Final = 15
TE: Final = 16
HOP: Final = 17
FORWARDED: Final = 18
REQUEST_ID: Final = 19
TRACEPARENT: Final = 20
VIA: Final = 21
SHADOW: Final = 22
STRANGLER: Final = 23
DISGUISED: Final = 24
TRACESTATE: Final = 25
MAX_FORWARDS: Final = 27
KEEP_ALIVE: Final = 26
"""The whole line `Connection: keep-alive`, which most clients and backends send."""

_REQUEST: Final = {
    "cookie": COOKIE,
    "authorization": AUTHORIZATION,
    "host": HOST,
    "content-length": LENGTH,
    "transfer-encoding": CODING,
    "connection": CONNECTION,
    "upgrade": UPGRADE,
    "expect": EXPECT,
    "te": TE,
    "keep-alive": HOP,
    "proxy-connection": HOP,
    "http2-settings": HOP,
    "forwarded": FORWARDED,
    "x-real-ip": FORWARDED,
    "x-request-id": REQUEST_ID,
    "traceparent": TRACEPARENT,
    "tracestate": TRACESTATE,
    "via": VIA,
    "max-forwards": MAX_FORWARDS,
}
_RESPONSE: Final = {
    "content-type": CONTENT_TYPE,
    "content-length": LENGTH,
    "transfer-encoding": CODING,
    "connection": CONNECTION,
    "upgrade": UPGRADE,
    "keep-alive": HOP,
    "proxy-connection": HOP,
    "te": HOP,
}
_FRAMING: Final = (HOST, LENGTH, CODING, CONNECTION, UPGRADE, EXPECT, TE)
_KNOWN_AT_MOST: Final = 4096
_LINE_AT_MOST: Final = 256

token: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
"""RFC 9110 5.6.2; ASCII only, so that no Unicode letter or digit is accepted."""

value_is_clean: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
"""RFC 9110 5.5 field-value, obs-text included: what isprintable() refuses may still be this."""

request_kinds: Final[dict[str, int]] = {}
response_kinds: Final[dict[str, int]] = {}
request_lines: Final[dict[str, int]] = {}
response_lines: Final[dict[str, int]] = {}
"""Whole lines seen before, checked then: most lines of most messages repeat (User-Agent, Accept, Server …)."""


def request_kind(name: str) -> int:
    """Classify a request field name as spelled; -1 when it is not a token."""
    if token(name) is None:
        return -1
    lower = name.lower()
    plain = as_read(lower)
    kind = _REQUEST.get(plain, PASS)
    if plain.startswith("x-forwarded-"):
        kind = FORWARDED
    elif plain.startswith("x-shadow"):
        kind = SHADOW
    elif plain.startswith("x-strangler-"):
        kind = STRANGLER
    if plain != lower and kind not in (PASS, COOKIE, AUTHORIZATION):
        kind = DISGUISED if kind in _FRAMING else HOP
    return _remember(request_kinds, name, kind)


def as_read(lower: str) -> str:
    """The name that PHP takes a lower-case name for."""
    return lower.replace("_", "-").replace(".", "-")


def response_kind(name: str) -> int:
    """Classify a response field name as spelled; -1 when it is not a token."""
    if token(name) is None:
        return -1
    lower = name.lower()
    kind = _RESPONSE.get(lower, PASS)
    if lower.startswith("x-shadow"):
        kind = SHADOW
    elif lower.startswith("x-strangler-"):
        kind = STRANGLER
    return _remember(response_kinds, name, kind)


def _remember(table: dict[str, int], name: str, kind: int) -> int:
    """Keep a spelling; a flood of new names pushes out the oldest; overlong ones are not kept."""
    if len(name) <= _LINE_AT_MOST:
        evict_oldest(table, _KNOWN_AT_MOST)
        table[name] = kind
    return kind


def remember_line(table: dict[str, int], line: str, kind: int) -> None:
    """Keep a checked line that is written as we would write it."""
    _remember(table, line, kind)


def tokens(value: str) -> list[str]:
    """Split a comma list into lower-case members without the white space around them (RFC 9110 5.6.1)."""
    return [member for part in value.split(",") if (member := part.strip(" \t").lower())]


def without(lines: list[str], names: tuple[str, ...]) -> list[str]:
    """Drop the lines whose field name is among `names` (lower case)."""
    return [line for line in lines if line.partition(":")[0].lower() not in names]


_host: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::[0-9]{0,5})?").fullmatch
_hosts: Final[dict[str, bool]] = {}


def host_is_valid(value: str) -> bool:
    """Whether `value` is `uri-host [":" port]` (RFC 9110 7.2), without user information."""
    known = _hosts.get(value)
    if known is None:
        known = _host(value) is not None
        if len(value) <= _LINE_AT_MOST:
            evict_oldest(_hosts, _KNOWN_AT_MOST)
            _hosts[value] = known
    return known


# Writes heads from parsed fields; nothing raw is copied, the version is our own (RFC 9110 2.5).


def request(method: str, target: str, host: str, lines: list[str], own: str) -> bytes:
    """A request head for a backend.

    `own` are whole lines that the proxy adds, framing included, each with its CR LF.
    """
    if lines:
        passed = "\r\n".join(lines)
        return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{passed}\r\n{own}\r\n".encode("latin-1")
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{own}\r\n".encode("latin-1")


def response(status: int, reason: str, lines: list[str], own: str) -> bytes:
    """A response head for a client; `own` are whole lines that the proxy adds, each with its CR LF."""
    if lines:
        passed = "\r\n".join(lines)
        return f"HTTP/1.1 {status} {reason}\r\n{passed}\r\n{own}\r\n".encode("latin-1")
    return f"HTTP/1.1 {status} {reason}\r\n{own}\r\n".encode("latin-1")


# What the parsers raise.


class Refusal(Exception):
    """A request that is not forwarded.

    `status` is what the client gets, `detail` says what was wrong without repeating what was sent. The
    connection closes after it: nothing that follows on it may be parsed (RFC 9112 section 11.2).
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class BrokenAnswer(Exception):
    """A backend's response that is ambiguous or malformed; the client gets a 502, or an abort."""
