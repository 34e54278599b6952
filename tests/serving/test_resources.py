"""Nothing grows, nobody starves (requirements 15, 17; P2: no query of death)."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from proxy.http1 import fields, parse
from rules.model import Limits
from tests.support.backend import Backend, Wire, always, chunks, hang, ok
from tests.support.line import Ended
from tests.support.proxying import House, Proxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until
from tests.support.wired import Wired, single_bytes

REQUESTS = int(os.environ.get("STRANGLER_TEST_REQUESTS", "20000"))
"""How many requests the long-run test sends; 200000 for the promise in full."""
IDLE = 2000


def memory() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# ── a long run ──


async def moody(wire: Wire) -> None:
    """A backend that answers each request as its path says."""
    while True:
        request = await wire.request()
        mood = request.target[1:]
        if mood == "close":
            wire.send(ok(b"x", "Connection: close"))
            wire.close()
            return
        if mood == "cut":
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            wire.close()
            return
        if mood == "reset":
            wire.reset()
            return
        wire.send({"garbage": b"what?\r\n\r\n", "chunks": chunks(b"a", b"b"), "error": ok(b"", status="500 x")}.get(mood, ok(request.body)))


MOODS: list[Callable[[], bytes]] = [
    lambda: get("/ok"),
    lambda: get("/chunks"),
    lambda: post(b"x" * 500, target="/echo"),
    lambda: get("/chunked", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n",
    lambda: get("/error"),
    lambda: get("/close"),
    lambda: get("/cut"),
    lambda: get("/reset"),
    lambda: get("/garbage"),
    lambda: b"NONSENSE\r\n\r\n",
    lambda: get("/ok", "X A: 1"),
    lambda: get("/ok", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
    lambda: get("/ok", f"X-Unique-{Random().randrange(1 << 40)}: 1", host=f"h{Random().randrange(1 << 40)}"),
]
WEIGHTS = [60, 10, 10, 5, 3, 2, 2, 2, 2, 1, 1, 1, 3]


async def user(proxy: Proxy, requests: int, seed: int) -> None:
    """Asks one thing after the other, leaves in the middle now and then."""
    random = Random(seed)
    client = await proxy.client()
    for data in (mood() for mood in random.choices(MOODS, WEIGHTS, k=requests)):
        if client.ended:
            proxy.house.clients.remove(client)
            client.transport.abort()
            client = await proxy.client()
        client.send(data)
        if random.random() < 0.01:
            client.reset()
            continue
        try:
            answer = await client.answer()
        except Ended:
            client.ended = client.ended or "eof"
            continue
        if answer.closes:
            client.close()
        client.received.clear()
        client.taken = 0
    client.close()


async def settled(proxy: Proxy) -> None:
    await until(lambda: not proxy.server.clients, "every client's end")
    await breathe(50)
    for wire in [wire for backend in proxy.house.backends for wire in backend.wires if wire.ended]:
        wire.transport.abort()
    for backend in proxy.house.backends:
        forget(backend)
    proxy.exchanges.clear()
    proxy.house.clients.clear()
    await breathe(50)


def forget(backend: Backend) -> None:
    """A test's own memory must not pass for a leak."""
    backend.wires[:] = [wire for wire in backend.wires if not wire.ended]
    for wire in backend.wires:
        wire.requests.clear()
        del wire.received[: wire.taken]
        wire.taken = 0
    backend._tasks[:] = [task for task in backend._tasks if not task.done()]


