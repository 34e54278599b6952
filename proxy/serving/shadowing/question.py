"""Writes a mirrored request as one side gets it."""

from __future__ import annotations

from typing import Final, NamedTuple

from proxy.http1 import RequestHead
from proxy.http1 import fields as f
from proxy.serving import headers
from proxy.serving.peer import Peer
from proxy.serving.shadowing.marks import marked, marked_head, with_own_key
from proxy.serving.transform import Translation
from rules.model import LEGACY, MODERN, Decision
from rules.routing.mirroring import SAFE

Translations = tuple[Translation | None, Translation | None]
UNTRANSLATED: Final[Translations] = (None, None)
_new = tuple.__new__
"""A named tuple made without its own constructor, which costs more than the tuple."""


class Origin(NamedTuple):
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
        scheme = "https" if headers.is_secure(self.head, self.peer) else "http"
        return f"{scheme}://{self.head.host}"


class Question(NamedTuple):
    """One side's copy, ready to be sent whole; `stripped` tells that cookies were taken out of it."""

    side: str
    method: str
    data: bytes
    translation: Translation | None
    own_url: str
    stripped: bool


def question(origin: Origin, side: str, body: bytes, *, strip: bool) -> Question:
    """Write the copy for `side`, its body at once with a length; raises TranslationError."""
    head = origin.head
    translation = origin.translations[1 if side == MODERN else 0]
    stripped = strip and bool(head.cookie)
    own = marked(headers.own_lines(head, origin.peer, origin.request_id), origin.request_id, origin.at)
    fields, line = head.fields, head.line
    if translation is None and not stripped and fields.is_simple and line.is_usual and head.method in SAFE:
        # as a simple live request is written, from what was written before
        data = b"".join((line.written, fields.crossing, own.encode("latin-1"), b"\r\n"))
        return _new(Question, (side, head.method, data, None, "", stripped))
    target, host, lines = head.target, head.host, head.lines
    if translation is not None:
        target, host, lines = translation.request(head, origin.decision.names)
        if translation.converts_body and head.has_body:
            lines, body = translation.body(lines, body)
    if stripped:
        lines = f.without(lines, ("cookie",))
    if head.method not in SAFE:
        lines = with_own_key(lines)
    if body or head.has_body or head.length >= 0:
        own += f"Content-Length: {len(body)}\r\n"
    data = f.request(head.method, target, host, lines, own) + body
    return Question(side, head.method, data, translation, origin.own_url, stripped)


def same_question(origin: Origin, side: str, live: bytes) -> Question | None:
    """Write the copy of a simple read from the bytes of the live request, which as a rule are the same but for marks.

    None where they are not: for legacy, which gets no cookies; in other words; as a leg of a trace of our own.
    """
    head = origin.head
    fields = head.fields
    if not live or side == LEGACY or origin.translations != UNTRANSLATED or origin.span or fields.tracestate:
        return None
    if not fields.is_simple or not head.line.is_usual or head.method not in SAFE:
        return None
    data = marked_head(live, head.traceparent, origin.request_id, origin.at)
    return _new(Question, (side, head.method, data, None, "", False))


def probe_for(asked: Question) -> bytes:
    """The question whether a backend keeps copies without effects, at the place where this one would go."""
    line, host, _ = asked.data.split(b"\r\n", 2)
    target = line.split(b" ")[1]
    return b"OPTIONS %b HTTP/1.1\r\n%b\r\nX-Shadow: 1\r\nUser-Agent: strangler-shadow\r\n\r\n" % (target, host)
