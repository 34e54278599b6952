"""Connections to backends (requirements 13, 14): used again only when nothing speaks against it."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.backend import Backend, Wire, always, answering, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.proxying import House, Proxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until

LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def pooled(proxy: Proxy) -> int:
    return proxy.server.stats()["connections_upstream_idle"]


# ── reuse ──


async def test_a_connection_is_used_again_by_another_client(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)

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
async def test_a_connection_that_the_backend_wants_closed_is_closed(house: House, answer: bytes) -> None:
    """RFC 9112 9.3: the close option wins."""
    backend = await house.backend(always(answer))
    proxy = await house.proxy(backend)

    await proxy.ask(get("/"))

    assert pooled(proxy) == 0
    assert await backend.wires[0].gone() in ("eof", "reset")


async def test_a_http_1_0_backend_that_keeps_alive_is_kept(house: House) -> None:
    backend = await house.backend(always(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"))
    proxy = await house.proxy(backend)

    await proxy.ask(get("/1"))
    await proxy.ask(get("/2"))

    assert len(backend.wires) == 1


# ── late bytes ──


@pytest.mark.both_loops
@pytest.mark.parametrize("late", [LATE, b"\r\n", b"x", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
async def test_late_bytes_never_reach_the_next_user(house: House, late: bytes) -> None:
    """Requirement 13: a connection that speaks unasked is closed."""
    backend = await house.backend(answering(ok(b"first"), then=lambda wire: wire.send(late)), always(ok(b"second")))
    proxy = await house.proxy(backend)

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
async def test_bytes_behind_an_answer_are_delivered_to_nobody(house: House, answer: bytes, extra: bytes) -> None:
    """Requirement 13, P9: extra bytes in the same breath as the answer."""
    backend = await house.backend(answering(answer + extra), always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    first = await client.ask(get("/1"))
    second = await client.ask(get("/2"))

    assert first.status in (200, 204, 304)
    assert second.body == b"second"
    assert b"poison" not in client.received
    assert len(backend.wires) == 2


async def test_a_body_behind_a_head_answer_is_delivered_to_nobody(house: House) -> None:
    """Requirement 9: HEAD has no body, whatever the backend thinks."""
    backend = await house.backend(answering(ok(b"a body to HEAD")), always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    first = await client.ask(get("/1", method="HEAD"), "HEAD")
    second = await client.ask(get("/2"))

    assert first.field("content-length") == "14"
    assert second.body == b"second"


async def test_bytes_that_wait_unread_disqualify_a_connection(house: House) -> None:
    """Requirement 13: checked right before use, not when the loop gets round to it.

    The late bytes and the next request lie in the kernel before the proxy runs again.
    """
    backend = await house.backend(answering(ok(b"first")), always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    for _ in range(20):
        await client.ask(get("/1"))
        backend.wires[-1].send_now(LATE)
        await client.ask(get("/2"))
        backend.scripts = (always(ok(b"second")),)

    assert b"poison" not in client.received


async def test_a_connection_that_ended_while_idle_is_not_used(house: House) -> None:
    """Requirement 13: the end lies in the kernel when the next request comes."""
    backend = await house.backend(answering(ok(b"first")), always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    backend.wires[0].say_end_now()
    answer = await client.ask(post(b"never twice"))

    assert answer.body == b"second"
    assert len(backend.wires) == 2


async def test_a_waiting_request_does_not_get_a_connection_that_has_just_ended(house: House) -> None:
    """Requirement 13: the check holds too where a connection passes straight to whoever waits for it."""

    async def last_answer(wire: Wire) -> None:
        await wire.request()
        await until(lambda: len(wire.requests) == 1)
        await until(lambda: go)
        wire.send_now(ok(b"first"))
        wire.say_end_now()

    go: list[int] = []
    backend = await house.backend(last_answer, always(ok(b"second")))
    proxy = await house.proxy(backend, max_connections=1)
    one, two = await proxy.client(), await proxy.client()
    one.send(get("/1"))
    await backend.wire()
    two.send(post(b"x"))
    await breathe()
    go.append(1)

    assert (await one.answer()).body == b"first"
    assert (await two.answer()).body == b"second"


# ── only after a complete exchange ──


@pytest.mark.parametrize("answer", [ok(b"too large"), chunks(b"too large"), chunks(b"too ", b"large")], ids=["length", "chunks", "two chunks"])
async def test_a_connection_with_half_a_request_on_it_is_never_used_again(house: House, answer: bytes) -> None:
    """Requirement 13: an early answer ends a request that was not sent whole; the rest must not meet the next one."""
    backend = await house.backend(on_head(answer), always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(post(b"x" * 100)[:-50])

    first = await client.answer()
    second = await proxy.ask(get("/2"))

    assert first.body == b"too large"
    assert first.closes
    assert second.body == b"second"
    assert b"/2" not in backend.wires[0].received


async def test_a_connection_whose_client_went_away_is_never_used_again(house: House) -> None:
    """Requirement 13: its answer may still come."""
    backend = await house.backend(hang, always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/1"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    client.close()

    assert await upstream.gone() in ("eof", "reset")
    assert (await proxy.ask(get("/2"))).body == b"second"


async def test_a_connection_is_heard_by_its_next_user_although_the_last_one_read_slowly(house: House) -> None:
    """Back-pressure of one client must not stay behind on the connection."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"x" * 3_000_000))
        await wire.request()
        wire.send(ok(b"second"))
        await wire.gone()

    backend = await house.backend(script)
    proxy = await house.proxy(backend)
    slow = await proxy.client()
    slow.transport.pause_reading()
    slow.send(get("/1"))
    await breathe(50)
    slow.transport.resume_reading()
    assert len((await slow.answer()).body) == 3_000_000

    assert (await proxy.ask(get("/2"))).body == b"second"


