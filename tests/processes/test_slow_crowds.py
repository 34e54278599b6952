"""Hundreds of slow clients beside fifty requests a second: what the others, the guard and the memory notice of them."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proxy.telemetry.events import TRIPPED
from tests.support import large_answers, raw
from tests.support.raw import get
from tests.support.running import Running, config

CROWD = 640
COMES_WITHIN = 0.5
SECONDS = 2.5
PAUSE = 0.02
TURN = 0.02
TURNS = 50
"""Of a second, in each of which some of those that trickle send their byte."""
FLOOR = 0.8
"""Seconds of waiting that a busy machine may explain; a second is what stands between a crowd and its end."""
ARRIVED = 1.0
"""Seconds after which the crowd is there: taking up 640 requests at once is work of its own."""
STANDING_FLOOR = 0.1
TOTAL = 64 << 20
"""`listen.buffer.total`, unless configured otherwise."""
ROUTES = """routes:
  - name: files
    match: {path: /large}
    rollout: {weight: 50, by: request}
    modern: {backend: modern}
  - name: uploads
    match: {path: /upload}
    rollout: {weight: 50, by: request}
    modern: {backend: modern}
"""
UNREAD = get("/large")
TRICKLING = get("/upload", "Content-Length: 100000", method="POST")
CROWDS = {"trickling": TRICKLING, "stalled": TRICKLING + b"x" * 80_000, "unread": UNREAD}


@dataclass
class Asked:
    """What users of one instance saw."""

    took: list[tuple[float, float]] = field(default_factory=list)
    """When each request began, after the first one; how long it took."""
    other: list[object] = field(default_factory=list)

    def p99(self, since: float = 0.0) -> float:
        took = sorted(seconds for begun, seconds in self.took if begun >= since)
        return took[int(len(took) * 0.99)]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Running, Running]]:
    """The instance that is attacked, and one beside it on the same machine that is not."""
    async with AsyncExitStack() as around:
        proxies = []
        for name in ("attacked", "quiet"):
            url = await around.enter_async_context(large_answers.started())
            (tmp_path / name).mkdir()
            text = (
                config(url, url, weight=50)
                .replace("routes:\n", ROUTES)
                .replace("weight: 50}", "weight: 50, by: request}")
            )
            proxies.append(Running(tmp_path / name, text))
        await asyncio.gather(*(around.enter_async_context(proxy) for proxy in proxies))
        yield proxies[0], proxies[1]


async def test_a_crowd_of_slow_clients_is_the_burden_of_its_own_requests(pair: tuple[Running, Running]) -> None:
    """Slow clients: nobody else fails or waits, nothing is rolled back, memory stays within `buffer.total`."""
    attacked, quiet = pair
    await asyncio.gather(_users(attacked, 1.0), _users(quiet, 1.0))
    (worker,) = attacked.pids("worker")
    before = _resident(worker)

    for name, request in CROWDS.items():
        crowd = _Crowd(attacked)
        async with crowd:
            beside, seen, _ = await asyncio.gather(
                _users(quiet, SECONDS), _users(attacked, SECONDS), crowd.come(request, worker)
            )
        for what, since in (("with its arrival", 0.0), ("once it is there", ARRIVED)):
            print(f"{name}, {what}: p99 {seen.p99(since):.3f} s beside {beside.p99(since):.3f} s")
        print(f"{name}: {(crowd.most - before) >> 20} MiB more")
        assert seen.other == [], name
        assert seen.p99() <= max(2 * beside.p99(), FLOOR), name
        assert seen.p99(ARRIVED) <= max(2 * beside.p99(ARRIVED), STANDING_FLOOR), name
        assert crowd.most - before <= TOTAL, name
        await _users(attacked, 0.5)  # until the last of them is gone

    assert [each for each in attacked.events if each["event"] == TRIPPED or each.get("what") == "rollback"] == []


class _Crowd:
    """Slow clients, all within half a second; `most` is what the worker held at any time since."""

    def __init__(self, proxy: Running) -> None:
        host, _, port = proxy.users.removeprefix("http://").rpartition(":")
        self._address = (host, int(port))
        self._sockets: list[socket.socket] = []
        self.most = 0

    async def __aenter__(self) -> None:
        for _ in range(CROWD):
            each = socket.socket()
            each.setblocking(False)
            self._sockets.append(each)
            await asyncio.get_running_loop().sock_connect(each, self._address)

    async def __aexit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()

    async def come(self, request: bytes, worker: int) -> None:
        for number, each in enumerate(self._sockets):
            if number % 16 == 0:
                await asyncio.sleep(COMES_WITHIN * 16 / CROWD)
            _send(each, request)
        for turn in range(int((SECONDS - COMES_WITHIN) / TURN)):
            await asyncio.sleep(TURN)
            self.most = max(self.most, _resident(worker))
            for each in self._sockets[turn % TURNS :: TURNS] if request is TRICKLING else ():
                _send(each, b"x")


def _send(each: socket.socket, data: bytes) -> None:
    try:
        each.send(data)
    except OSError:
        return  # it was ended, or does not take more: both is its own business


async def _users(proxy: Running, seconds: float) -> Asked:
    """Fifty requests a second, each on its own connection, whenever the answers come."""
    seen, asking = Asked(), []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        asking.append(asyncio.create_task(_user(proxy, seen, seconds - (until - time.perf_counter()))))
        await asyncio.sleep(PAUSE)
    await asyncio.gather(*asking)
    return seen


async def _user(proxy: Running, seen: Asked, begun: float) -> None:
    host, _, port = proxy.users.removeprefix("http://").rpartition(":")
    begin = time.perf_counter()
    client = await raw.connect((host, int(port)))
    try:
        answer = await client.ask(get("/api/me"))
        if answer.status != 200:
            seen.other.append(answer)
    finally:
        seen.took.append((begun, time.perf_counter() - begin))
        client.close()


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
