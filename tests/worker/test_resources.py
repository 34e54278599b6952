"""Nothing grows (requirement 17)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from random import Random

from proxy import http1
from proxy.http1 import fields, request, request_line, response
from tests.support.backend import Backend, Wire, always, chunks, ok
from tests.support.line import Ended
from tests.support.measuring import answer_times, descriptors, memory
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until

REQUESTS = int(os.environ.get("STRANGLER_TEST_REQUESTS", "10000"))
"""How many requests the long-run test sends; 200000 for the promise in full."""
IDLE = 2000


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
        wire.send(
            {"garbage": b"what?\r\n\r\n", "chunks": chunks(b"a", b"b"), "error": ok(b"", status="500 x")}.get(
                mood, ok(request.body)
            )
        )


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
            proxy.gateway.clients.remove(client)
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
    for wire in [wire for backend in proxy.gateway.backends for wire in backend.wires if wire.ended]:
        wire.transport.abort()
    for backend in proxy.gateway.backends:
        forget(backend)
    proxy.exchanges.clear()
    proxy.gateway.clients.clear()
    await breathe(50)


def forget(backend: Backend) -> None:
    """A test's own memory must not pass for a leak."""
    backend.wires[:] = [wire for wire in backend.wires if not wire.ended]
    for wire in backend.wires:
        wire.requests.clear()
        del wire.received[: wire.taken]
        wire.taken = 0
    backend._tasks[:] = [task for task in backend._tasks if not task.done()]


async def test_nothing_grows_over_many_mixed_requests(gateway: RunningProxy) -> None:
    """Requirement 17: memory, tasks and descriptors are back at the start, failed requests included."""
    backend = await gateway.backend(moody)
    proxy = await gateway.proxy(backend)

    async def crowd(requests: int) -> None:
        for part in range(requests // 2000):
            await asyncio.gather(*(user(proxy, 100, part * 20 + number) for number in range(20)))
            await settled(proxy)

    await crowd(6000)
    tasks, open_files, before = len(asyncio.all_tasks()), descriptors(), memory()
    await crowd(REQUESTS)

    assert proxy.server.in_flight == {"legacy": 0, "modern": 0}
    assert len(asyncio.all_tasks()) <= tasks + 5
    assert descriptors() <= open_files + 10
    assert memory() - before < 5_000_000
    assert len(proxy.server._tasks._running) == 0
    stats = proxy.server.stats()
    assert (stats["connections_client"], stats["connections_upstream_active"]) == (0, 0)


async def test_two_thousand_idle_connections_cost_little_and_disturb_nobody(gateway: RunningProxy) -> None:
    """Requirement 17; both ends and their test live in this process, so the cost is an upper bound."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    healthy = await proxy.client()
    await healthy.ask(get("/"))
    open_files, before = descriptors(), memory()
    idle = []
    for _ in range(IDLE // 100):
        idle += [await proxy.client() for _ in range(100)]
    await until(lambda: len(proxy.server.clients) == IDLE + 1)
    for start in range(0, IDLE, 100):
        half = idle[start : start + 50]
        for client in half:
            client.send(get("/"))
        for client in half:
            assert (await client.answer()).status == 200

    took = await answer_times(healthy, 50)
    grown = memory() - before

    assert grown / IDLE < 30_000
    assert sorted(took)[45] < 0.5
    for client in idle:
        client.transport.abort()
    await until(lambda: len(proxy.server.clients) == 1)
    await until(lambda: descriptors() <= open_files + len(backend.wires) * 2 + 5, "descriptors given back")


async def test_connections_that_come_and_go_leave_nothing(gateway: RunningProxy) -> None:
    """Requirement 17: churn, with every way to leave."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

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
        http1.request_head(f"GET / HTTP/1.1\r\nHost: h{number}\r\nX-{number}: {number}".encode())
        http1.response_head(f"HTTP/1.1 200 Reason {number}\r\nX-{number}: {number}".encode())

    for table in (
        fields.request_kinds,
        fields.response_kinds,
        fields.request_lines,
        fields.response_lines,
        fields._hosts,
        response._status_lines,
        response.seen,
        request.seen,
        request_line.request_lines,
    ):
        assert len(table) <= 5000