@pytest.mark.parametrize("size", [150_000, 250_000, 400_000, 700_000])
@pytest.mark.parametrize("frame", [ok, chunks], ids=["length", "chunks"])
async def test_a_connection_freed_while_its_client_is_behind_is_heard_by_the_next(house: House, size: int, frame: object) -> None:
    """As above, where the last bytes of the answer were read while the client was behind."""
    body = b"x" * size

    async def script(wire: Wire) -> None:
        while True:
            request = await wire.request()
            wire.send(frame(body) if request.target == "/1" else ok(b"second"))  # type: ignore[operator]

    backend = await house.backend(script)
    proxy = await house.proxy(backend)
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


# ── retry ──


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
    house: House, method: str, how: object
) -> None:
    """Requirement 14."""
    backend = await house.backend(*stale(how=how))  # type: ignore[arg-type]
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(get("/2", method=method), method)

    assert answer.status == 200
    assert len(backend.wires) == 2
    assert (await proxy.exchange(1)).answered == "legacy"


@pytest.mark.parametrize("request_bytes", [post(b""), post(b"x"), post(b"x", method="PATCH"), post(b"x", method="PUT")])
async def test_a_request_that_might_happen_twice_is_never_repeated(house: House, request_bytes: bytes) -> None:
    """Requirement 14."""
    backend = await house.backend(*stale())  # type: ignore[arg-type]
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(request_bytes)

    assert answer.status == 502
    assert len(backend.wires) == 1


async def test_a_request_is_repeated_once_at_most(house: House) -> None:
    """Requirement 14."""
    backend = await house.backend(stale()[0], on_head(b"", Wire.close))  # type: ignore[arg-type]
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    answer = await client.ask(get("/2"))

    assert answer.status == 502
    assert len(backend.wires) == 2


async def test_a_fresh_connection_that_gave_no_byte_is_not_tried_again(house: House) -> None:
    """Requirement 14: the backend had no reason to close it but the request."""
    backend = await house.backend(on_head(b"", Wire.close))
    proxy = await house.proxy(backend)

    assert (await proxy.ask(get("/"))).status == 502
    assert len(backend.wires) == 1


async def test_a_request_is_not_repeated_once_a_byte_of_an_answer_came(house: House) -> None:
    """Requirement 14."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(ok())
        await wire.head()
        await wire.send_pieces([b"HTTP/1.1 "])
        wire.close()

    backend = await house.backend(script, always(ok()))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    assert (await client.ask(get("/2"))).status == 502
    assert len(backend.wires) == 1


async def test_a_5xx_is_never_repeated(house: House) -> None:
    """Requirement 14."""
    backend = await house.backend(answering(ok(), ok(b"sorry", status="503 Service Unavailable")))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    await client.ask(get("/1"))
    assert (await client.ask(get("/2"))).status == 503
    assert len(backend.requests) == 2


async def test_a_timeout_is_never_repeated(house: House) -> None:
    """Requirement 14."""
    backend = await house.backend(answering(ok()))
    proxy = await house.proxy(backend, clock=Clock(), timeout=3.0)
    client = await proxy.client()
    await client.ask(get("/1"))
    client.send(get("/2"))
    await backend.wires[0].seen(b"/2")

    proxy.turn(3.1)

    assert (await client.answer()).status == 504
    assert len(backend.wires) == 1


async def test_a_post_gets_no_connection_that_was_idle_for_long(house: House) -> None:
    """RFC 9112 9.3.1: what may not be sent twice must not meet a server that is just closing."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock())

    await proxy.ask(get("/1"))
    proxy.turn(3.0)
    await proxy.ask(post(b"x"))

    assert [len(wire.requests) for wire in backend.wires] == [1, 1]


