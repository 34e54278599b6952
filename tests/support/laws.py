"""Laws of HTTP/1.1 parsing, for the property tests and for the long fuzzer.

Each law takes bytes and the places to cut them at, and raises `AssertionError` (or h11's own error) when it is
broken. Two things are always demanded: the verdict does not depend on the cuts; what we accept, h11 accepts
with the same meaning. Where we refuse what h11 takes, that is our strictness:

- a method of more than 32 letters; CONNECT and TRACE; a target that is neither origin, absolute nor `*`
- any Transfer-Encoding in HTTP/1.0 or beside Content-Length; a repeated Content-Length, even an equal one
- a Host that is no host; a framing field spelled with underscores; more than 127 fields
- bare LF anywhere; obs-fold; more than two empty lines before a request
- chunk lines above 256 bytes, chunk extensions that are not in the grammar, more than 32 trailers
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import h11
import httptools

from proxy import http1
from proxy.http1 import fields, request_line, response
from proxy.http1.fields import BrokenAnswer
from proxy.http1.framing import ChunkedBody
from proxy.http1.head_cache import spelling
from tests.support.h11_backend import ExchangeResult, Judged
from tests.support.raw import get
from tests.support.socketless import Wired


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces, cut at `places` (taken modulo its length)."""
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


def frames_in_a_trailer(body: bytes) -> bool:
    """h11 takes framing in a trailer for framing; we drop it there (RFC 9110 6.5.1), so it is no judge of that."""
    return re.search(rb"(?mi)^(content-length|transfer-encoding)", body) is not None


# ── requests ──


def request_law(data: bytes, places: Iterable[int]) -> None:
    """A client's bytes: same verdict however cut, one meaning for all parsers."""
    whole, pieces = Judged(), Judged()
    whole.send(data)
    pieces.send(*cut(data, places))

    assert pieces.over == whole.over
    assert statuses(pieces) == statuses(whole)
    assert meanings(pieces.heard) == meanings(whole.heard)
    if frames_in_a_trailer(data.partition(b"\r\n\r\n")[2]):
        return
    independent = requests_according_to_h11(data)
    for number, heard in enumerate(each for each in whole.heard if each.whole):
        assert number < len(independent), f"h11 hears no request {number} in {data!r}"
        agree(heard, independent[number])


def request_again_law(data: bytes, places: Iterable[int]) -> None:
    """A client's bytes that came before mean what they meant, and are written as the same bytes."""
    forgotten()
    first, again = Judged(), Judged()
    first.send(data)
    again.send(data)

    assert again.over == first.over
    assert statuses(again) == statuses(first)
    assert meanings(again.heard) == meanings(first.heard)
    request_law(data, places)


def forgotten() -> None:
    """Nothing is remembered of any message."""
    for table in (fields.request_lines, fields.response_lines, request_line.request_lines, response._status_lines):
        table.clear()  # type: ignore[attr-defined]
    http1.forget()
    http1.forget()
    spelling.learn("X-Request-Id", "traceparent")


def statuses(judged: Judged) -> list[bytes]:
    """Every answer's status; the reason of a refusal may be another of its faults."""
    return re.findall(rb"(?m)^HTTP/1\.1 (\d\d\d) ", judged.told)


def meanings(heard: Iterable[ExchangeResult]) -> list[object]:
    """What must not depend on the cuts.

    Bodies are collected before a backend is asked: a request whose body never ends may have been sent on or not.
    """
    return [meaning(each) for each in heard if each.whole]


def meaning(heard: ExchangeResult) -> object:
    """What a request says, without the ids that are made for each."""
    names = [each for each in heard.fields if each[0] not in (b"x-request-id", b"traceparent")]
    return heard.method, heard.target, names, heard.body, heard.trailers


def agree(ours: ExchangeResult, theirs: ExchangeResult) -> None:
    """What the backend got is what h11 reads in the client's bytes."""
    assert ours.method == theirs.method
    if theirs.target.startswith(b"/") or theirs.target == b"*":
        assert ours.target == theirs.target
        assert ours.all(b"host") == (theirs.all(b"host") or [b""])
    else:
        assert theirs.target.partition(b"://")[2].startswith(ours.all(b"host")[0])
    assert ours.body == theirs.body
    known = set(theirs.fields)
    for name, value in ours.fields:
        if name not in ADDED:
            assert (name, value) in known, (name, value)


ADDED = {
    *(b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"via", b"x-request-id"),
    *(b"traceparent", b"tracestate", b"connection", b"upgrade", b"te", b"expect", b"max-forwards"),
    *(b"content-length", b"transfer-encoding"),
}
"""Fields that the proxy writes itself."""


def requests_according_to_h11(data: bytes) -> list[ExchangeResult]:
    """Every request that h11 reads in `data`, up to the first it refuses."""
    found: list[ExchangeResult] = []
    while data:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        heard, rest = one_request(connection, data.lstrip(b"\r\n") if not found else skip_empty(data))
        if heard is None:
            return found
        found.append(heard)
        if not heard.whole:
            return found
        data = rest
    return found


def skip_empty(data: bytes) -> bytes:
    while data.startswith(b"\r\n"):
        data = data[2:]
    return data


