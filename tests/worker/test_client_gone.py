"""A client that goes away (requirement 16): nothing works for it any more, and its upload looks aborted."""

from __future__ import annotations

import pytest

from rules.model import Buffer
from tests.support.backend import Wire, chunks, hang, on_head
from tests.support.line import Line
from tests.support.proxying import RunningProxy
from tests.support.raw import get

LEAVE = [Line.close, Line.reset]


@pytest.mark.both_loops
@pytest.mark.parametrize("leave", LEAVE)
async def test_a_waiting_backend_is_left_at_once(gateway: RunningProxy, leave: object) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")

    leave(client)  # type: ignore[operator]

    assert await upstream.gone() in ("eof", "reset")
    assert (await proxy.exchange()).status == 499


@pytest.mark.parametrize("leave", LEAVE)
async def test_a_sending_backend_is_left_at_once(gateway: RunningProxy, leave: object) -> None:
    async def endless(wire: Wire) -> None:
        await wire.head()
        wire.send(chunks(end=b""))
        while not wire.ended:
            await wire.send_pieces([b"5\r\nhello\r\n"])

    backend = await gateway.backend(endless)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"hello")

    leave(client)  # type: ignore[operator]

    assert await backend.wires[0].gone() in ("eof", "reset")
    record = await proxy.exchange()
    assert not record.attempts[0].failed


@pytest.mark.both_loops
@pytest.mark.parametrize("leave", LEAVE)
async def test_an_aborted_chunked_upload_never_gets_its_last_chunk(gateway: RunningProxy, leave: object) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
    upstream = await backend.wire()
    await upstream.seen(b"hello")

    leave(client)  # type: ignore[operator]

    assert await upstream.gone() in ("eof", "reset")
    assert upstream.received.endswith(b"5\r\nhello\r\n")


@pytest.mark.parametrize("leave", LEAVE)
async def test_an_aborted_upload_is_never_filled_up(gateway: RunningProxy, leave: object) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, buffer=Buffer(request=5))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST") + b"hello")
    upstream = await backend.wire()
    await upstream.seen(b"hello")

    leave(client)  # type: ignore[operator]

    assert await upstream.gone() in ("eof", "reset")
    assert upstream.received.endswith(b"\r\n\r\nhello")


async def test_a_request_whose_head_was_not_finished_reaches_nobody(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.send_pieces([b"GET / HTTP/1.1\r\n", b"Host: a\r\n"])

    client.close()
    await proxy.quiet()

    assert backend.wires == []


async def test_a_client_that_leaves_before_there_is_a_connection_costs_none(gateway: RunningProxy) -> None:
    """A request without a client is not sent when its turn comes."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, max_connections=1)
    first, second, third = [await proxy.client() for _ in range(3)]
    first.send(get("/1"))
    await (await backend.wire()).seen(b"/1")
    second.send(get("/2"))
    third.send(get("/3"))
    await proxy.client()
    second.close()
    first.close()

    await (await backend.wire(1)).seen(b"/3")
    assert b"/2" not in backend.received


async def test_the_rest_of_a_pipeline_dies_with_its_client(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(b""))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2") + get("/3"))
    upstream = await backend.wire()
    await upstream.seen(b"/1")
    client.close()

    await upstream.gone()
    await proxy.quiet()
    assert len(backend.wires) == 1
    assert b"/2" not in backend.received
