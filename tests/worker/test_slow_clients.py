"""Slow clients cost the proxy, never a backend (contract: Slow clients)."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, Self

import pytest

from proxy.telemetry.metric_names import POOL_WAITS, SLOW_CLIENTS
from proxy.worker.slow_clients import BufferBudget, Progress
from rules.model import Buffer, Fallback, Limits
from tests.support import snapshots
from tests.support.backend import Wire, always, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import RawClient, get, post
from tests.support.waiting import breathe, until

SEVERAL_MB = ok(b"x" * 8_000_000)


def trickling(length: int = 100_000) -> bytes:
    return get("/slow", f"Content-Length: {length}", method="POST") + b"x"


async def reader(proxy: Proxy) -> RawClient:
    """A client that reads nothing until it is asked to."""
    client = await proxy.client()
    client.transport.pause_reading()
    return client


class Sipping:
    """A client that takes so many bytes at a time, and nothing between."""

    def __init__(self, proxy: Proxy, request: bytes, receive_buffer: int = 0) -> None:
        self.taken = 0
        self.ended = False
        self._proxy = proxy
        self._request = request
        self._socket = socket.socket(socket.AF_UNIX if isinstance(proxy.address, str) else socket.AF_INET)
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)

    async def __aenter__(self) -> Self:
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._proxy.address)
        await loop.sock_sendall(self._socket, self._request)
        await held_back(self._proxy)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def read_bytes(self, size: int) -> None:
        """Take bytes that have come."""
        wanted = self.taken + size
        while self.taken < wanted and not self.ended:
            try:
                got = await asyncio.get_running_loop().sock_recv(self._socket, wanted - self.taken)
            except ConnectionError:
                got = b""
            self.taken += len(got)
            self.ended = not got
        await breathe(3)


async def held_back(proxy: Proxy, clients: int = 1) -> None:
    """Wait until so many clients are behind, and nothing more is read for them."""
    await until(lambda: len(proxy.server.watched) == clients, "back-pressure")
    before = -1
    while before != proxy.server.buffers.held:
        before = proxy.server.buffers.held
        await breathe(20)
    proxy.server.sweep()


def slow_ones(proxy: Proxy, direction: str) -> int:
    return proxy.server.counted[SLOW_CLIENTS, (direction,)]


def large_or_small(request: Message) -> bytes:
    return SEVERAL_MB if request.target == "/large" else ok(b"small")


# ── attacks ──


async def test_posts_that_trickle_take_no_connection_and_nobody_else_fails(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(lambda request: ok(request.body)))
    proxy = await gateway.proxy(backend, backend, clock=Clock(), max_connections=4)
    slow = [await proxy.client() for _ in range(640)]
    for client in slow:
        client.send(trickling())
    others = await proxy.client()

    for second in range(12):
        for number in range(5):
            answer = await others.ask(post(b"%d" % number, target="/others"))
            assert (answer.status, answer.body) == (200, b"%d" % number), second
        proxy.turn(1.0)
        for client in slow:
            if not client.ended:
                client.send(b"x")
        await breathe()

    assert {(await client.answer()).status for client in slow} == {408}
    assert len(backend.wires) == 1
    assert slow_ones(proxy, "request") == 640
    assert proxy.server.buffers.held == 0
    assert [each for each in proxy.exchanges if any(attempt.failed for attempt in each.attempts)] == []


async def test_answers_that_nobody_reads_give_way_and_nobody_else_fails(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(large_or_small))
    proxy = await gateway.proxy(backend, backend, clock=Clock(), max_connections=8)
    for round_ in range(3):
        unread = [await reader(proxy) for _ in range(8)]
        for client in unread:
            client.send(get("/large"))
        await until(lambda: connections(proxy) == 8, "all connections in use")
        await held_back(proxy, 8)
        proxy.turn(1.1)

        answers = await asyncio.gather(*(proxy.ask(get("/small")) for _ in range(5)))

        assert [answer.body for answer in answers] == [b"small"] * 5, round_
        assert connections(proxy) <= 8
        for client in unread:
            client.transport.abort()
        await proxy.quiet()

    assert 3 <= slow_ones(proxy, "response") <= 15
    assert proxy.server.counted[POOL_WAITS, ("modern",)] == 15
    assert [each for each in proxy.exchanges if any(attempt.failed for attempt in each.attempts)] == []


@pytest.mark.parametrize(
    "slow",
    [
        get("/large"),
        get("/large", "Content-Length: 5", method="PUT") + b"again",
        get("/upload", "Content-Length: 5000000", method="POST") + b"x" * 100_000,
    ],
    ids=["unread", "unread-after-a-body", "unsent"],
)
async def test_before_anyone_may_be_ended_other_requests_have_connections(gateway: RunningProxy, slow: bytes) -> None:
    """The clock stands still: no client is slow yet, however many there are."""
    backend = await gateway.backend(large_or_hanging)
    proxy = await gateway.proxy(backend, backend, clock=Clock(), max_connections=64)
    crowd = [await reader(proxy) for _ in range(200)]
    for number, client in enumerate(crowd):
        client.send(slow)
        if number % 10 == 0:
            await breathe(2)
            assert (await proxy.ask(get("/small"))).body == b"small", number

    for _ in range(20):
        answers = await asyncio.gather(*(proxy.ask(get("/small")) for _ in range(5)))
        assert [answer.body for answer in answers] == [b"small"] * 5
    assert connections(proxy) <= 64
    assert slow_ones(proxy, "request") == slow_ones(proxy, "response") == 0
    assert [each.status for each in proxy.exchanges if each.fallback or each.status != 200] == []


async def test_a_crowd_that_waits_for_its_answers_has_every_connection_within_a_second(gateway: RunningProxy) -> None:
    """Nothing is kept from requests whose backend thinks: no client holds them up."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, max_connections=32)
    for client in [await proxy.client() for _ in range(40)]:
        client.send(get("/"))

    await until(lambda: len(backend.wires) == 32, "every connection")


