"""How many connections and requests one client may have open (requirement 15), in which order."""

from __future__ import annotations

import pytest

from rules.model import Limits
from tests.support.backend import always, hang, ok, on_head
from tests.support.line import Ended
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until


async def test_connections_above_the_limit_are_turned_away_with_a_503(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(connections=3))
    clients = [await proxy.client() for _ in range(3)]
    for client in clients:
        assert (await client.ask(get("/"))).status == 200
    extra = await proxy.client()

    answer = await extra.answer()

    assert (answer.status, answer.closes) == (503, True)
    assert (await clients[0].ask(get("/"))).status == 200


async def test_a_place_that_becomes_free_is_given_to_the_next(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(connections=1))
    first = await proxy.client()
    await first.ask(get("/"))
    first.close()
    await until(lambda: not proxy.server.clients)

    assert (await proxy.ask(get("/"))).status == 200


async def test_those_turned_away_do_not_keep_the_places_of_others(gateway: RunningProxy) -> None:
    """A flood of refused connections must not lengthen the refusal of good ones."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(connections=2))
    first = await proxy.client()
    await first.ask(get("/"))
    second = await proxy.client()
    await second.ask(get("/"))
    flood = [await proxy.client() for _ in range(20)]
    for each in flood:
        await each.answer()
    first.close()
    await breathe()

    assert (await proxy.ask(get("/"))).status == 200


async def test_a_pipelined_flood_stays_bounded(gateway: RunningProxy) -> None:
    """Requirement 15: one request of a connection is in flight, a bounded amount waits, the rest is not even read."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    for _ in range(400):
        client.send(get("/") * 2000)
        await breathe(1)

    assert len(backend.wires) == 1
    assert backend.received.count(b"\r\n\r\n") == 1
    connection = next(iter(proxy.server.clients))
    assert len(connection._buffer) < 1_000_000
    assert client.full


async def test_a_flood_whose_requests_are_answered_stays_bounded_too(gateway: RunningProxy) -> None:
    """Each answer makes room for one request, not for one more read."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    most = 0
    for _ in range(300):
        if not client.full:
            client.send(get("/") * 2000)
        await breathe(1)
        most = max(most, *(len(connection._buffer) for connection in proxy.server.clients))

    assert len(backend.requests) > 100
    assert most < 600_000


@pytest.mark.parametrize("body", ["length", "chunks"])
async def test_a_body_behind_many_requests_is_read_when_its_turn_comes(gateway: RunningProxy, body: str) -> None:
    backend = await gateway.backend(always(lambda request: ok(b"%d" % len(request.body))))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    size = 3_000_000
    field = f"Content-Length: {size}" if body == "length" else "Transfer-Encoding: chunked"
    sent = b"x" * size if body == "length" else b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)

    client.send(get("/") * 3000 + get("/", field, method="POST") + sent + get("/last"))
    answers = [await client.answer() for _ in range(3002)]

    assert [answer.body for answer in answers[-2:]] == [b"%d" % size, b"0"]


async def test_a_head_that_is_cut_where_reading_stopped_is_read_to_its_end(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(header_bytes=1 << 20))
    client = await proxy.client()

    client.send(get("/") * 100 + get("/", *(f"X-{number}: {'y' * 8000}" for number in range(90))))
    answers = [await client.answer() for _ in range(101)]

    assert {answer.status for answer in answers} == {200}


async def test_a_client_that_pipelines_without_reading_gets_no_more_than_fits(gateway: RunningProxy) -> None:
    """Requirements 10, 15: answers to requests that were sent ahead may not pile up in our memory."""
    backend = await gateway.backend(always(ok(b"x" * 60_000)))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/") * 2000)
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")
    await breathe(300)

    connection = next(iter(proxy.server.clients))
    assert connection.transport is not None
    assert connection.transport.get_write_buffer_size() < 2_000_000


async def test_pipelined_requests_are_answered_in_order(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(lambda request: ok(request.target.encode() + request.body)))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    for number in range(100):
        client.send(get(f"/{number}") if number % 2 else post(b"!", target=f"/{number}"))

    for number in range(100):
        assert (await client.answer()).body == f"/{number}".encode() + (b"" if number % 2 else b"!")


async def test_a_slow_first_answer_holds_the_second_back(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang, always(ok(b"second")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))
    first = await backend.wire()
    await first.seen(b"/1")
    await breathe()
    assert len(backend.wires) == 1

    first.send(ok(b"first"))

    assert (await client.answer()).body == b"first"
    await first.seen(b"/2")


async def test_pipelined_requests_stop_at_a_bad_one(gateway: RunningProxy) -> None:
    """Requirement 4: what came before is answered, what comes after is not parsed."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2") + b"BAD\r\n\r\n" + get("/3"))

    assert [(await client.answer()).status for _ in range(3)] == [200, 200, 400]
    assert await client.rest() == b""
    assert [request.target for request in backend.requests] == ["/1", "/2"]


async def test_pipelined_requests_after_a_cut_answer_are_not_answered(gateway: RunningProxy) -> None:
    """Requirement 12."""
    backend = await gateway.backend(
        on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", lambda wire: wire.close())
    )
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))

    with pytest.raises(Ended):
        await client.answer()
    assert b"/2" not in backend.received