def one_request(connection: h11.Connection, data: bytes) -> tuple[ExchangeResult | None, bytes]:
    heard: ExchangeResult | None = None
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                heard = ExchangeResult(event.method, event.target, [(bytes(n), bytes(v)) for n, v in event.headers])
            elif isinstance(event, h11.Data) and heard is not None:
                heard.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and heard is not None:
                heard.whole = True
                return heard, connection.trailing_data[0]
            else:
                return heard, b""
    except h11.RemoteProtocolError:
        return heard, b""


# ── answers ──


@dataclass(frozen=True)
class Seen:
    """What a client makes of the bytes it got."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    whole: bool
    interim: tuple[int, ...]
    ours: bool = False

    @property
    def sound(self) -> bool:
        """Whether the client got a backend's answer, all of it."""
        return self.whole and not self.ours


def answer_law(data: bytes, places: Iterable[int], method: str = "GET") -> None:
    """A backend's bytes, then its end: same verdict however cut, one meaning for all parsers."""
    whole = answered([data], method)
    pieces = answered(cut(data, places), method)

    assert pieces.sound == whole.sound, (pieces, whole)
    if not whole.sound:
        return  # a 502 where nothing had gone out yet, a cut where something had: both say so
    assert pieces == whole
    if whole.status != 101 and not frames_in_a_trailer(data.partition(b"\r\n\r\n")[2]):
        theirs = seen(data, method, ended=True)
        assert theirs is not None, "h11 cannot read what we passed on"
        assert (theirs.status, theirs.body, theirs.whole) == (whole.status, whole.body, True)


def answer_again_law(data: bytes, places: Iterable[int], method: str = "GET") -> None:
    """A backend's bytes that came before mean what they meant; who asked before may have asked otherwise."""
    forgotten()
    first = answered([data], method)
    answered([data], "HEAD" if method == "GET" else "GET")
    again = answered([data], method)

    assert again.sound == first.sound
    assert again == first or not first.sound
    answer_law(data, places, method)


def answered(pieces: list[bytes], method: str) -> Seen:
    """Pass an answer through; read what came out with h11."""
    wired = Wired()
    wired.send(get("/", method=method))
    wired.answer(*pieces)
    upstream = wired.upstreams[0]
    while upstream._body is not None and upstream._body.more and not upstream.closed:
        upstream._next_portion()
    upstream.connection_lost(None)
    cut_off = wired.paper.aborted
    result = seen(wired.told, method, ended=wired.paper.closed and not cut_off)
    assert result is not None, f"h11 cannot read our own answer {wired.told!r}"
    assert result.whole != cut_off, "neither whole nor cut"
    return result


def seen(data: bytes, method: str, *, ended: bool) -> Seen | None:
    """Read an answer with h11; None when it refuses."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    interim: list[int] = []
    status, fields, body, whole = 0, (), b"", False
    try:
        connection.receive_data(data)
        if ended:
            connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                status = event.status_code
                fields = tuple(
                    (bytes(n), bytes(v)) for n, v in event.headers if n not in (b"content-length", b"server-timing")
                )
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                whole = True
                break
            else:
                break
    except h11.RemoteProtocolError:
        return Seen(status, fields, body, whole=False, interim=tuple(interim)) if status else None
    ours = status >= 500 and (b"content-type", b"application/problem+json") in fields
    return Seen(status, fields, body, whole, tuple(interim), ours)


# ── chunks ──


def chunked_law(data: bytes, places: Iterable[int]) -> None:
    """Chunk framing: same verdict however cut; what we take for whole, h11 and llhttp do, too."""
    whole, pieces = dechunked([data]), dechunked(cut(data, places))

    assert pieces[0] == whole[0], (pieces, whole)
    if whole[0] == "broken":
        return
    assert pieces[1:] == whole[1:]
    if whole[0] == "done":
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        heard, rest = one_request(h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), head + data)
        assert heard is not None
        if frames_in_a_trailer(data):
            return
        assert heard.whole, "h11 does not see the end"
        assert (heard.body, rest) == (whole[1], whole[2])
        used = data[: len(data) - len(whole[2])]
        assert according_to_llhttp(head + used) == whole[1]


def dechunked(pieces: list[bytes]) -> tuple[str, bytes, bytes, tuple[str, ...]]:
    """Verdict, payload, what is left over, trailers."""
    body, payload, rest = ChunkedBody(), b"", b""
    try:
        for piece in pieces:
            if body.done:
                rest += piece
                continue
            payload += body.feed(piece)
            while body.more:
                payload += body.feed(b"")
            if body.done:
                rest = body.rest
    except BrokenAnswer:
        return "broken", b"", b"", ()
    return ("done" if body.done else "more"), payload, rest, tuple(body.trailers)


class Listener:
    """What httptools calls."""

    def __init__(self) -> None:
        self.body = b""
        self.whole = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.whole = True


def according_to_llhttp(data: bytes) -> bytes:
    listener = Listener()
    httptools.HttpRequestParser(listener).feed_data(data)
    assert listener.whole, "llhttp does not see the end"
    return listener.body