async def test_kinds_of_requests_take_turns_while_connections_are_given_out_one_by_one(gateway: RunningProxy) -> None:
    """What a crowd is about is not known yet: its backend thinks, it may be slow, or there may just be many users."""
    backend = await gateway.backend(hanging_or_small)
    proxy = await gateway.proxy(backend, max_connections=64)
    for client in [await proxy.client() for _ in range(60)]:
        client.send(get("/hang"))
    await until(lambda: waiting(proxy) >= 24, "a crowd that waits")

    for method in ("GET", "POST"):
        asked = post(b"x", target="/small") if method == "POST" else get("/small")
        assert (await proxy.ask(asked, method)).body == b"small"
    assert connections(proxy) < 48
    assert waiting(proxy) > 12


def waiting(proxy: Proxy) -> int:
    return sum(len(pool.waiting) for pool in proxy.server.bound.pools.values())


async def hanging_or_small(wire: Wire) -> None:
    while b" /hang" not in await wire.head():
        wire.send(ok(b"small"))
    await wire.gone()


async def test_a_crowd_of_one_kind_has_every_connection_though_clients_hold_them_up(gateway: RunningProxy) -> None:
    """Slow readers alone: what is kept for others is given out, if slowly."""
    backend = await gateway.backend(large_or_hanging)
    proxy = await gateway.proxy(backend, max_connections=32)
    for client in [await reader(proxy) for _ in range(32)]:
        client.send(get("/large"))

    await until(lambda: len(backend.wires) == 32, "every connection")


async def test_others_have_a_few_connections_for_themselves_beside_a_crowd(gateway: RunningProxy) -> None:
    """The clock stands still, so none of the crowd may be ended for their requests; nor do they connect anew."""
    backend = await gateway.backend(large_or_hanging)
    proxy = await gateway.proxy(backend, clock=Clock(), max_connections=64)
    crowd = [await reader(proxy) for _ in range(100)]
    for client in crowd:
        client.send(get("/large"))
    others = await proxy.client()
    while busy(proxy) < 60:
        assert (await others.ask(get("/small"))).body == b"small"
        await asyncio.sleep(0.02)
    before = len(backend.wires)

    for _ in range(10):  # it is given one in a sixteenth of a second
        assert (await others.ask(get("/small"))).body == b"small"
        await asyncio.sleep(0.02)
        assert busy(proxy) <= 60

    assert waiting(proxy) > 0
    assert slow_ones(proxy, "response") == 0
    assert len(backend.wires) <= before + 1


def busy(proxy: Proxy) -> int:
    return sum(pool.in_use() for pool in proxy.server.bound.pools.values())


