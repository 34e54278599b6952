"""WebSocket: a byte tunnel once the backend agrees, nothing of the kind before (requirements 6, 10)."""

from __future__ import annotations

import pytest

from tests.support.backend import Script, Wire, always, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.line import Line
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import RawClient, get
from tests.support.waiting import breathe, until

UPGRADE = get(
    "/ws",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==",
    "Sec-WebSocket-Version: 13",
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
FRAME = b"\x81\x05hello"
AGREES = on_head(SWITCH)


async def tunnelled(
    gateway: RunningProxy, script: Script = AGREES, clock: Clock | None = None
) -> tuple[Proxy, RawClient, Wire]:
    """An open tunnel: the proxy and both its ends."""
    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend, clock=clock or Clock())
    client = await proxy.client()
    client.send(UPGRADE)
    await client.until(b"\r\n\r\n")
    return proxy, client, backend.wires[0]


@pytest.mark.both_loops
async def test_an_agreed_upgrade_becomes_a_tunnel_both_ways(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(SWITCH))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    answer = await client.ask(UPGRADE)
    client.send(FRAME)
    await backend.wires[0].until(FRAME)
    backend.wires[0].send(b"\x81\x02hi\x00\xff\r\n\r\nHTTP/1.1 400")
    got = await client.exactly(20)

    assert answer.status == 101
    assert (answer.field("upgrade"), answer.field("connection")) == ("websocket", "Upgrade")
    assert answer.field("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert got == b"\x81\x02hi\x00\xff\r\n\r\nHTTP/1.1 400"[:20]


async def test_the_backend_is_asked_for_websocket_and_nothing_else(gateway: RunningProxy) -> None:
    """Requirement 6."""
    backend = await gateway.backend(on_head(SWITCH))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.ask(
        UPGRADE.replace(b"Upgrade: websocket", b"Upgrade: WebSocket").replace(
            b"Connection: Upgrade", b"Connection: keep-alive, Upgrade, X-Hop\r\nX-Hop: 1"
        )
    )

    head = bytes(backend.wires[0].received).decode("latin-1")

    assert "Connection: Upgrade\r\nUpgrade: websocket\r\n" in head
    assert "X-Hop" not in head
    assert "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" in head


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "websocket, h2c", "h2c, websocket", "websockets", "x"])
async def test_other_protocols_are_not_asked_for(gateway: RunningProxy, upgrade: str) -> None:
    """Requirement 6: only websocket may be upgraded."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(
        get("/", "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {upgrade}", "HTTP2-Settings: AAA")
    )

    assert answer.status == 200
    assert {"upgrade", "connection", "http2-settings"}.isdisjoint(name.lower() for name in backend.requests[0].names)


async def test_bytes_behind_the_switch_reach_the_client(gateway: RunningProxy) -> None:
    """A server may speak first, in the same segment."""
    _, client, _ = await tunnelled(gateway, on_head(SWITCH + FRAME))

    assert await client.exactly(len(FRAME)) == FRAME


async def test_bytes_sent_before_the_answer_are_part_of_the_tunnel(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(UPGRADE + FRAME)
    upstream = await backend.wire()
    await upstream.until(b"\r\n\r\n")
    await breathe()
    assert upstream.unread == b""

    upstream.send(SWITCH)

    await upstream.until(FRAME)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "426 Upgrade Required", "503 x"])
async def test_a_refused_upgrade_makes_no_tunnel(gateway: RunningProxy, status: str) -> None:
    """Requirement 6: the client may go on in HTTP, its next request is parsed as one."""
    backend = await gateway.backend(
        always(lambda request: ok(b"no", status=status) if request.target == "/ws" else ok(b"yes"))
    )
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    refused = await client.ask(UPGRADE)
    after = await client.ask(get("/next", "X-Forwarded-For: 6.6.6.6"))

    assert refused.body == b"no"
    assert after.body == b"yes"
    assert backend.requests[1].field("x-forwarded-for") == "127.0.0.1"


async def test_bytes_sent_in_hope_of_a_tunnel_are_never_parsed_as_a_request(gateway: RunningProxy) -> None:
    """Requirement 6: they were meant for another protocol; the connection is closed after the refusal."""
    backend = await gateway.backend(always(ok(b"no", status="403 x")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(UPGRADE + get("/smuggled"))

    assert (await client.answer()).status == 403
    assert await client.rest() == b""
    assert b"smuggled" not in backend.received


@pytest.mark.parametrize(
    "switch",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
    ],
)
async def test_a_switch_to_something_else_is_a_502(gateway: RunningProxy, switch: bytes) -> None:
    """Requirement 11."""
    backend = await gateway.backend(on_head(switch))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(UPGRADE)).status == 502


async def test_a_body_on_a_refused_upgrade_is_consumed(gateway: RunningProxy) -> None:
    """Requirement 6: its bytes are the request's; what follows is parsed as a request or not at all."""
    backend = await gateway.backend(always(lambda request: ok(request.body)))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    smuggled = get("/smuggled")
    client.send(UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(smuggled)) + smuggled)

    assert (await client.answer()).body == smuggled
    assert (await client.ask(get("/next"))).body == b""
    assert [request.target for request in backend.requests] == ["/ws", "/next"]


