"""Connections to backends are reused only when nothing forbids it (requirement 13)."""

from __future__ import annotations

import pytest

from rules.model import Buffer
from tests.support.backend import Wire, always, answering, chunks, hang, ok, on_head
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until

LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def pooled(proxy: Proxy) -> int:
    return proxy.server.stats()["connections_upstream_idle"]


# ── reuse ──
async def test_a_connection_is_used_again_by_another_client(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    for number in range(5):
        await proxy.ask(get(f"/{number}"))

    assert len(backend.wires) == 1
    assert len(backend.requests) == 5


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        chunks(b"x", lines=("Connection: close",)),
        ok(b"", "Connection: keep-alive, close"),
        ok(b"", "Connection: close", "Connection: keep-alive"),
        ok(b"", "Connection: keep-alive", "Connection: close"),
    ],
)
async def test_a_connection_that_the_backend_wants_closed_is_closed(gateway: RunningProxy, answer: bytes) -> None:
    """RFC 9112 9.3: the close option wins."""
    backend = await gateway.backend(always(answer))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/"))

    assert pooled(proxy) == 0
    assert await backend.wires[0].gone() in ("eof", "reset")


async def test_a_http_1_0_backend_that_keeps_alive_is_kept(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/1"))
    await proxy.ask(get("/2"))

    assert len(backend.wires) == 1


# ── late bytes ──
@pytest.mark.both_loops
@pytest.mark.parametrize("late", [LATE, b"\r\n", b"x", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_late_bytes_never_reach_the_next_user(gateway: RunningProxy, late: bytes) -> None:
    """Requirement 13: a connection that speaks unasked is closed."""
    backend = await gateway.backend(answering(ok(b"first"), then=lambda wire: wire.send(late)), always(ok(b"second")))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/1"))
    await breathe()
    answer = await proxy.ask(get("/2"))

    assert answer.body == b"second"
    assert len(backend.wires) == 2


@pytest.mark.parametrize("extra", [LATE, b"x"])
@pytest.mark.parametrize(
    "answer",
    [ok(b"first"), chunks(b"first"), ok(b"", status="204 No Content"), ok(b"", status="304 Not Modified"), ok(b"")],
    ids=["length", "chunks", "204", "304", "empty"],
)
async def test_bytes_behind_an_answer_are_delivered_to_nobody(
    gateway: RunningProxy, answer: bytes, extra: bytes
) -> None:
    """Requirement 13: extra bytes in the same read as the response."""
    backend = await gateway.backend(answering(answer + extra), always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    first = await client.ask(get("/1"))
    second = await client.ask(get("/2"))

    assert first.status in (200, 204, 304)
    assert second.body == b"second"
    assert b"poison" not in client.received
    assert len(backend.wires) == 2


async def test_a_body_behind_a_head_answer_is_delivered_to_nobody(gateway: RunningProxy) -> None:
    """Requirement 9: HEAD has no body, whatever the backend thinks."""
    backend = await gateway.backend(answering(ok(b"a body to HEAD")), always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    first = await client.ask(get("/1", method="HEAD"), "HEAD")
    second = await client.ask(get("/2"))

    assert first.field("content-length") == "14"
    assert second.body == b"second"


async def test_bytes_that_wait_unread_disqualify_a_connection(gateway: RunningProxy) -> None:
    """Requirement 13: checked right before use, not when the loop gets round to it.

    The late bytes and the next request lie in the kernel before the proxy runs again.
    """
    backend = await gateway.backend(answering(ok(b"first")), always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(20):
        await client.ask(get("/1"))
        backend.wires[-1].send_now(LATE)
        await client.ask(get("/2"))
        backend.scripts = (always(ok(b"second")),)

    assert b"poison" not in client.received


async def test_a_connection_that_ended_while_idle_is_not_used(gateway: RunningProxy) -> None:
    """Requirement 13: the end lies in the kernel when the next request comes."""
    backend = await gateway.backend(answering(ok(b"first")), always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    backend.wires[0].say_end_now()
    answer = await client.ask(post(b"never twice"))

    assert answer.body == b"second"
    assert len(backend.wires) == 2


async def test_a_waiting_request_does_not_get_a_connection_that_has_just_ended(gateway: RunningProxy) -> None:
    """Requirement 13: the check holds too where a connection passes straight to a waiting request."""

    async def last_answer(wire: Wire) -> None:
        await wire.request()
        await until(lambda: len(wire.requests) == 1)
        await until(lambda: go)
        wire.send_now(ok(b"first"))
        wire.say_end_now()

    go: list[int] = []
    backend = await gateway.backend(last_answer, always(ok(b"second")))
    proxy = await gateway.proxy(backend, max_connections=1)
    one, two = await proxy.client(), await proxy.client()
    one.send(get("/1"))
    await backend.wire()
    two.send(post(b"x"))
    await breathe()
    go.append(1)

    assert (await one.answer()).body == b"first"
    assert (await two.answer()).body == b"second"


# ── only after a complete exchange ──
@pytest.mark.parametrize(
    "answer",
    [ok(b"too large"), chunks(b"too large"), chunks(b"too ", b"large")],
    ids=["length", "chunks", "two chunks"],
)
async def test_a_connection_with_half_a_request_on_it_is_never_used_again(gateway: RunningProxy, answer: bytes) -> None:
    """Requirement 13: an early answer ends a request that was not sent whole; the rest must not meet the next one."""
    backend = await gateway.backend(on_head(answer), always(ok(b"second")))
    proxy = await gateway.proxy(backend, buffer=Buffer(request=1))
    client = await proxy.client()
    client.send(post(b"x" * 100)[:-50])

    first = await client.answer()
    second = await proxy.ask(get("/2"))

    assert first.body == b"too large"
    assert first.closes
    assert second.body == b"second"
    assert b"/2" not in backend.wires[0].received


async def test_a_connection_whose_client_went_away_is_never_used_again(gateway: RunningProxy) -> None:
    """Requirement 13: its answer may still come."""
    backend = await gateway.backend(hang, always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    client.close()

    assert await upstream.gone() in ("eof", "reset")
    assert (await proxy.ask(get("/2"))).body == b"second"


async def test_a_connection_is_heard_by_its_next_user_although_the_last_one_read_slowly(gateway: RunningProxy) -> None:
    """Back-pressure of one client must not stay behind on the connection."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"x" * 3_000_000))
        await wire.request()
        wire.send(ok(b"second"))
        await wire.gone()

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)
    slow = await proxy.client()
    slow.transport.pause_reading()
    slow.send(get("/1"))
    await breathe(50)
    slow.transport.resume_reading()
    assert len((await slow.answer()).body) == 3_000_000

    assert (await proxy.ask(get("/2"))).body == b"second"


@pytest.mark.parametrize("size", [150_000, 250_000, 400_000, 700_000])
@pytest.mark.parametrize("frame", [ok, chunks], ids=["length", "chunks"])
async def test_a_connection_freed_while_its_client_is_behind_is_heard_by_the_next(
    gateway: RunningProxy, size: int, frame: object
) -> None:
    """As above, where the last bytes of the answer were read while the client was behind."""
    body = b"x" * size

    async def script(wire: Wire) -> None:
        while True:
            request = await wire.request()
            wire.send(frame(body) if request.target == "/1" else ok(b"second"))  # type: ignore[operator]

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)
    slow = await proxy.client()
    slow.transport.pause_reading()
    slow.send(get("/1") * 12)
    await breathe(100)

    assert (await proxy.ask(get("/2"))).body == b"second"
    slow.transport.resume_reading()
    for _ in range(12):
        assert (await slow.answer()).body == body
    for _ in range(3):
        assert (await proxy.ask(get("/2"))).body == b"second"