async def large_or_hanging(wire: Wire) -> None:
    while True:
        head = await wire.head()
        if b"POST /upload" in head:
            await wire.news(60)
        else:
            wire.send(SEVERAL_MB if b" /large" in head else ok(b"small"))


def connections(proxy: Proxy) -> int:
    return sum(pool.size() for pool in proxy.server.bound.pools.values())


async def test_a_connection_of_our_own_pool_is_waited_for_without_blame(gateway: RunningProxy) -> None:
    """Contract: never an error of a side; falls back where that is allowed, else 503."""
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(hang)
    proxy = await gateway.proxy(legacy, modern, clock=Clock(), max_connections=1, connect_timeout=1.0)
    first, second = await proxy.client(), await proxy.client()
    first.send(get("/1"))
    await (await modern.wire()).seen(b"/1")
    second.send(post(b"x"))
    await until(lambda: proxy.server.counted[POOL_WAITS, ("modern",)] == 1, "the wait")

    proxy.turn(1.3)

    assert (await second.answer()).body == b"legacy"
    record = await proxy.exchange()
    assert record.fallback == "busy"
    assert [(each.kind, each.failed) for each in record.attempts] == [("busy", False), ("", False)]


async def test_an_upload_in_the_middle_gives_way_with_a_408(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang, always(ok(b"quick")))
    proxy = await gateway.proxy(backend, clock=Clock(), max_connections=1)
    slow = await proxy.client()
    slow.send(get("/", "Content-Length: 200000", method="POST") + b"x" * 100_000)
    await (await backend.wire()).seen(b"x")
    proxy.server.sweep()
    proxy.turn(1.1)

    answer = await proxy.ask(get("/"))

    assert answer.body == b"quick"
    assert (await slow.answer()).status == 408


# ── what is slow for good reasons ──


async def test_a_request_that_waits_for_its_answer_never_gives_way(gateway: RunningProxy) -> None:
    """Long polling: the client has said everything."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), max_connections=1, connect_timeout=1.0, timeout=600.0)
    polling = await proxy.client()
    polling.send(post(b"anything new?"))
    wire = await backend.wire()
    await wire.request()
    proxy.turn(120.0)
    other = await proxy.client()
    other.send(get("/"))
    await breathe()
    proxy.turn(1.3)

    assert (await other.answer()).status == 503
    wire.send(ok(b"news"))
    assert (await polling.answer()).body == b"news"


async def test_a_phone_in_a_dead_spot_goes_on_where_it_was(gateway: RunningProxy) -> None:
    """A gap below `body_timeout`, and then the rest."""
    backend = await gateway.backend(always(lambda request: ok(b"%d" % len(request.body))))
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await proxy.client()
    client.send(get("/", "Content-Length: 30000", method="POST") + b"x" * 10_000)
    await breathe()
    for _ in range(28):
        proxy.turn(1.0)
    client.send(b"x" * 20_000)

    assert (await client.answer()).body == b"30000"


async def test_a_reader_in_a_dead_spot_gets_the_rest(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(large_or_small))
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await reader(proxy)
    client.send(get("/large"))
    await held_back(proxy)
    for _ in range(70):
        proxy.turn(1.0)
    client.transport.resume_reading()

    assert len((await client.answer()).body) == 8_000_000


async def test_a_log_shipper_may_fall_silent_between_its_heartbeats(gateway: RunningProxy) -> None:
    """A body without a length that went beyond the buffer is a stream: no rate is asked of it."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await proxy.client()
    client.send(get("/logs", "Transfer-Encoding: chunked", method="POST") + b"11000\r\n" + b"l" * 0x11000 + b"\r\n")
    wire = await backend.wire()
    await wire.seen(b"l\r\n")
    for number in range(200):
        proxy.turn(20.0)
        client.send(b"1\r\n%d\r\n" % (number % 10))
        await breathe(3)
    await wire.seen(b"1\r\n9\r\n")

    assert not client.received
    assert not client.ended