@pytest.mark.both_loops
async def test_when_the_backend_closes_the_client_is_closed_after_the_last_byte(gateway: RunningProxy) -> None:
    """Requirement 10."""
    proxy, client, upstream = await tunnelled(gateway)
    upstream.send(b"x" * 200_000)
    upstream.close()

    assert await client.rest() == b"x" * 200_000
    record = await proxy.exchange()
    assert (record.status, record.error, record.tunnel) == (101, "", True)
    assert not record.attempts[0].failed


@pytest.mark.both_loops
async def test_when_the_client_closes_the_backend_is_closed_after_the_last_byte(gateway: RunningProxy) -> None:
    """Requirement 10: a closing frame is worth delivering."""
    proxy, client, upstream = await tunnelled(gateway)
    client.send(b"x" * 100_000 + b"\x88\x00")
    client.close()

    assert await upstream.rest() == b"x" * 100_000 + b"\x88\x00"
    record = await proxy.exchange()
    assert record.status == 101
    assert not record.attempts[0].failed


async def test_a_closing_frame_in_the_same_breath_as_the_end_is_delivered(gateway: RunningProxy) -> None:
    """Requirement 10."""
    _, client, upstream = await tunnelled(gateway)
    client.send_now(b"\x88\x02\x03\xe8")
    client.say_end_now()

    assert await upstream.rest() == b"\x88\x02\x03\xe8"


async def test_what_a_client_sent_before_it_closed_reaches_a_slow_backend(gateway: RunningProxy) -> None:
    """Requirement 10: the end of one side ends the other after its bytes, not before."""
    _, client, upstream = await tunnelled(gateway)
    upstream.transport.pause_reading()
    client.send(b"x" * 8_000_000)
    client.close()
    await breathe(100)

    upstream.transport.resume_reading()

    assert len(await upstream.rest()) == 8_000_000


@pytest.mark.parametrize("end", [Line.close, Line.reset])
async def test_no_end_of_a_tunnel_is_a_failure(gateway: RunningProxy, end: object) -> None:
    proxy, _, upstream = await tunnelled(gateway)
    end(upstream)  # type: ignore[operator]

    record = await proxy.exchange()
    assert not any(attempt.failed for attempt in record.attempts)


async def test_a_silent_tunnel_is_closed_after_its_own_idle_timeout(gateway: RunningProxy) -> None:
    """Requirement 10: its own, not the one of answers or connections."""
    clock = Clock()
    proxy, client, upstream = await tunnelled(gateway, clock=clock)

    proxy.turn(proxy.server.tunnel_idle - 1)
    client.send(FRAME)
    await upstream.until(FRAME)
    proxy.turn(proxy.server.tunnel_idle - 1)
    upstream.send(FRAME)
    await client.until(FRAME)
    proxy.turn(proxy.server.tunnel_idle - 1)
    assert not client.ended
    assert not upstream.ended
    proxy.turn(2)

    assert await client.gone() in ("eof", "reset")
    assert await upstream.gone() in ("eof", "reset")


async def test_a_tunnel_that_was_once_behind_still_ends_when_idle(gateway: RunningProxy) -> None:
    """Requirement 10: back-pressure must not switch the timeout off."""
    clock = Clock()
    proxy, client, upstream = await tunnelled(gateway, clock=clock)
    client.transport.pause_reading()
    connection = next(iter(proxy.server.clients))
    while not connection.write_paused:
        upstream.send(b"x" * 50_000)
        await breathe(2)
    client.transport.resume_reading()
    await until(lambda: not connection.write_paused, "relief")
    await breathe()

    proxy.turn(proxy.server.tunnel_idle + 1)

    assert await client.gone() in ("eof", "reset")


@pytest.mark.parametrize("towards", ["client", "backend"])
async def test_the_fast_end_of_a_tunnel_waits_for_the_slow_one(gateway: RunningProxy, towards: str) -> None:
    """Requirement 10: bounded buffers."""
    _, client, upstream = await tunnelled(gateway)
    slow, fast = (client, upstream) if towards == "client" else (upstream, client)
    slow.transport.pause_reading()
    fast.send(b"x" * 20_000_000)
    await breathe(300)
    assert fast.full
    assert fast.transport.get_write_buffer_size() > 5_000_000

    slow.transport.resume_reading()

    assert await slow.exactly(20_000_000) == b"x" * 20_000_000


async def test_an_upgrade_is_not_repeated_elsewhere_once_it_was_sent(gateway: RunningProxy) -> None:
    """A handshake is no safe request."""
    legacy = await gateway.backend(on_head(SWITCH))
    modern = await gateway.backend(on_head(b"", Wire.close))
    proxy = await gateway.proxy(legacy, modern)

    assert (await proxy.ask(UPGRADE)).status == 502
    assert legacy.wires == []
