"""A fault of the proxy in a callback of the event loop ends one connection, is logged with its place, cuts no other."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from proxy.worker.handshake import accept
from rules.model import Health, Limits
from tests.support.backend import Backend, Wire, always, chunks, hang, ok
from tests.support.clock import Clock
from tests.support.faulty import MESSAGE, break_once
from tests.support.proxying import Proxy, RunningProxy, listen_on
from tests.support.raw import RawClient, get, post
from tests.support.waiting import breathe, until

LARGE = ok(b"x" * 8_000_000)


async def large_or_other(wire: Wire) -> None:
    while True:
        head = await wire.head()
        wire.send(LARGE if b" /large" in head else ok(b"other"))


def reported(gateway: RunningProxy) -> list[str]:
    """What was reported so far, each with its place; a test that ends with more of it fails."""
    found, gateway.mishaps[:] = list(gateway.mishaps), []
    for each in found:
        assert each["exception"].__traceback__ is not None
    return [each["message"] for each in found]


async def behind(proxy: Proxy) -> RawClient:
    """A client that does not read the large response that it asked for; another one is served meanwhile."""
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/large"))
    await until(lambda: len(proxy.server.watched) > 0, "back-pressure")
    await breathe(20)
    assert (await proxy.ask(get("/"))).body == b"other"
    return client


def call_of(proxy: Proxy) -> Any:
    (call,) = [each.request() for each in proxy.server.clients if each.request() is not None]
    return call


# ── a client's connection ──


async def test_a_fault_when_a_client_falls_behind(gateway: RunningProxy) -> None:
    backend = await gateway.backend(large_or_other)
    proxy = await gateway.proxy(backend)
    other, client = await proxy.client(), await proxy.client()
    await other.ask(get("/"))
    client.transport.pause_reading()
    client.send(get("/"))
    await until(lambda: len(proxy.exchanges) == 2, "a first response")
    for each in proxy.server.clients:
        if each.transport.get_extra_info("peername") == client.transport.get_extra_info("sockname"):
            break_once(each, "get_write_buffer_size")
    client.send(get("/large"))
    await until(lambda: gateway.mishaps, "the fault")

    assert (await other.ask(get("/"))).body == b"other"
    client.transport.resume_reading()
    assert await client.gone() == "reset"
    assert reported(gateway) == ["unforeseen: a client that is behind"]


async def test_a_fault_when_a_client_reads_again(gateway: RunningProxy) -> None:
    backend = await gateway.backend(large_or_other)
    proxy = await gateway.proxy(backend)
    client = await behind(proxy)
    break_once(call_of(proxy).connection, "resume_reading")

    client.transport.resume_reading()

    assert await client.gone() == "reset"
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a client that reads again"]


async def test_a_fault_in_a_look_at_one_slow_client_leaves_the_others_to_their_limits(gateway: RunningProxy) -> None:
    backend = await gateway.backend(large_or_other)
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=4.0))
    clients = [await behind(proxy) for _ in range(3)]
    await until(lambda: len(proxy.server.watched) == 3, "all of them behind")
    break_once(next(iter(proxy.server.clients)), "get_write_buffer_size")

    for _ in range(3):
        proxy.turn(3.0)

    for client in clients:
        client.transport.resume_reading()
        assert await client.gone() == "reset"
    proxy.turn(0.1)
    assert len(proxy.server.watched) == 0
    # Its deadline looks at what it has not taken as well, and may be the first to.
    assert reported(gateway) in (["unforeseen: a slow client"], ["unforeseen: a deadline"])


async def test_a_fault_with_a_client_that_comes(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"other")))
    proxy = await gateway.proxy(backend, limits=Limits(per_peer=100))
    other = await proxy.client()
    assert (await other.ask(get("/"))).body == b"other"
    server = proxy.server
    bound, server.bound = server.bound, replace(server.bound, trust=None)  # type: ignore[arg-type]

    client = await proxy.client()
    assert await client.gone() in ("eof", "reset")
    server.bound = bound

    assert (await other.ask(get("/"))).body == b"other"
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a client that comes"]
    await until(lambda: len(proxy.server.clients) == 1, "the end of all but one")


async def test_a_fault_with_one_accepted_client_leaves_the_port_open() -> None:
    """Clients that speak TLS are accepted by a task of our own, which must not end."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    begun: list[str] = []
    faults = iter([IndexError(MESSAGE)])

    def begin(_: object) -> None:
        begun.append("a client")
        for fault in faults:
            raise fault

    listening, address = listen_on("")
    assert isinstance(address, tuple)
    accepting = asyncio.create_task(accept(listening, begin, lambda work, _: work.close()))
    for number in (1, 2):
        _, writer = await asyncio.open_connection(*address)
        await until(lambda number=number: len(begun) == number, "the next client")
        writer.close()
    accepting.cancel()
    listening.close()

    assert [each["message"] for each in told] == ["unforeseen: a client that comes"]


# ── a backend's connection ──