async def test_a_body_without_a_length_that_trickles_below_the_buffer_is_a_408(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
    for _ in range(12):
        client.send(b"1\r\nx\r\n")
        await breathe(3)
        proxy.turn(1.0)

    assert (await client.answer()).status == 408


async def test_events_may_be_read_as_they_come(gateway: RunningProxy) -> None:
    """Server-sent events: nothing waits for the client, whatever a rate would say."""
    lines = ("Content-Type: text/event-stream",)
    backend = await gateway.backend(on_head(chunks(lines=lines, end=b"")))
    proxy = await gateway.proxy(backend, clock=Clock(), max_connections=1, connect_timeout=1.0)
    client = await proxy.client()
    client.send(get("/events"))
    await client.until(b"\r\n\r\n")
    for number in range(20):
        proxy.turn(60.0)
        backend.wires[0].send(b"3\r\ne%d\n\r\n" % (number % 10))
        await client.until(b"e%d\n" % (number % 10))
    other = await proxy.client()
    other.send(get("/"))
    await breathe()
    proxy.turn(1.3)

    assert (await other.answer()).status == 503
    assert not client.ended


async def test_a_gigabyte_at_a_megabit_a_second_is_taken(gateway: RunningProxy) -> None:
    """8000 s for one upload, scaled by a thousand: 125 bytes for each millisecond of the same clock."""
    limits = Limits(min_rate=240_000, body_timeout=30.0)
    backend = await gateway.backend(always(lambda request: ok(b"%d" % len(request.body))))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=limits)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 1000000", method="POST"))
    for _ in range(40):
        proxy.turn(0.1)
        client.send(b"x" * 25_000)
        await breathe(2)

    assert (await client.answer()).body == b"1000000"


async def test_both_halves_of_a_conversation_go_on_slowly(gateway: RunningProxy) -> None:
    """A body without a length is sent on after a second, whatever there is of it."""

    async def echo(wire: Wire) -> None:
        await wire.head()
        wire.send(chunks(end=b""))
        while True:
            wire.send(await wire.until(b"\r\n") + await wire.until(b"\r\n"))

    backend = await gateway.backend(echo)
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
    await breathe()
    assert backend.wires == []
    proxy.turn(1.1)
    await client.until(b"\r\n\r\n")

    for number in range(5):
        proxy.turn(1.0)
        client.send(b"5\r\nping%d\r\n" % number)
        await client.until(b"5\r\nping%d\r\n" % number)


# ── readers ──


@pytest.mark.parametrize(("idle", "rate"), [(4.0, 200_000), (4.0, 60_000), (75.0, 10_000), (75.0, 3000)])
@pytest.mark.parametrize("listen", ["", "a Unix socket"])
async def test_a_reader_that_reads_slowly_gets_everything(
    gateway: RunningProxy, tmp_path: Path, listen: str, idle: float, rate: int
) -> None:
    """Bytes that the client's machine takes are progress, however full our own buffer stays; `rate` is of a second.

    The machine of a client that has always read slowly keeps its buffer small; here, where no time passes, it would let
    it grow to a megabyte, and say nothing of what is taken from that until a sixteenth of it is free.
    """
    backend = await gateway.backend(always(SEVERAL_MB))
    socket_ = str(tmp_path / "p.sock") if listen else ""
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=idle), listen=socket_)
    async with Sipping(proxy, get("/", "Connection: close"), receive_buffer=64 * 1024) as client:
        while not client.ended:
            await client.read_bytes(int(rate * idle / 2))
            proxy.turn(idle / 4)
            await breathe(3)
            proxy.turn(idle / 4)

        assert client.taken > 8_000_000


async def test_a_reader_that_trickles_is_cut(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(SEVERAL_MB))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(min_rate=1_000_000))
    async with Sipping(proxy, get("/")) as client:
        for _ in range(15):
            proxy.turn(1.0)
            await client.read_bytes(200_000)

        await until(lambda: not proxy.server.clients, "the client's end")
        assert client.taken < 4_000_000
    assert slow_ones(proxy, "response") == 1
    assert not (await proxy.exchange()).attempts[0].failed


@pytest.mark.parametrize("lines", [("X-Accel-Buffering: no",), ("Content-Type: text/event-stream",)])
async def test_a_stream_is_not_measured(gateway: RunningProxy, lines: tuple[str, ...]) -> None:
    backend = await gateway.backend(on_head(ok(b"x" * 8_000_000, *lines)))
    proxy = await gateway.proxy(backend, clock=Clock(), limits=Limits(min_rate=1_000_000))
    async with Sipping(proxy, get("/")) as client:
        for _ in range(15):
            proxy.turn(1.0)
            await client.read_bytes(200_000)

        assert client.taken == 3_000_000
    assert slow_ones(proxy, "response") == 0


# ── buffers ──