async def test_nothing_grows_over_many_mixed_requests(house: House) -> None:
    """Requirement 17: memory, tasks and descriptors are back at the start, failed requests included."""
    backend = await house.backend(moody)
    proxy = await house.proxy(backend)

    async def crowd(requests: int) -> None:
        for part in range(10):
            await asyncio.gather(*(user(proxy, requests // 200, part * 20 + number) for number in range(20)))
            await settled(proxy)

    await crowd(max(2000, REQUESTS // 5))
    tasks, open_files, before = len(asyncio.all_tasks()), descriptors(), memory()
    await crowd(REQUESTS)

    assert proxy.server.in_flight == {"legacy": 0, "modern": 0}
    assert len(asyncio.all_tasks()) <= tasks + 5
    assert descriptors() <= open_files + 10
    assert memory() - before < 8_000_000
    assert len(proxy.server._tasks) == 0
    stats = proxy.server.stats()
    assert (stats["connections_client"], stats["connections_upstream_active"]) == (0, 0)


async def test_two_thousand_idle_connections_cost_little_and_disturb_nobody(house: House) -> None:
    """Issue: 2000 idle connections; both ends and their test live in this process, so the cost is an upper bound."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)
    healthy = await proxy.client()
    await healthy.ask(get("/"))
    open_files, before = descriptors(), memory()
    idle = []
    for _ in range(IDLE // 100):
        idle += [await proxy.client() for _ in range(100)]
    await until(lambda: len(proxy.server.clients) == IDLE + 1)
    for client in idle[::2]:
        client.send(get("/"))
    await until(lambda: len(backend.requests) == IDLE // 2 + 1, seconds=20)

    took = await answer_times(healthy, 50)
    grown = memory() - before

    assert grown / IDLE < 30_000
    assert sorted(took)[45] < 0.25
    for client in idle:
        client.transport.abort()
    await until(lambda: len(proxy.server.clients) == 1)
    await until(lambda: descriptors() <= open_files + backend_connections(backend) * 2 + 5, "descriptors given back")


async def test_connections_that_come_and_go_leave_nothing(house: House) -> None:
    """Issue: churn, with every way to leave."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)

    async def churn(rounds: int) -> None:
        for number in range(rounds):
            client = await proxy.client()
            way = number % 5
            if way == 1:
                client.send(b"GET /")
            elif way == 2:
                await client.ask(get("/"))
            elif way == 3:
                client.send(get("/"))
            elif way == 4:
                client.reset()
                continue
            client.close()
        await settled(proxy)

    await churn(200)
    open_files, before = descriptors(), memory()
    await churn(2000)

    assert descriptors() <= open_files + 5
    assert memory() - before < 4_000_000


def test_a_flood_of_invented_names_does_not_grow_what_is_remembered() -> None:
    """Requirement 17: tables of known spellings are bounded."""
    for number in range(20_000):
        parse.request_head(f"GET / HTTP/1.1\r\nHost: h{number}\r\nX-{number}: {number}".encode())
        parse.response_head(f"HTTP/1.1 200 Reason {number}\r\nX-{number}: {number}".encode())

    for table in (fields.request_kinds, fields.response_kinds, fields.request_lines, fields.response_lines, fields._hosts, parse._status_lines):
        assert len(table) <= 5000


# ── nobody starves ──


async def answer_times(client: object, times: int) -> list[float]:
    """Seconds each of some requests takes."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = await client.ask(get("/healthy"))  # type: ignore[attr-defined]
        took.append(time.perf_counter() - begin)
        assert answer.status == 200
    return took


async def slowloris(proxy: Proxy) -> None:
    """Many heads that come letter by letter."""
    clients = [await proxy.client() for _ in range(100)]
    for at in range(10_000):
        for client in clients:
            client.send(b"X" if at else b"GET / HTTP/1.1\r\nX")
        await asyncio.sleep(0.002)


async def tiny_chunks(proxy: Proxy) -> None:
    """Bodies in chunks of one byte, as fast as they are taken."""
    clients = [await proxy.client() for _ in range(4)]
    for client in clients:
        client.send(get("/hang", "Transfer-Encoding: chunked", method="POST"))
    while True:
        for client in clients:
            if not client.full:
                client.send(b"1\r\nx\r\n" * 5000)
        await asyncio.sleep(0)


async def endless_heads(proxy: Proxy) -> None:
    """Heads that never end, over and over."""
    while True:
        client = await proxy.client()
        client.send(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000)
        await client.gone()
        proxy.house.clients.remove(client)
        client.transport.abort()


async def pipelined_flood(proxy: Proxy) -> None:
    """Requests ahead of their answers, answers unread."""
    client = await proxy.client()
    client.transport.pause_reading()
    while True:
        if not client.full:
            client.send(get("/healthy") * 500)
        await asyncio.sleep(0)


async def malformed_flood(proxy: Proxy) -> None:
    """Refusals as fast as they can be had."""
    while True:
        client = await proxy.client()
        client.send(b"\x00\x01\x02\r\n\r\n")
        await client.gone()
        proxy.house.clients.remove(client)
        client.transport.abort()


@pytest.mark.parametrize("attack", [slowloris, tiny_chunks, endless_heads, pipelined_flood, malformed_flood])
async def test_healthy_users_are_served_during_an_attack(house: House, attack: Callable[[Proxy], Awaitable[None]]) -> None:
    """Requirement 15: attacker, proxy, backend and user share one core here, and still nobody waits long."""

    async def script(wire: Wire) -> None:
        while True:
            head = await wire.head()
            if b"/hang" in head:
                while not wire.ended:
                    await wire.news(60)
                    wire.received.clear()
                    wire.taken = 0
            wire.send(ok())

    backend = await house.backend(script)
    proxy = await house.proxy(backend, limits=Limits(header_timeout=5.0))
    healthy = await proxy.client()
    await healthy.ask(get("/healthy"))
    task = asyncio.create_task(attack(proxy))  # type: ignore[arg-type]
    await asyncio.sleep(0.2)
    before = memory()

    took = await answer_times(healthy, 60)

    grown = memory() - before
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sorted(took)[54] < 0.25
    assert grown < 20_000_000


# ── what one byte may cost ──


def seconds_for(pieces: list[bytes]) -> float:
    wired = Wired(Limits(header_bytes=64 * 1024))
    begin = time.process_time()
    wired.send(*pieces)
    return time.process_time() - begin


async def test_a_head_in_single_bytes_costs_no_more_than_its_bytes() -> None:
    """P2: no query of death; twice the bytes, about twice the work."""
    small, large = (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: " + b"x" * size + b"\r\n" for size in (2000, 8000)
    )
    cost = [min(seconds_for(single_bytes(data)) for _ in range(2)) for data in (small, large)]

    assert cost[1] < cost[0] * 8
    assert cost[1] < 0.4


async def test_an_answers_head_in_single_bytes_costs_no_more_than_its_bytes() -> None:
    """P1: an untrusted upstream, too."""
    cost = []
    for size in (2000, 8000):
        wired = Wired()
        wired.send(get("/"))
        pieces = single_bytes(b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * size + b"\r\n")
        begin = time.process_time()
        wired.answer(*pieces)
        cost.append(time.process_time() - begin)

    assert cost[1] < cost[0] * 8
    assert cost[1] < 0.4


def backend_connections(backend: Backend) -> int:
    return len([wire for wire in backend.wires if not wire.ended])


async def test_a_hanging_backend_holds_no_more_than_its_own_users(house: House) -> None:
    """One slow backend does not slow another."""
    slow, fast = await house.backend(hang), await house.backend(always(ok(b"fast")))
    stuck = await house.proxy(slow, fast)
    legacy = [await stuck.client() for _ in range(50)]
    for client in legacy:
        client.send(get("/"))
    await breathe()

    answer = await stuck.ask(get("/"))

    assert answer.body == b"fast"
