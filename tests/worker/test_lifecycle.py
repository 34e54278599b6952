"""Reload and shutdown (requirement 18), as far as one process is concerned."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.state.live import Live
from proxy.telemetry.records import Observers
from proxy.worker.server import Server, announce
from rules.model import LEGACY, Backend, Limits, Snapshot
from rules.routing.decide import generation
from tests.support.backend import Wire, always, chunks, hang, ok, on_head
from tests.support.line import Ended
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get
from tests.support.slow_reader import fill
from tests.support.waiting import breathe, until


def current(proxy: Proxy) -> Snapshot:
    return proxy.server.live.generation.snapshot


def swap(proxy: Proxy, chosen: Snapshot) -> None:
    live: Live = proxy.server.live
    live.swap(generation(live.generation.number + 1, chosen))


def moved(proxy: Proxy, url: str) -> Snapshot:
    """The same file with another backend behind the same name."""
    return replace(current(proxy), backends=(Backend(LEGACY, (url,)),))


# ── reload ──


async def test_after_a_swap_the_next_request_of_the_same_connection_follows_the_new_file(gateway: RunningProxy) -> None:
    old, new = await gateway.backend(always(ok(b"old"))), await gateway.backend(always(ok(b"new")))
    proxy = await gateway.proxy(old)
    client = await proxy.client()
    assert (await client.ask(get("/"))).body == b"old"

    swap(proxy, moved(proxy, new.url))

    assert (await client.ask(get("/"))).body == b"new"
    assert [(await proxy.exchange(number)).generation for number in range(2)] == [1, 2]


async def test_a_request_in_flight_is_finished_by_the_file_it_began_with(gateway: RunningProxy) -> None:
    old, new = await gateway.backend(hang), await gateway.backend(always(ok(b"new")))
    proxy = await gateway.proxy(old)
    client = await proxy.client()
    client.send(get("/"))
    upstream = await old.wire()
    await upstream.seen(b"\r\n\r\n")

    swap(proxy, moved(proxy, new.url))
    upstream.send(ok(b"old"))

    assert (await client.answer()).body == b"old"
    assert (await proxy.exchange()).generation == 1
    assert await upstream.gone() in ("eof", "reset")


async def test_connections_of_a_backend_that_did_not_change_are_kept(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    await proxy.ask(get("/"))

    swap(proxy, replace(current(proxy), digest="other"))
    await proxy.ask(get("/"))

    assert len(backend.wires) == 1


async def test_idle_connections_of_a_backend_that_is_gone_are_closed(gateway: RunningProxy) -> None:
    old, new = await gateway.backend(always(ok())), await gateway.backend(always(ok()))
    proxy = await gateway.proxy(old)
    await proxy.ask(get("/"))

    swap(proxy, moved(proxy, new.url))

    assert await old.wires[0].gone() in ("eof", "reset")


async def test_a_stream_goes_on_through_many_swaps(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(chunks(end=b"")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"\r\n\r\n")

    for number in range(20):
        swap(proxy, replace(current(proxy), digest=str(number)))
        backend.wires[0].send(b"1\r\n%x\r\n" % (number % 10))
        await client.until(b"1\r\n%x\r\n" % (number % 10))


async def test_no_request_is_lost_while_files_are_swapped(gateway: RunningProxy) -> None:
    """Requirement 18."""
    backends = [await gateway.backend(always(ok(b"%d" % number))) for number in range(2)]
    proxy = await gateway.proxy(backends[0])
    statuses: list[int] = []

    async def user() -> None:
        client = await proxy.client()
        statuses.extend([(await client.ask(get("/"))).status for _ in range(100)])

    async def operator() -> None:
        for number in range(50):
            swap(proxy, moved(proxy, backends[number % 2].url))
            await asyncio.sleep(0.001)

    await asyncio.gather(operator(), *(user() for _ in range(5)))

    assert statuses == [200] * 500


async def test_new_limits_hold_for_connections_that_are_open(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.ask(get("/"))

    chosen = current(proxy)
    swap(proxy, replace(chosen, listen=replace(chosen.listen, limits=Limits(url_bytes=50))))

    assert (await client.ask(get("/" + "x" * 100))).status == 414


async def test_a_request_that_waits_for_a_connection_of_a_retired_pool_is_served(gateway: RunningProxy) -> None:
    old, new = await gateway.backend(hang), await gateway.backend(always(ok(b"new")))
    proxy = await gateway.proxy(old, max_connections=1)
    first, second = await proxy.client(), await proxy.client()
    first.send(get("/1"))
    upstream = await old.wire()
    await upstream.seen(b"/1")
    second.send(get("/2"))
    await breathe()

    swap(proxy, moved(proxy, new.url))
    old.scripts = (always(ok(b"second")),)
    upstream.send(ok(b"first"))

    assert (await first.answer()).body == b"first"
    assert (await second.answer()).body == b"second"
    for wire in old.wires:
        assert await wire.gone() in ("eof", "reset")


# ── farewell ──


async def test_idle_clients_are_parted_from_when_accepting_stops(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.ask(get("/"))

    proxy.server.stop_accepting()

    assert await client.gone() == "eof"


async def test_a_kept_connection_that_is_used_while_we_part_is_told_in_its_answer(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.ask(get("/"))

    leaving = asyncio.create_task(announce(proxy.server, 5.0))
    await breathe()
    last = await client.ask(get("/"))
    await leaving

    assert (last.status, last.field("connection")) == (200, "close")
    assert await client.gone() == "eof"


async def test_a_request_in_flight_is_answered_and_told_that_this_was_the_last(gateway: RunningProxy) -> None:
    """Requirement 18: `Connection: close`."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")

    proxy.server.stop_accepting()
    waiting = asyncio.create_task(proxy.server.drained(5.0))
    await breathe()
    upstream.send(ok(b"just in time"))
    answer = await client.answer()

    assert (answer.body, answer.closes) == (b"just in time", True)
    assert await client.gone() == "eof"
    assert await waiting == 0


