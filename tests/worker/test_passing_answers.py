"""What of a response crosses the proxy unchanged, and what does not (requirements 5, 7, 8, 9)."""

from __future__ import annotations

import pytest

from tests.support.backend import always, chunks, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get


async def returned(gateway: RunningProxy, answer: bytes, data: bytes = get("/")) -> Message:
    """The answer a client gets for what a backend said."""
    backend = await gateway.backend(always(answer))
    proxy = await gateway.proxy(backend)
    return await proxy.ask(data, data.split(b" ")[0].decode("latin-1"))


async def test_an_answer_keeps_order_repetition_case_and_bytes(gateway: RunningProxy) -> None:
    """Requirement 7."""
    lines = [
        "sErVeR: x",
        "Set-Cookie: a=1; Path=/",
        "X-Obs: \x80\xff",
        "Set-Cookie: b=2",
        "Date: Sat, 21 Nov 2026 00:00:00 GMT",
        "X-Empty: ",
        "Content-Encoding: gzip",
        'ETag: W/"1"',
        "Via: 1.1 inner",
        "Vary: Accept",
        "Content_Type: odd",
    ]

    answer = await returned(gateway, ok(b"\x1f\x8b not really gzip", *lines))

    assert [f"{name}: {value}" for name, value in answer.fields] == [*lines, "Content-Length: 18"]
    assert answer.body == b"\x1f\x8b not really gzip"


@pytest.mark.parametrize(
    ("start", "passed"),
    [
        ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.0 200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 ", "HTTP/1.1 200 "),
        ("HTTP/1.1 200", "HTTP/1.1 200 "),
        ("HTTP/1.1 299 Sch\xf6n", "HTTP/1.1 299 Sch\xf6n"),
        ("HTTP/1.1 404 Not  here", "HTTP/1.1 404 Not  here"),
        ("HTTP/1.1 599 x", "HTTP/1.1 599 x"),
    ],
)
async def test_status_and_reason_arrive_as_they_came(gateway: RunningProxy, start: str, passed: str) -> None:
    """Requirements 5 and 7: everything but the version, which is ours."""
    answer = await returned(gateway, f"{start}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

    assert answer.start == passed


@pytest.mark.parametrize("status", range(200, 600, 7))
async def test_every_status_is_passed_on(gateway: RunningProxy, status: int) -> None:
    """Requirement 7: an answer is not ours to judge, 5xx included."""
    answer = await returned(gateway, ok(b"" if status in (204, 304) else b"body", status=f"{status} x"))

    assert answer.status == status


async def test_fields_named_by_an_answers_connection_are_dropped(gateway: RunningProxy) -> None:
    """Requirement 8, what peers forget: both ways."""
    answer = await returned(
        gateway,
        ok(
            b"",
            "Connection: X-Hop, keep-alive",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: x",
            "Upgrade: h2",
            "TE: x",
            "X-Stays: 1",
        ),
    )

    assert answer.names == ["X-Stays", "Content-Length"]


async def test_an_answers_connection_cannot_name_away_its_length(gateway: RunningProxy) -> None:
    """Requirement 8."""
    answer = await returned(gateway, ok(b"hello", "Connection: Content-Length"))

    assert (answer.field("content-length"), answer.body) == ("5", b"hello")


async def test_shadow_and_strangler_fields_of_a_backend_never_reach_a_client(gateway: RunningProxy) -> None:
    """Contract: Headers."""
    answer = await returned(
        gateway,
        ok(b"", "X-Shadow: 1", "x-shadow-dry-run: 1", "X-Strangler-Side: modern", "X-Strangler-Decline: 1", "X-S: 1"),
    )

    assert answer.names == ["X-S", "Content-Length"]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_a_body_has_none(gateway: RunningProxy, status: str) -> None:
    """Requirement 9; RFC 9112 6.3."""
    backend = await gateway.backend(always(f"HTTP/1.1 {status}\r\nX-A: 1\r\n\r\n".encode()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/"))
        assert (answer.body, answer.field("transfer-encoding"), answer.field("content-length")) == (b"", None, None)
    assert len(backend.wires) == 1


@pytest.mark.parametrize("line", ["Content-Length: 5", "Transfer-Encoding: chunked"])
async def test_a_204_is_sent_without_any_framing(gateway: RunningProxy, line: str) -> None:
    """RFC 9110 8.6, RFC 9112 6.1."""
    answer = await returned(gateway, f"HTTP/1.1 204 No Content\r\n{line}\r\n\r\n".encode())

    assert answer.names == []


async def test_a_304_keeps_the_length_of_what_was_not_sent(gateway: RunningProxy) -> None:
    """RFC 9110 8.6."""
    answer = await returned(gateway, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: x\r\n\r\n")

    assert (answer.field("content-length"), answer.body) == ("500", b"")


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked", "X-None: 1"])
async def test_an_answer_to_head_has_no_body_however_it_is_framed(gateway: RunningProxy, framing: str) -> None:
    """Requirement 9."""
    backend = await gateway.backend(always(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/", method="HEAD"), "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        if "Length" in framing:
            assert answer.field("content-length") == "500"
    assert len(backend.wires) == 1


async def test_chunks_of_an_answer_stay_chunks(gateway: RunningProxy) -> None:
    """Requirement 5."""
    answer = await returned(gateway, chunks(b"hel", b"lo"))

    assert (answer.field("transfer-encoding"), answer.field("content-length"), answer.body) == (
        "chunked",
        None,
        b"hello",
    )


@pytest.mark.parametrize("size", [b"5  ", b"5\t", b"00000000000000000005", b"5 ;a=b", b"0005 \t "])
async def test_a_padded_chunk_size_of_a_backend_is_read(gateway: RunningProxy, size: bytes) -> None:
    """Old servers fill sizes up; what a client gets is framed anew."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    backend = await gateway.backend(always(head + size + b"\r\nhello\r\n" + b"0   \r\n\r\n"))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/"))
        assert (answer.body, answer.raw_body) == (b"hello", b"5\r\nhello\r\n0\r\n\r\n")
    assert len(backend.wires) == 1


@pytest.mark.parametrize("size", [b" 5", b"5 5", b"0x5", b"5 x", b"+5", b"5;", b"0" * 300 + b"5", b"5\xa0"])
async def test_a_chunk_size_that_may_be_another_is_not_read(gateway: RunningProxy, size: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    backend = await gateway.backend(always(head + size + b"\r\nhello\r\n0\r\n\r\n"))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).status == 502


@pytest.mark.parametrize("size", [b"5 ", b"5\t", b"00000000000000000005"])
async def test_a_padded_chunk_size_of_a_client_is_refused(gateway: RunningProxy, size: bytes) -> None:
    """Requirement 3: what stands behind it could be another request for another server."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(
        get("/", "Transfer-Encoding: chunked", method="POST") + size + b"\r\nhello\r\n0\r\n\r\n", "POST"
    )

    assert (answer.status, answer.closes) == (400, True)
