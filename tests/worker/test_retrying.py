"""A request is tried again at most once, only where nothing can have happened (requirement 14)."""

from __future__ import annotations

import pytest

from tests.support.backend import Wire, always, answering, ok, on_head
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post


def pooled(proxy: Proxy) -> int:
    return proxy.server.stats()["connections_upstream_idle"]


def stale(backend_answers: bytes = ok(b"first"), *, how: object = Wire.close) -> list[object]:
    """A connection that ends as soon as it is asked a second time."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(backend_answers)
        await wire.head()
        how(wire)  # type: ignore[operator]

    return [script, always(ok(b"again"))]


@pytest.mark.parametrize("how", [Wire.close, Wire.reset])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
async def test_an_idempotent_request_is_tried_once_more_when_its_used_connection_gave_no_byte(
    gateway: RunningProxy, method: str, how: object
) -> None:
    """Requirement 14."""
    backend = await gateway.backend(*stale(how=how))  # type: ignore[arg-type]
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(get("/2", method=method), method)

    assert answer.status == 200
    assert len(backend.wires) == 2
    assert (await proxy.exchange(1)).answered == "legacy"


@pytest.mark.parametrize("request_bytes", [post(b""), post(b"x"), post(b"x", method="PATCH"), post(b"x", method="PUT")])
async def test_a_request_that_might_happen_twice_is_never_repeated(gateway: RunningProxy, request_bytes: bytes) -> None:
    """Requirement 14."""
    backend = await gateway.backend(*stale())  # type: ignore[arg-type]
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(request_bytes)

    assert answer.status == 502
    assert len(backend.wires) == 1


async def test_a_request_is_repeated_once_at_most(gateway: RunningProxy) -> None:
    """Requirement 14."""
    backend = await gateway.backend(stale()[0], on_head(b"", Wire.close))  # type: ignore[arg-type]
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(get("/2"))

    assert answer.status == 502
    assert len(backend.wires) == 2


async def test_a_fresh_connection_that_gave_no_byte_is_not_tried_again(gateway: RunningProxy) -> None:
    """Requirement 14: the backend had no reason to close it but the request."""
    backend = await gateway.backend(on_head(b"", Wire.close))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).status == 502
    assert len(backend.wires) == 1


async def test_a_request_is_not_repeated_once_a_byte_of_an_answer_came(gateway: RunningProxy) -> None:
    """Requirement 14."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(ok())
        await wire.head()
        await wire.send_pieces([b"HTTP/1.1 "])
        wire.close()

    backend = await gateway.backend(script, always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    assert (await client.ask(get("/2"))).status == 502
    assert len(backend.wires) == 1


async def test_a_5xx_is_never_repeated(gateway: RunningProxy) -> None:
    """Requirement 14."""
    backend = await gateway.backend(answering(ok(), ok(b"sorry", status="503 Service Unavailable")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    assert (await client.ask(get("/2"))).status == 503
    assert len(backend.requests) == 2


async def test_a_timeout_is_never_repeated(gateway: RunningProxy) -> None:
    """Requirement 14."""
    backend = await gateway.backend(answering(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=3.0)
    client = await proxy.client()
    await client.ask(get("/1"))
    client.send(get("/2"))
    await backend.wires[0].seen(b"/2")

    proxy.turn(3.1)

    assert (await client.answer()).status == 504
    assert len(backend.wires) == 1


async def test_a_post_gets_no_connection_that_was_idle_for_long(gateway: RunningProxy) -> None:
    """RFC 9112 9.3.1: what may not be sent twice must not meet a server that is just closing."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock())

    await proxy.ask(get("/1"))
    proxy.turn(3.0)
    await proxy.ask(post(b"x"))

    assert [len(wire.requests) for wire in backend.wires] == [1, 1]


async def test_an_idle_connection_is_closed_after_a_while(gateway: RunningProxy) -> None:
    """Requirement 17: what is not used is not kept."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock())
    await proxy.ask(get("/1"))
    assert pooled(proxy) == 1

    proxy.turn(61.0)

    assert pooled(proxy) == 0
    assert await backend.wires[0].gone() in ("eof", "reset")
