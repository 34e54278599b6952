"""Reads the head of a request, strictly.

A head is parsed once it is whole, so the verdict cannot depend on how its bytes were split over reads; what must be
refused before the end is in `early`. Text is Latin-1: every byte is one character, none is lost, all go back out as
they came. The fields after the request line are cached for a while (`seen`), with their verdict, without what is
different in each request (`numbered`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, Protocol

from proxy.http1 import fields as f
from proxy.http1.fields import Refusal
from proxy.http1.head_cache import HeadCache, request_id, spelling, traceparent, without_ids
from proxy.http1.request_line import RequestLine, request_line, request_lines

FIELDS_AT_MOST: Final = 128
_REPEATED: Final = (f.PASS, f.KEEP_ALIVE, f.HOST)
"""Kinds whose lines are cached; cookies, tokens and ids are left out: they differ by user, and are secrets."""
_digits: Final = re.compile(r"[0-9]{1,18}").fullmatch


class Rule(Protocol):
    """Decides which fields may cross."""

    def look(self, fields: Fields) -> tuple[Fields | None, Fields | None]:
        """The fields for trusted peers, for others; None where nothing is taken out."""


class Fields:
    """Everything after the request line, parsed. Shared by all requests that repeat it, immutable but for its caches.

    The latest rule's result in `cleaned` is replaced.

    These grow: `asked`, values read by name, as many as the rules have names; `decided`, where
    requests with these fields went, by route; `user`, once. `lines` are the fields that cross as they came, in
    their order, `crossing` the same as bytes behind our Host line, each with its CR LF. `request_id` and `traceparent`
    are those of a request whose ids were not removed: empty unless there is one that may be used; `ids`, `traces`
    count the lines of each. `length` is -1 where none was sent. The defaults below are those of most
    requests.
    """

    host: str = ""
    length: int = -1
    chunked: bool = False
    upgrade: str = ""
    expect: bool = False
    te: bool = False
    named: tuple[str, ...] = ()
    cookie: str = ""
    authorization: str = ""
    request_id: str = ""
    ids: int = 0
    traceparent: str = ""
    traces: int = 0
    tracestate: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()
    strangler: tuple[str, ...] = ()
    close: bool = False
    has_body: bool = False
    """Whether body bytes follow the head."""
    ends_here: bool = False
    """An OPTIONS whose Max-Forwards is used up (RFC 9110 7.6.2)."""
    counts_hops: bool = False
    """Whether Max-Forwards is there, which means something for OPTIONS alone."""
    is_simple: bool = False
    """Whether nothing but the fields that cross has to be sent to a backend: no body, no upgrade, no TE."""
    crossing: bytes = b""
    mirrors: bool | None = None
    """Whether a read with these fields may be mirrored; None until it was decided."""
    user: str | None = None
    user_of: object = None
    """The identity sources that found `user` in these fields, where the result depends on nothing else."""

    unchanged_by: object = None
    """The latest rule, where it takes nothing out of these fields: there is nothing to ask `cleaned` for."""
    _rule: object = None
    _for_trusted: Fields | None = None
    _for_others: Fields | None = None

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked: dict[str, str | None] = {}
        self.decided: dict[str, Any] = {}

    def cleaned(self, rule: Rule, trusted: bool) -> Fields:  # noqa: FBT001 - hot, positional
        """Return the fields that `rule` lets cross, for a trusted peer or another; itself where all of them may.

        The result is cached for all requests that repeat these fields.
        """
        if self._rule is not rule:
            self._rule = rule
            self._for_trusted, self._for_others = rule.look(self)
            self.unchanged_by = None if self._for_trusted or self._for_others else rule
        return (self._for_trusted if trusted else self._for_others) or self


def replaced(fields: Fields, lines: list[str], cookie: str) -> Fields:
    """Return a copy with other crossing lines and other cookies."""
    new = Fields()
    new.host = fields.host
    new.length = fields.length
    new.chunked = fields.chunked
    new.upgrade = fields.upgrade
    new.expect = fields.expect
    new.te = fields.te
    new.named = fields.named
    new.cookie = cookie
    new.authorization = fields.authorization
    new.request_id = fields.request_id
    new.ids = fields.ids
    new.traceparent = fields.traceparent
    new.traces = fields.traces
    new.tracestate = fields.tracestate
    new.via = fields.via
    new.forwarded = fields.forwarded
    new.strangler = fields.strangler
    new.close = fields.close
    new.has_body = fields.has_body
    new.ends_here = fields.ends_here
    new.counts_hops = fields.counts_hops
    new.decided = fields.decided  # each decision there says for which kind of peer it was made
    new.lines = lines
    _prepare(new)
    return new


class RequestHead:
    """One request's head, read: nothing changes it but `close`, `expect`, `strangler` by the request it belongs to.

    `request_id` is a sane X-Request-Id, `traceparent` a valid one (W3C Trace Context); empty where there is none, where
    there are two.
    """

    __slots__ = (
        "close", "expect", "fields", "host", "line", "method", "minor", "request_id", "strangler", "target",
        "traceparent",
    )  # fmt: skip

    def __init__(self, line: RequestLine, fields: Fields, request_id: str, traceparent: str) -> None:
        self.line = line
        self.request_id = request_id
        self.traceparent = traceparent
        self.method = line.method
        self.target = line.target
        self.minor = line.minor
        self.fields = fields
        self.host = line.authority or fields.host
        self.close = fields.close
        self.expect = fields.expect
        self.strangler = fields.strangler

    @property
    def lines(self) -> list[str]:
        """The fields that cross as they came, in their order."""
        return self.fields.lines

    @property
    def length(self) -> int:
        """What Content-Length says, -1 without."""
        return self.fields.length

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.fields.chunked

    @property
    def has_body(self) -> bool:
        """Whether body bytes follow the head."""
        return self.fields.has_body

    @property
    def upgrade(self) -> str:
        """What Upgrade asks for, in lower case."""
        return self.fields.upgrade

    @property
    def te(self) -> bool:
        """Whether the client takes trailers."""
        return self.fields.te

    @property
    def named(self) -> tuple[str, ...]:
        """What Connection names, in lower case."""
        return self.fields.named

    @property
    def cookie(self) -> str:
        """All Cookie fields, joined."""
        return self.fields.cookie

    @property
    def authorization(self) -> str:
        """The Authorization field."""
        return self.fields.authorization

    @property
    def tracestate(self) -> tuple[str, ...]:
        """The values of tracestate."""
        return self.fields.tracestate

    @property
    def via(self) -> tuple[str, ...]:
        """The values of Via."""
        return self.fields.via

    @property
    def forwarded(self) -> tuple[str, ...]:
        """The lines that say where a request comes from."""
        return self.fields.forwarded

    @property
    def ends_here(self) -> bool:
        """Whether this may go no further (RFC 9110 7.6.2)."""
        return self.fields.ends_here

    def field(self, name: str) -> str | None:
        """The first value of a field by its lower-case name; framing and forwarding fields are not found here."""
        if name == "host":
            return self.host
        asked = self.fields.asked
        value = asked[name] if name in asked else _value(self.fields.lines, name)
        asked[name] = value
        return _value(self.strangler, name) if value is None and self.strangler else value


def _value(lines: Iterable[str], name: str) -> str | None:
    size = len(name)
    for line in lines:
        if line[size : size + 1] == ":" and line[:size].lower() == name:
            return line[size + 2 :]
    return None


seen: Final[HeadCache[Fields]] = HeadCache()


def seen_head(data: bytes) -> RequestHead | None:
    """Read `data` that is one whole head, nothing else, where its fields are cached; None: it must be parsed.

    What is cached ends with the empty line that ends a head, so there is no other end before it. A line that was
    not seen before is parsed here, where it can be: it costs far less than the fields after it.
    """
    if data[-4:] != b"\r\n\r\n":
        return None
    # one letter is found four times as fast as two: no cached rest of a head begins with a lone one
    at = data.find(b"\r")
    behind, number, trace = without_ids(data, at)
    fields = seen.lately.get(behind)
    if fields is None:
        fields = seen.before(behind)
        if fields is None:
            return None
    if (number and fields.ids) or (trace and fields.traces):
        return None
    line = request_lines.get(data[:at])
    if line is None:
        try:
            line = request_line(data[:at])
        except Refusal:
            return None
    if not line.is_usual:
        return None
    return RequestHead(line, fields, number or fields.request_id, trace or fields.traceparent)


def request_head(data: bytes) -> RequestHead:
    """Read a whole head, without its final empty line; raises `Refusal`."""
    lines = data.decode("latin-1").split("\r\n")
    if len(lines) > FIELDS_AT_MOST:
        _check_characters(lines)
        raise Refusal(431, "too many header fields")
    at = data.find(b"\r\n")
    first = data if at < 0 else data[:at]
    line = request_lines.get(first) or request_line(first)
    fields = _fields(line, lines)
    head = RequestHead(line, fields, fields.request_id, fields.traceparent)
    if seen.has_room() and line.is_usual and at > 0 and not fields.counts_hops and len(lines) < FIELDS_AT_MOST - 1:
        _remember(data, at, fields)
    return head


def _remember(data: bytes, at: int, fields: Fields) -> None:
    """Cache the parsed fields after `at`, without what will differ in the next request.

    With two more lines the head is still within the limit, so a cached one needs no counting.
    """
    behind, number, trace = without_ids(data + b"\r\n\r\n", at)
    if (number and fields.ids > 1) or (trace and fields.traces > 1):
        return
    if number:
        fields.request_id, fields.ids = "", 0
    if trace:
        fields.traceparent, fields.traces = "", 0
    seen.remember(behind, fields)


def _fields(line: RequestLine, lines: list[str]) -> Fields:  # noqa: C901, PLR0912 - a flat table of cases, hot
    head = Fields()
    passed = head.lines
    known = f.request_lines
    hosts = 0
    kept = False
    number = trace = ""
    for text in islice(lines, 1, None):
        kind = known.get(text, -1)
        if kind == f.PASS:
            passed.append(text)
            continue
        if kind < 0:
            kind, text = _new_line(text)  # noqa: PLW2901 - the line as we write it
            if kind == f.PASS:
                passed.append(text)
                continue
        if kind == f.KEEP_ALIVE:
            kept = True
        elif kind == f.HOST:
            hosts += 1
            head.host = text[6:]
        elif kind == f.COOKIE:
            passed.append(text)
            head.cookie = f"{head.cookie}; {text[8:]}" if head.cookie else text[8:]
        elif kind == f.AUTHORIZATION:
            passed.append(text)
            head.authorization = text[15:]
        elif kind == f.REQUEST_ID:
            head.ids += 1
            head.request_id = text[14:] if head.ids == 1 and request_id(text, 14) is not None else ""
            number = text[:12]
        elif kind == f.TRACEPARENT:
            head.traces += 1
            head.traceparent = text[13:] if head.traces == 1 and traceparent(text, 13) is not None else ""
            trace = text[:11]
        else:
            name, _, value = text.partition(": ")
            _meaningful(head, line, kind, name, value)
    if line.minor == 0 and not kept:
        head.close = True
    if hosts > 1 or (hosts == 0 and line.minor == 1):
        raise Refusal(400, "Host is missing or repeated")  # RFC 9112 3.2
    if head.chunked or head.length > 0:
        head.has_body = True
        if head.chunked and head.length >= 0:
            raise Refusal(400, "Content-Length beside Transfer-Encoding")
    if head.named:
        head.lines = f.without(passed, head.named)
    spelling.learn(number, trace)
    _prepare(head)
    return head


def _prepare(head: Fields) -> None:
    """Derive once what every request with these fields needs."""
    passed = "\r\n".join((f"Host: {head.host}", *head.lines, ""))
    head.crossing = passed.encode("latin-1")
    framed = head.length >= 0 or head.chunked or head.expect
    head.is_simple = not (framed or head.upgrade or head.te or head.strangler or head.counts_hops)


def _check_characters(lines: list[str]) -> None:
    """Allow what isprintable() does not: tab anywhere in a field value, obs-text; refuse every control."""
    for line in lines:
        if f.value_is_clean(line) is None:
            raise Refusal(400, "a control character in the head")


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


def _meaningful(head: Fields, line: RequestLine, kind: int, name: str, value: str) -> None:  # noqa: C901, PLR0912 - a flat table of cases
    if kind == f.CONNECTION:
        _connection(head, value)
    elif kind == f.LENGTH:
        if head.length >= 0 or _digits(value) is None:
            raise Refusal(400, "Content-Length is repeated or not a number")
        head.length = int(value)
    elif kind == f.CODING:
        if head.chunked or line.minor == 0:
            raise Refusal(400, "Transfer-Encoding is repeated or not allowed in HTTP/1.0")
        if value.lower() != "chunked":
            raise Refusal(501 if f.token(value) else 400, "a transfer coding other than chunked")
        head.chunked = True
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
        head.expect = line.minor == 1
    elif kind == f.TE:
        head.te = head.te or "trailers" in f.tokens(value)
    elif kind == f.MAX_FORWARDS:
        head.counts_hops = True
        hops = int(value) if line.method == "OPTIONS" and _digits(value) is not None else -1
        head.ends_here = head.ends_here or hops == 0
        head.lines.append(f"{name}: {hops - 1 if hops > 0 else value}")
    elif kind == f.STRANGLER:
        head.strangler = (*head.strangler, f"{name}: {value}")


def _connection(head: Fields, value: str) -> None:
    """Read connection options (RFC 9110 7.6.1)."""
    named = f.tokens(value)
    if "close" in named:
        head.close = True
    head.named = (*head.named, *(n for n in named if n not in ("close", "keep-alive")))
