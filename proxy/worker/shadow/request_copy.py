"""Writes the copy of a request: shadow headers, own span, own idempotency key."""

from __future__ import annotations

from typing import Final, NamedTuple

from proxy.http1 import RequestHead
from proxy.http1 import fields as f
from proxy.http1.fields import as_read
from proxy.telemetry.records import make
from proxy.worker import forwarded_headers
from proxy.worker.forwarded_headers import Peer, new_id
from proxy.worker.shadow.session_cookies import SessionCookies
from proxy.worker.transform import Translation
from rules.model import LEGACY, MODERN, SAFE_METHODS, Decision

# Marks a copy of a request, so that its receiver knows that no user waits for it.
#
# X-Shadow, X-Shadow-Id, X-Shadow-Time (epoch milliseconds of the live request, for backends that pin their clock);
# traceparent with a span of its own, tracestate saying so (W3C Trace Context 3.3); the key of Idempotency-Key changed,
# so that a copy can neither use up nor replay the live one.


_TRACE: Final = "\r\ntraceparent: "
_STATE: Final = "tracestate: "
_MEMBER: Final = "strangler=shadow"
_PARENT_AT: Final = len("00-") + 32 + len("-")
_FLAGS_AT: Final = _PARENT_AT + 16
_TRACE_LENGTH: Final = _FLAGS_AT + len("-01")
_KEY: Final = "idempotency-key:"
_TRACE_WRITTEN: Final = _TRACE.encode()
_PARENT_BEGINS: Final = len(_TRACE) + _PARENT_AT
_PARENT_TO_END: Final = _TRACE_LENGTH - _PARENT_AT


def marked(own: str, request_id: str, at: float) -> str:
    """The proxy's own lines of a live request, as a copy carries them; `at` is the live request's epoch time."""
    return f"{_with_own_span(own)}X-Shadow: 1\r\nX-Shadow-Id: {request_id}\r\nX-Shadow-Time: {int(at * 1000)}\r\n"


def marked_head(live: bytes, traceparent: str, request_id: str, at: float) -> bytes:
    """The whole head of a live request as a copy carries it; `traceparent` is its caller's, who sent no tracestate.

    Our own lines come last in a head, so the last traceparent is ours.
    """
    begin = live.rfind(_TRACE_WRITTEN) + _PARENT_BEGINS
    flags = traceparent[-3:] or "-01"
    own = (
        f"{new_id()[:15]}1{flags}\r\n{_STATE}{_MEMBER}\r\n"
        f"X-Shadow: 1\r\nX-Shadow-Id: {request_id}\r\nX-Shadow-Time: {int(at * 1000)}"
    )
    return b"".join((live[:begin], own.encode("latin-1"), live[begin + _PARENT_TO_END :]))


def _with_own_span(own: str) -> str:
    """A span beside the live one; the last digit is ours, for nothing but zeroes would be none."""
    found = own.find(_TRACE)
    if found < 0:
        return own
    begin = found + len(_TRACE)
    end = begin + _TRACE_LENGTH
    rest = own[end + 2 :]
    state = f"{_STATE}{_MEMBER},{rest[len(_STATE) :]}" if rest.startswith(_STATE) else f"{_STATE}{_MEMBER}\r\n{rest}"
    trace, flags = own[: begin + _PARENT_AT], own[begin + _FLAGS_AT : end]
    return f"{trace}{new_id()[:15]}1{flags}\r\n{state}"


def with_own_key(lines: list[str]) -> list[str]:
    """The lines with every Idempotency-Key prefixed; inside its quotes where it has some (a structured string)."""
    return [_prefixed(line) if as_read(line[: len(_KEY)].lower()) == _KEY else line for line in lines]


def _prefixed(line: str) -> str:
    name, _, value = line.partition(": ")
    return f'{name}: "shadow-{value[1:]}' if value.startswith('"') else f"{name}: shadow-{value}"


Translations = tuple[Translation | None, Translation | None]
UNTRANSLATED: Final[Translations] = (None, None)


class LiveRequest(NamedTuple):
    """The live request that a copy is made of; `at` since the epoch, `span` as in `Exchange`."""

    head: RequestHead
    peer: Peer
    decision: Decision
    translations: Translations
    request_id: str
    at: float
    span: str = ""

    @property
    def own_url(self) -> str:
        """What the client calls us."""
        return forwarded_headers.own_url(self.head, self.peer)


class RequestCopy(NamedTuple):
    """One side's copy, ready to be sent whole; `stripped` means that a session's cookies were taken out.

    `place` is the path that it asks for.
    """

    side: str
    method: str
    data: bytes
    translation: Translation | None
    own_url: str
    stripped: bool
    place: str = "/"


def question(origin: LiveRequest, side: str, body: bytes, *, strip: SessionCookies | None) -> RequestCopy:
    """Write the copy for `side`, its body at once with a length, without the cookies that `strip` knows.

    Raises TranslationError.
    """
    head = origin.head
    translation = origin.translations[1 if side == MODERN else 0]
    cookie = head.cookie if strip is None else strip.without(head.cookie)
    stripped = cookie is not head.cookie
    # who signs in by Authorization is no stranger to a side that lacks only the cookie which says who that is
    strange = stripped and not (head.authorization and strip is not None and not strip.has_session(head.cookie))
    own = marked(forwarded_headers.own_lines(head, origin.peer, origin.request_id), origin.request_id, origin.at)
    fields, line = head.fields, head.line
    if translation is None and not stripped and fields.is_simple and line.is_usual and head.method in SAFE_METHODS:
        # as a simple live request is written, from what was written before
        data = b"".join((line.written, fields.crossing, own.encode("latin-1"), b"\r\n"))
        return make(RequestCopy, (side, head.method, data, None, "", stripped, "/"))
    target, host, lines = head.target, head.host, head.lines
    method = head.method
    if translation is not None:
        method = translation.method(method)
        target, host, lines = translation.request(head, origin.decision.names)
        if translation.converts_body and head.has_body:
            lines, body = translation.body(lines, body)
    if stripped:
        lines = f.without(lines, ("cookie",))
        if cookie:
            lines.append(f"Cookie: {cookie}")
    if head.method not in SAFE_METHODS or method not in SAFE_METHODS:
        lines = with_own_key(lines)
    if body or head.has_body or head.length >= 0:
        own += f"Content-Length: {len(body)}\r\n"
    data = f.request(method, target, host, lines, own) + body
    return RequestCopy(side, method, data, translation, origin.own_url, strange, target.partition("?")[0])


def same_request(origin: LiveRequest, side: str, live: bytes) -> RequestCopy | None:
    """Write the copy of a simple read from the bytes of the live request, which as a rule are the same but for marks.

    None where they are not: for legacy, which gets no cookies; in other words; as a leg of a trace of our own.
    """
    head = origin.head
    fields = head.fields
    if not live or side == LEGACY or origin.translations != UNTRANSLATED or origin.span or fields.tracestate:
        return None
    if not fields.is_simple or not head.line.is_usual or head.method not in SAFE_METHODS:
        return None
    data = marked_head(live, head.traceparent, origin.request_id, origin.at)
    return make(RequestCopy, (side, head.method, data, None, "", False, "/"))


def probe_for(asked: RequestCopy) -> bytes:
    """The question whether a backend keeps copies without effects, at the place where this one would go."""
    line, host, _ = asked.data.split(b"\r\n", 2)
    target = line.split(b" ")[1]
    return b"OPTIONS %b HTTP/1.1\r\n%b\r\nX-Shadow: 1\r\nUser-Agent: strangler-shadow\r\n\r\n" % (target, host)
