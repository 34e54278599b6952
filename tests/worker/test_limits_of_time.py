"""How long one client may take (requirement 15): 408, idle, unread answers."""

from __future__ import annotations

import itertools

import pytest

from proxy.worker.server import AT_A_TIME, OVER
from rules.model import Limits
from tests.support.backend import always, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.slow_reader import fill
from tests.support.waiting import breathe, until


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"])
async def test_a_head_that_does_not_come_in_time_is_a_408(gateway: RunningProxy, sent: bytes) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(sent)
    await breathe()

    proxy.turn(4.9)
    assert not client.received
    proxy.turn(0.2)
    answer = await client.answer()

    assert (answer.status, answer.closes) == (408, True)


async def test_the_time_for_a_head_is_for_the_whole_head(gateway: RunningProxy) -> None:
    """Requirement 15: not per byte; a slowloris gains nothing."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(b"GET / HTTP/1.1\r\n")
    for _ in range(6):
        await client.send_pieces([b"X-A: 1\r\n"])
        proxy.turn(1.0)

    assert (await client.answer()).status == 408


async def test_the_time_for_a_head_holds_on_a_used_connection_too(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    await client.ask(get("/"))
    proxy.turn(20.0)
    client.send(b"GET")
    await breathe()

    proxy.turn(5.1)

    assert (await client.answer()).status == 408


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_client_that_never_asks_is_parted_from(gateway: RunningProxy, sent: bytes) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(sent)
    await until(lambda: proxy.server.clients)
    await breathe()

    proxy.turn(5.1)

    assert await client.rest() == b""


async def test_an_idle_connection_is_closed_after_the_idle_timeout(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=30.0))
    client = await proxy.client()
    await client.ask(get("/"))

    proxy.turn(29.0)
    await client.ask(get("/"))
    proxy.turn(29.9)
    assert not client.ended
    proxy.turn(0.2)

    assert await client.gone() == "eof"


async def test_a_body_that_stops_coming_is_a_408_and_looks_aborted_behind_us(gateway: RunningProxy) -> None:
    """Requirement 15: body idle; requirement 16."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0))
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
    await breathe()
    proxy.turn(1.1)
    upstream = await backend.wire()
    await upstream.seen(b"hello")

    proxy.turn(4.1)
    answer = await client.answer()

    assert (answer.status, answer.closes) == (408, True)
    assert await upstream.gone() in ("eof", "reset")
    assert not upstream.received.endswith(b"0\r\n\r\n")
    assert not any(attempt.failed for attempt in (await proxy.exchange()).attempts)


async def test_a_body_that_keeps_coming_slowly_is_served(gateway: RunningProxy) -> None:
    """Requirement 15: the body's time is between bytes."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0, min_rate=0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST"))
    for _ in range(10):
        proxy.turn(4.0)
        await client.send_pieces([b"x"])

    assert (await client.answer()).status == 200


async def test_a_slow_upload_is_not_the_backends_silence(gateway: RunningProxy) -> None:
    """The backend's time runs from the request's last byte: what the client made is no 504 and no failure."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=3.0, limits=Limits(body_timeout=30.0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 70000", method="POST") + b"x" * 66_000)
    await (await backend.wire()).seen(b"xxxxx")

    proxy.turn(10.0)
    client.send(b"x" * 4000)
    answer = await client.answer()

    assert answer.status == 200
    assert not any(attempt.failed for attempt in (await proxy.exchange()).attempts)


async def test_the_body_time_does_not_run_while_the_backend_is_the_slow_one(gateway: RunningProxy) -> None:
    """Requirement 15: only the client's own slowness is held against it."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 50000000", method="POST") + b"x" * 100_000)
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    upstream.transport.pause_reading()
    client.send(b"x" * 20_000_000)
    await breathe(300)

    proxy.turn(6.0)
    await breathe()

    assert not client.received
    assert not client.ended


async def test_a_client_that_does_not_read_its_answer_is_cut_after_the_idle_timeout(gateway: RunningProxy) -> None:
    """Requirement 15."""
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 10_000_000))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=20.0))
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/"))
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")

    proxy.turn(20.1)
    await until(lambda: not proxy.server.clients, "the client's end")

    assert await backend.wires[0].gone() in ("eof", "reset")
    assert not (await proxy.exchange()).attempts[0].failed


@pytest.mark.parametrize("lines", [["Connection: close"], []], ids=["closing", "kept"])
async def test_a_client_that_does_not_read_a_finished_answer_is_not_kept_for_ever(
    gateway: RunningProxy, lines: list[str]
) -> None:
    """Requirements 15, 17: what lies in our own buffer is waited for no longer than anything else."""
    backend = await gateway.backend(always(ok(b"x" * 200_000)))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=20.0))
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/") * 29 + get("/", *lines))
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")
    await breathe(50)

    for _ in range(8):
        proxy.turn(20.1)
        await breathe()

    assert not proxy.server.clients


async def test_an_early_answer_to_a_slow_reader_is_not_cut_by_the_wait_for_its_upload(gateway: RunningProxy) -> None:
    """The two seconds for swallowing an unread upload begin when the answer is out, not before."""
    backend = await gateway.backend(on_head(chunks(end=b"", status="413 Too Large")))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=60.0))
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/", "Content-Length: 100000", method="POST") + b"x" * 70_000)
    sent = await fill(proxy, await backend.wire())

    proxy.turn(5.0)
    await breathe()
    client.transport.resume_reading()

    assert len((await client.answer()).body) == sent


async def test_of_many_deadlines_that_are_over_a_few_are_answered_before_others_have_the_loop(
    gateway: RunningProxy,
) -> None:
    backend, clock = await gateway.backend(always(ok())), Clock()
    proxy = await gateway.proxy(backend, clock=clock, limits=Limits(header_timeout=5.0))
    for client in [await proxy.client() for _ in range(100)]:
        client.send(b"GET / HTTP/1.1\r\n")
    await breathe()
    slow = tuple(proxy.server.clients)
    clock.turn(5.1)

    over = [0, *(sum(client.closing for client in slow) for _ in proxy.server._looks()), len(slow)]

    assert all(client.closing for client in slow)
    assert len(slow) == 100
    assert max(two - one for one, two in itertools.pairwise(over)) <= AT_A_TIME // OVER