async def test_a_body_below_the_buffer_takes_a_connection_when_it_is_whole(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(lambda request: ok(request.body)))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST") + b"01234")
    await breathe()
    assert backend.wires == []

    assert (await client.ask(b"56789")).body == b"0123456789"


async def test_a_body_takes_a_connection_when_the_buffer_is_full(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, buffer=Buffer(request=1000))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 5000", method="POST") + b"x" * 1000)

    assert (await (await backend.wire()).seen(b"x" * 1000)) is None


async def test_above_the_total_nothing_more_is_collected(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, buffer=Buffer(total=2000))
    one, two = await proxy.client(), await proxy.client()
    one.send(get("/1", "Content-Length: 5000", method="POST") + b"x" * 1999)
    await breathe()
    assert backend.wires == []
    two.send(get("/2", "Content-Length: 5000", method="POST") + b"x" * 10)

    await (await backend.wire()).seen(b"x" * 10)


async def test_what_is_read_ahead_of_a_slow_client_is_bounded(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(SEVERAL_MB))
    proxy = await gateway.proxy(backend, buffer=Buffer(response=128 * 1024, total=1 << 20))
    clients = [await reader(proxy) for _ in range(12)]
    for client in clients:
        client.send(get("/"))
    await held_back(proxy, 12)

    assert proxy.server.buffers.held < 12 * 400_000
    for client in clients:
        client.transport.resume_reading()
    for client in clients:
        assert len((await client.answer()).body) == 8_000_000
    await proxy.quiet()
    assert proxy.server.buffers.held == 0


async def test_a_repeatable_body_counts_once_until_its_request_is_over(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, backend, routes=[snapshots.route(fallback=Fallback(max_body=1 << 20))])
    client = await proxy.client()
    client.send(post(b"x" * 1000))
    await (await backend.wire()).seen(b"x" * 1000)

    assert proxy.server.buffers.held == 1000
    client.close()
    await proxy.quiet()
    assert proxy.server.buffers.held == 0


# ── one address ──


async def test_an_address_has_so_many_connections_and_no_more(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(per_peer=2))
    one, two, three = [await proxy.client() for _ in range(3)]
    await one.ask(get("/"))
    await two.ask(get("/"))

    answer = await three.answer()
    assert (answer.status, answer.closes) == (429, True)
    one.close()
    await until(lambda: proxy.server.peers == {"127.0.0.1": 1}, "a place")
    assert (await proxy.ask(get("/"))).status == 200


@pytest.mark.parametrize(
    "settings", [{"limits": Limits()}, {"limits": Limits(per_peer=1), "trusted": ["127.0.0.1/32"]}]
)
async def test_without_a_limit_or_with_trust_nothing_is_counted(
    gateway: RunningProxy, settings: dict[str, Any]
) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, **settings)

    for _ in range(3):
        assert (await (await proxy.client()).ask(get("/"))).status == 200
    assert proxy.server.peers == {}


# ── the figures ──


def test_a_rate_is_judged_when_bytes_move_and_after_a_grace():
    progress = Progress("a request", 0.0)
    progress.note(1, 9.0, waited_for=True)
    early = progress.is_too_slow(240)
    progress.note(2, 11.0, waited_for=True)
    late = progress.is_too_slow(240)
    progress.note(2, 12.0, waited_for=True)

    assert (early, late, progress.is_too_slow(240)) == (False, True, False)


def test_time_in_which_nothing_waited_for_the_client_is_not_its_own():
    progress = Progress("a request", 0.0)
    for second in range(1, 100):
        progress.note(0, float(second), waited_for=False)
    progress.note(1, 100.0, waited_for=True)

    assert progress.ready == 1.0
    assert not progress.is_too_slow(240)


def test_what_moved_lately_is_that_of_five_seconds():
    progress = Progress("a request", 0.0)
    for second in range(1, 21):
        progress.note(1000 * second if second <= 10 else 10_000, float(second), waited_for=True)

    assert progress.lately() == 0
    assert progress.may_give_way(20.0, 240)


def test_the_less_is_left_the_less_each_may_have():
    budget = BufferBudget(Buffer(response=256 * 1024, total=64 << 20))
    full = budget.allowance()
    budget.held = 20 << 20

    assert full == 256 * 1024
    assert 80 * 1024 < budget.allowance() < 100 * 1024
    assert budget.has_room()
