"""Three instances on one Redis: what happens on one is everywhere within a second, and survives the Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.redis_server import PASSWORD, RedisServer, redis_running
from tests.support.running import Running, config
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = 3
WITHIN = 1.0
"""Seconds after which everyone everywhere is on legacy."""


class Trio:
    """Three instances of one deployment between the same two sides."""

    def __init__(self, server: RedisServer, proxies: list[Running]) -> None:
        self.server = server
        self.proxies = proxies

    async def does(self, number: int, verb: str, **body: Any) -> Message:
        return await self.proxies[number].admin(f"/api/v1/routes/profile/{verb}", method="POST", body=body)

    async def sides(self) -> list[bytes]:
        """Who answers the same user on each instance."""
        return [(await proxy.get("/api/me", "Cookie: uid=42")).body for proxy in self.proxies]

    async def routes(self) -> list[dict[str, Any]]:
        return [await proxy.json("/api/v1/routes/profile") for proxy in self.proxies]

    async def until_agreed(self, stage: str) -> list[dict[str, Any]]:
        """Wait until every instance knows the same of the route, which is in this stage."""
        async with asyncio.timeout(PATIENCE):
            while True:
                routes = await self.routes()
                if {route["stage"] for route in routes} == {stage} and len(
                    {route["revision"] for route in routes}
                ) == 1:
                    return routes
                await asyncio.sleep(0.01)

    async def until_sides(self, side: bytes, seconds: float = PATIENCE) -> float:
        """Wait until every instance answers with `side`; how long that took."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while set(await self.sides()) != {side}:  # noqa: ASYNC110 - what changes is behind a socket
                await asyncio.sleep(0.01)
        return time.monotonic() - began


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trio]:
    async with AsyncExitStack() as around:
        server = await around.enter_async_context(redis_running(tmp_path_factory.mktemp("redis")))
        sides = []
        for name in (b"legacy", b"modern"):
            backend = Backend(always(ok(name)))
            await backend.start()
            around.push_async_callback(backend.stop)
            sides.append(backend.url)
        text = config(*sides, weight=100).replace("store: memory", f'store: "{server.url}"')
        proxies = [
            Running(tmp_path_factory.mktemp(f"instance{number}"), text, STRANGLER_REDIS_PASSWORD=PASSWORD)
            for number in range(SIZE)
        ]
        # all at once: starting is most of what this costs
        for proxy in proxies:
            await proxy.start()
            around.push_async_callback(proxy.end)
        await asyncio.gather(*(proxy.until_ready() for proxy in proxies))
        yield Trio(server, proxies)


async def test_every_instance_knows_all_of_them_and_one_leads(trio: Trio):
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [(await proxy.json("/api/v1/status"))["instances"] for proxy in trio.proxies]
            if all(len(each) == SIZE for each in found):
                break
            await asyncio.sleep(0.05)

    assert all(sum(instance["leads"] for instance in each) == 1 for each in found)
    assert {tuple(instance["flags"]) for each in found for instance in each} == {()}
    assert len({instance["name"] for each in found for instance in each}) == SIZE
    page = (await trio.proxies[0].admin("/instances")).body.decode()
    assert all(each["name"] in page for each in found[0])


async def test_a_rollback_on_one_is_on_all_within_a_second_and_so_is_its_end(trio: Trio):
    before = set(await trio.sides())
    back, forth = [], []
    for _ in range(3):  # the machine may stand still during one of them
        began = time.monotonic()
        assert (await trio.does(0, "rollback", reason="it looked wrong")).status == 200
        await trio.until_sides(b"legacy")
        back.append(time.monotonic() - began)
        routes = await trio.routes()
        assert (await trio.does(1, "resume", reason="mended")).status == 200
        forth.append(await trio.until_sides(b"modern"))

    print(f"rollback everywhere after {min(back) * 1000:.0f} ms, resume after {min(forth) * 1000:.0f} ms")
    assert before == {b"modern"}
    assert min(back) < WITHIN
    assert {route["rolled_back"]["text"] for route in routes} == {"it looked wrong"}
    assert len({route["revision"] for route in routes}) == 1


async def test_a_redis_that_dies_and_comes_back_empty_costs_no_answer_and_undoes_no_rollback(trio: Trio):
    asked, over = 0, False

    async def users() -> set[int]:
        nonlocal asked
        statuses = set()
        while not over:
            for proxy in trio.proxies:
                statuses.add((await proxy.get("/api/me", f"Cookie: uid={asked}")).status)
                asked += 1
            await asyncio.sleep(0.01)
        return statuses

    busy = asyncio.create_task(users())
    trio.server.kill()
    refused = await trio.does(1, "weight", weight=100)
    lowered = await trio.does(1, "weight", weight=50)
    refused_again = await trio.does(1, "weight", weight=60)
    back = await trio.does(0, "rollback", reason="while cut off")
    cut_off = await trio.sides()
    await trio.server.start()
    began = time.monotonic()
    routes = await trio.until_agreed("rolled_back")
    agreed = time.monotonic() - began
    over = True
    statuses = await busy
    late = await trio.does(2, "resume", reason="mended")
    await trio.until_sides(b"modern")

    print(f"{asked} requests while Redis was killed, started again; all agreed after {agreed * 1000:.0f} ms")
    assert (refused.status, lowered.status, refused_again.status) == (200, 200, 503)
    assert (back.status, cut_off[0]) == (200, b"legacy")
    assert statuses == {200}
    assert {route["rolled_back"]["text"] for route in routes} == {"while cut off"}
    assert late.status == 200
