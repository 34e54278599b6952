"""Where a message ends, and what that means for the next one (requirements 3, 5, 6, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import Buffer
from tests.support.backend import always, chunks, ok, on_head
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post


async def forwarded(gateway: RunningProxy, data: bytes, answer: bytes = ok(), **settings: Any) -> Message:
    """The request a backend gets for what a client sent."""
    backend = await gateway.backend(always(answer))
    proxy = await gateway.proxy(backend, **settings)
    reply = await proxy.ask(data, data.split(b" ")[0].decode("latin-1"))
    assert reply.status == 200, reply
    return backend.requests[0]


# ── framing ──
async def test_a_length_stays_a_length(gateway: RunningProxy) -> None:
    """Requirement 5."""
    request = await forwarded(gateway, post(b"hello"))

    assert (request.field("content-length"), request.field("transfer-encoding"), request.body) == ("5", None, b"hello")


async def test_chunks_stay_chunks(gateway: RunningProxy) -> None:
    """Requirement 5."""
    request = await forwarded(
        gateway, get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n0\r\n\r\n"
    )

    assert (request.field("content-length"), request.field("transfer-encoding"), request.body) == (
        None,
        "chunked",
        b"hello",
    )


async def test_an_empty_body_stays_empty_and_declared(gateway: RunningProxy) -> None:
    """Requirement 5."""
    request = await forwarded(gateway, post(b""))

    assert request.field("content-length") == "0"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
async def test_a_body_where_none_is_usual_is_consumed(gateway: RunningProxy, method: str) -> None:
    """Requirement 6: what follows is the next request, not what the body says."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    client.send(post(get("/smuggled"), method=method) + get("/next"))
    first = await client.answer(method)
    second = await client.answer()

    assert (first.status, second.status) == (200, 200)
    assert [request.target for request in backend.requests] == ["/", "/next"]
    assert backend.requests[0].body == get("/smuggled")


# ── trailers ──


async def test_a_trailer_is_passed_on_both_ways(gateway: RunningProxy) -> None:
    """Requirement 3: as a trailer, never as a field."""
    backend = await gateway.backend(always(chunks(b"x", end=b"0\r\nX-Sum: 1\r\n\r\n")))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(
        get("/", "TE: trailers", "Transfer-Encoding: chunked", method="POST") + b"1\r\ny\r\n0\r\nX-Sum: 2\r\n\r\n"
    )

    assert (answer.trailers, answer.field("x-sum")) == ((("X-Sum", "1"),), None)
    assert (backend.requests[0].trailers, backend.requests[0].field("x-sum")) == ((("X-Sum", "2"),), None)


TRAILERS = (
    "Content-Length: 5|Content_Length: 5|Transfer-Encoding: chunked|Connection: close|Trailer: x"
    "|Host: b|Cookie: a=b|Set-Cookie: a=b"
    "|Authorization: x|Content-Type: a/b|X-Forwarded-For: 1|X-Request-Id: 1|X-Strangler-Force: modern|X-Shadow: 1"
)


@pytest.mark.parametrize("trailer", TRAILERS.split("|"))
async def test_a_trailer_can_never_carry_framing_routing_or_trust(gateway: RunningProxy, trailer: str) -> None:
    """Requirement 3; RFC 9110 6.5.1."""
    data = (
        get("/", "Transfer-Encoding: chunked", method="POST") + f"1\r\nx\r\n0\r\n{trailer}\r\nX-Sum: 1\r\n\r\n".encode()
    )

    request = await forwarded(gateway, data)

    assert request.trailers == (("X-Sum", "1"),)


# ── HTTP/1.0 clients ──
async def test_a_http_1_0_client_gets_no_chunks(gateway: RunningProxy) -> None:
    """Requirement 9."""
    backend = await gateway.backend(always(chunks(b"hel", b"lo")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")

    answer = await client.answer()

    assert (answer.body, answer.field("transfer-encoding"), answer.closes) == (b"hello", None, True)
    assert await client.gone() == "eof"


async def test_a_http_1_0_client_is_closed_unless_it_asks_otherwise(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    plain, kept = await proxy.client(), await proxy.client()

    plain.send(b"GET / HTTP/1.0\r\n\r\n")
    answer = await plain.answer()
    assert answer.closes
    assert await plain.gone() == "eof"

    for _ in range(2):
        kept.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await kept.answer()).field("connection") == "keep-alive"


async def test_a_http_1_0_request_without_host_is_served(gateway: RunningProxy) -> None:
    """RFC 9112 3.2: only HTTP/1.1 must send one; we must send it on."""
    request = await forwarded(gateway, b"GET / HTTP/1.0\r\n\r\n")

    assert request.all("host") == [""]


# ── keep-alive ──
@pytest.mark.parametrize(
    "lines",
    [
        ["Connection: close"],
        ["Connection: Close"],
        ["Connection: keep-alive, close"],
        ["Connection: close", "Connection: keep-alive"],
        ["Connection: keep-alive", "Connection: close"],
    ],
    ids=" + ".join,
)
async def test_a_client_that_wants_to_close_is_parted_from(gateway: RunningProxy, lines: list[str]) -> None:
    """RFC 9112 9.6: nothing behind a closing request is answered."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", *lines) + get("/unheard"))

    assert (await client.answer()).closes
    assert await client.rest() == b""
    assert len(backend.requests) == 1


async def test_a_connection_serves_request_after_request(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(lambda request: ok(request.target.encode())))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for number in range(50):
        answer = await client.ask(get(f"/{number}"))
        assert answer.body == f"/{number}".encode()


async def test_an_answer_given_while_the_request_is_still_coming_closes_afterwards(gateway: RunningProxy) -> None:
    """Requirement 6: the rest of the body is swallowed, never parsed."""
    backend = await gateway.backend(on_head(ok(b"no", status="403 Forbidden")))
    proxy = await gateway.proxy(backend, buffer=Buffer(request=1))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 1000", method="POST") + b"x")

    answer = await client.answer()
    await client.send_pieces([get("/smuggled"), b"x" * 2000])

    assert (answer.status, answer.closes) == (403, True)
    assert await client.gone() == "eof"
    assert b"smuggled" not in backend.received