async def test_a_request_whose_head_is_half_here_is_still_served(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    await client.send_pieces([get("/")[:-4]])

    proxy.server.stop_accepting()
    answer = await client.ask(b"\r\n\r\n")

    assert (answer.status, answer.closes) == (200, True)


async def test_a_stream_is_finished_within_the_grace(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(chunks(b"one", end=b"")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"one\r\n")

    proxy.server.stop_accepting()
    waiting = asyncio.create_task(proxy.server.drained(5.0))
    await breathe()
    backend.wires[0].send(b"3\r\ntwo\r\n0\r\n\r\n")

    await client.until(b"3\r\ntwo\r\n0\r\n\r\n")
    assert await waiting == 0


async def test_what_does_not_end_within_the_grace_is_cut_and_counted(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"half")

    proxy.server.stop_accepting()
    cut = await proxy.server.drained(0.05)

    assert cut == 1
    assert await client.gone() in ("eof", "reset")
    assert await backend.wires[0].gone() in ("eof", "reset")


async def test_connections_that_wait_to_be_accepted_are_accepted(gateway: RunningProxy) -> None:
    """Requirement 18: another process goes on with the same socket; no connection in its queue is refused."""
    backend = await gateway.backend(always(ok(b"next process")))
    old = await gateway.proxy(backend)
    old.server.stop_accepting()
    client = await old.client()
    client.send(get("/"))
    await breathe()

    successor = Server(Live(generation(1, current(old))), Observers())
    await successor.start(old.listening.dup())

    assert (await client.answer()).body == b"next process"
    client.close()
    successor.stop_accepting()
    await successor.drained(0)


@pytest.mark.parametrize("answer", [ok(b"x" * 500_000), chunks(*[b"x" * 10_000] * 50)], ids=["length", "chunks"])
async def test_an_answer_that_is_on_its_way_out_is_not_cut_by_the_farewell(
    gateway: RunningProxy, answer: bytes
) -> None:
    backend = await gateway.backend(always(answer))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/"))
    await until(lambda: backend.requests)
    await breathe(100)

    proxy.server.stop_accepting()
    waiting = asyncio.create_task(proxy.server.drained(5.0))
    await asyncio.sleep(0.05)
    client.transport.resume_reading()

    assert len((await client.answer()).body) == 500_000
    await waiting


async def test_a_hung_backend_is_left_when_the_grace_is_over(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))
    await (await backend.wire()).seen(b"\r\n\r\n")

    proxy.server.stop_accepting()
    assert await proxy.server.drained(0.05) == 1

    with pytest.raises(Ended):
        await client.answer()
    assert await backend.wires[0].gone() in ("eof", "reset")
    assert isinstance(backend.wires[0], Wire)


async def test_the_last_bytes_of_an_answer_have_the_whole_grace_to_go_out(gateway: RunningProxy) -> None:
    """Requirement 18: an answer that lies in our own buffer is in flight as much as one that is still coming."""
    backend = await gateway.backend(on_head(chunks(end=b"")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/"))
    sent = await fill(proxy, await backend.wire())
    await proxy.exchange()

    proxy.server.stop_accepting()
    waiting = asyncio.create_task(proxy.server.drained(10.0))
    await asyncio.sleep(1.5)
    client.transport.resume_reading()

    assert len((await client.answer()).body) == sent
    await waiting