@pytest.mark.both_loops
async def test_a_fault_with_a_fresh_connection_to_a_backend(
    gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = await gateway.backend(hang, hang, always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    waiting = await proxy.client()
    waiting.send(get("/"))
    await (await backend.wire()).seen(b"\r\n\r\n")
    with monkeypatch.context() as patched:
        patched.setattr(select, "poll", [].pop)
        answer = await proxy.ask(get("/"))

    assert answer.status == 502
    assert not waiting.received
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a backend's bytes"]


async def test_a_fault_in_an_attempt_to_connect(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    (target,) = next(iter(proxy.server.bound.pools.values())).targets
    target.tls = True  # without what TLS needs
    answer = await proxy.ask(get("/"))
    target.tls = False

    assert answer.status == 502
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a connection to a backend"]


class FaultyRequest:
    """A request with a fault in one callback of its backend's connection."""

    def __init__(self, request: Any, callback: str) -> None:
        self._request = request
        self._callback = callback

    def __getattr__(self, name: str) -> Any:
        if name == self._callback:
            raise IndexError(MESSAGE)
        return getattr(self._request, name)


async def reads_later(wire: Wire) -> None:
    await wire.head()
    wire.transport.pause_reading()
    await asyncio.sleep(0.05)
    wire.transport.resume_reading()
    await wire.gone()


CALLBACKS: dict[str, tuple[Callable[[Wire], Awaitable[None]], Callable[[Wire], object]]] = {
    "upstream_paused": (reads_later, lambda _: None),
    "upstream_resumed": (reads_later, lambda _: None),
    "failed": (hang, lambda wire: wire.transport.close()),
    "answer": (hang, lambda wire: wire.send(ok(b"never seen"))),
    "informational": (hang, lambda wire: wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
}


@pytest.mark.parametrize("callback", CALLBACKS)
async def test_a_fault_in_a_callback_of_a_backends_connection(gateway: RunningProxy, callback: str) -> None:
    script, happens = CALLBACKS[callback]
    backend = await gateway.backend(script, always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 9000000", method="POST") + b"x" * 100_000)
    wire = await backend.wire()
    await until(lambda: call_of(proxy).connection is not None, "its connection")
    call = call_of(proxy)
    call.connection.requester = FaultyRequest(call, callback)

    if script is reads_later:
        client.send(b"x" * 8_000_000)
    else:
        await wire.seen(b"\r\n\r\n")
        happens(wire)

    assert (await client.answer()).status == 502
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a backend's bytes"]


@pytest.mark.parametrize("callback", ["more", "done", "failed"])
async def test_a_fault_in_the_midst_of_an_answer(gateway: RunningProxy, callback: str) -> None:
    rest = {"more": b"3\r\ntwo\r\n", "done": b"0\r\n\r\n", "failed": b""}[callback]
    backend = await gateway.backend(always(chunks(b"one", end=b"")), always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"one")
    call = call_of(proxy)
    call.connection.requester = FaultyRequest(call, callback)

    if rest:
        backend.wires[0].send(rest)
    else:
        backend.wires[0].transport.abort()

    assert await client.gone() == "reset"
    assert (await proxy.ask(get("/"))).body == b"other"
    assert reported(gateway) == ["unforeseen: a backend's bytes"]


@pytest.mark.parametrize("sends", ["client", "backend"])
async def test_a_fault_in_a_tunnel_ends_both_its_halves(gateway: RunningProxy, sends: str) -> None:
    async def switch(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await wire.gone()

    backend = await gateway.backend(switch, always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Connection: Upgrade", "Upgrade: websocket"))
    await client.until(b"\r\n\r\n")
    tunnelled = call_of(proxy)
    break_once(tunnelled.connection if sends == "client" else tunnelled.client, "write")

    (client if sends == "client" else backend.wires[0]).send(b"ping")

    assert await client.gone() in ("eof", "reset")
    assert await backend.wires[0].gone() in ("eof", "reset")
    assert (await proxy.ask(get("/"))).body == b"other"
    where = {"client": "unforeseen: a client's bytes", "backend": "unforeseen: a backend's bytes"}
    assert reported(gateway) == [where[sends]]


# ── the clock ──


class FaultyWaiter:
    """Waits for a connection, and fails when it is asked what for."""

    made_way = False

    def __init__(self) -> None:
        self.wants_connection = True

    @property
    def request_kind(self) -> str:
        self.wants_connection = False
        raise IndexError(MESSAGE)


async def test_a_fault_when_a_connection_may_be_had_leaves_the_others_in_line(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, max_connections=32, connect_timeout=30.0)
    for client in [await proxy.client() for _ in range(24)]:
        client.send(get("/"))
    pool = next(iter(proxy.server.bound.pools.values()))
    await until(lambda: len(pool.waiting) > 4, "a crowd that waits")
    pool.waiting.appendleft(FaultyWaiter())  # type: ignore[arg-type]

    await until(lambda: len(backend.wires) == 24, "a connection for each")
    assert reported(gateway) == ["unforeseen: a connection that may be had"]


async def test_a_health_check_that_fails_by_itself_says_nothing_of_its_target(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"well")))
    health = Health(path="/health", every=0.01, unhealthy_after=1, statuses=((200, None),))  # type: ignore[arg-type]
    proxy = await gateway.proxy(backend, health=health)

    await until(lambda: len(backend.requests) > 3, "it is asked again and again")
    (target,) = next(iter(proxy.server.bound.pools.values())).targets
    assert target.healthy
    assert (await proxy.ask(post(b"x"))).body == b"well"
    assert set(reported(gateway)) == {"unforeseen: a health check"}
    gateway.mishaps.clear()
    await stopped(gateway, backend)


async def stopped(gateway: RunningProxy, backend: Backend) -> None:
    """End what goes on failing, so that nothing is reported after the test."""
    await backend.stop()
    for proxy in gateway.proxies:
        for pool in proxy.server.bound.pools.values():
            pool.retired = True
    await asyncio.sleep(0.05)
    gateway.mishaps.clear()