async def test_an_idle_connection_is_closed_after_a_while(house: House) -> None:
    """Requirement 17: what nobody uses is not kept."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock())
    await proxy.ask(get("/1"))
    assert pooled(proxy) == 1

    proxy.turn(61.0)

    assert pooled(proxy) == 0
    assert await backend.wires[0].gone() in ("eof", "reset")


# ── limits, several targets ──


class Counting:
    """Counts the connections a backend has at once."""

    def __init__(self, answer: bytes) -> None:
        self.now = self.most = 0
        self._answer = answer

    async def __call__(self, wire: Wire) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while True:
                await wire.request()
                await asyncio.sleep(0.002)
                wire.send(self._answer)
                if b"close" in self._answer:
                    wire.close()
                    return
        finally:
            self.now -= 1


@pytest.mark.parametrize("answer", [ok(), ok(b"", "Connection: close")], ids=["kept", "closed each time"])
async def test_no_more_connections_than_allowed_are_made(house: House, answer: bytes) -> None:
    """Contract: max_connections; everybody is served in the end."""
    counting = Counting(answer)
    backend = await house.backend(counting)
    proxy = await house.proxy(backend, max_connections=2)

    answers = await asyncio.gather(*(proxy.ask(get(f"/{number}")) for number in range(20)))

    assert [each.status for each in answers] == [200] * 20
    assert counting.most <= 2


async def test_whoever_waits_for_a_connection_in_vain_gets_a_503(house: House) -> None:
    """Requirement 15: no queue without an end."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend, clock=Clock(), max_connections=1, connect_timeout=1.0)
    one, two = await proxy.client(), await proxy.client()
    one.send(get("/1"))
    await (await backend.wire()).seen(b"/1")
    two.send(get("/2"))
    await breathe()

    proxy.turn(1.5)
    answer = await two.answer()

    assert answer.status == 503
    assert answer.field("retry-after")
    assert b"/2" not in backend.received


async def test_who_waits_behind_a_connection_that_could_not_be_made_is_told_soon(house: House) -> None:
    """Requirement 11: a failure to connect wakes the next in the queue."""
    proxy = await house.proxy("http://127.0.0.1:1", clock=Clock(), max_connections=1)

    answers = await asyncio.gather(*(proxy.ask(get(f"/{number}")) for number in range(3)))

    assert [each.status for each in answers] == [502] * 3


async def test_the_target_with_the_fewest_requests_in_flight_is_chosen(house: House) -> None:
    """Contract: `urls`."""
    backends = [await house.backend(hang) for _ in range(3)]
    proxy = await house.proxy(backends)

    for number in range(9):
        (await proxy.client()).send(get(f"/{number}"))
        await until(lambda number=number: sum(len(each.wires) for each in backends) == number + 1)

    assert [len(backend.wires) for backend in backends] == [3, 3, 3]


async def test_a_target_that_refuses_connections_is_left_alone_for_a_while(house: House) -> None:
    """Passive health: the other target answers."""
    alive = await house.backend(always(ok(b"alive")))
    proxy = await house.proxy(["http://127.0.0.1:1", alive], clock=Clock())

    statuses = [(await proxy.ask(post(b"x"))).status for _ in range(20)]

    assert statuses.count(502) <= 3
    assert statuses[-10:] == [200] * 10


async def test_a_dead_target_is_tried_again_later(house: House) -> None:
    """Passive health: a target that comes back is used again."""
    down = await house.backend(always(ok(b"back")))
    proxy = await house.proxy(down, clock=Clock())
    target = proxy.server.bound.pools["legacy"].targets[0]
    target.down_until = proxy.server.clock() + 1.0
    proxy.turn(0.5)
    assert proxy.server.unhealthy == {"legacy"}

    proxy.turn(0.6)

    assert proxy.server.unhealthy == set()
    assert (await proxy.ask(get("/"))).body == b"back"


def connections(backend: Backend) -> int:
    return len([wire for wire in backend.wires if not wire.ended])
