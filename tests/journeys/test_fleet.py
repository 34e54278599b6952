"""Three instances on one Redis: an action on one is in effect on all within a second, and survives the Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from rules.routing.bucketing import bucket
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.redis_server import PASSWORD, RedisServer, redis_running
from tests.support.running import Running, config
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = 3
WITHIN = 1.0
"""Seconds after which all users of all instances are on legacy."""
THIN = """\
  - name: thin
    match: {path: /api/thin, methods: [GET]}
    rollout: {weight: 1}
    modern: {backend: modern}
    guard: {min_requests: 20, p95: 1m, worse_than_legacy: {errors: 1%, p95: 1000, p95_floor: 1m}}
"""
"""A share of 1 %, under a guard that no slowness of the test machine convinces."""
TWIN = """\
  - name: twin
    match: {path: /api/twin, methods: [GET]}
    modern: {backend: modern}
    shadow: {sample: 100%, timeout: 1m, recheck: {after: 10ms}}
"""
"""A mirror of two sides that never answer the same."""
EACH = 12
"""Of its users on each instance: fewer than any of them could judge by."""
ON_MODERN = [user for user in map(str, range(20_000)) if bucket("thin", user) < 0.01]


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

    async def routes(self, name: str = "profile") -> list[dict[str, Any]]:
        return [await proxy.json(f"/api/v1/routes/{name}") for proxy in self.proxies]

    async def until_agreed(self, stage: str, name: str = "profile") -> list[dict[str, Any]]:
        """Wait until every instance knows the same of the route, which is in this stage."""
        async with asyncio.timeout(PATIENCE):
            while True:
                routes = await self.routes(name)
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


def half_broken(name: bytes) -> Callable[[Message], bytes]:
    """Modern as it should be, but on the thin route, where every other answer is an error."""
    asked = 0

    def answer(request: Message) -> bytes:
        nonlocal asked
        if "/api/thin" not in request.start:
            return ok(name)
        asked += 1
        return ok(b"broken", status="500 Internal Server Error") if asked % 2 else ok(name)

    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trio]:
    async with AsyncExitStack() as around:
        server = await around.enter_async_context(redis_running(tmp_path_factory.mktemp("redis")))
        sides = []
        for name in (b"legacy", b"modern"):
            backend = Backend(always(half_broken(name) if name == b"modern" else ok(name)))
            await backend.start()
            around.push_async_callback(backend.stop)
            sides.append(backend.url)
        text = config(*sides, weight=100).replace("store: memory", f'store: "{server.url}"') + THIN + TWIN
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


async def test_a_fault_that_each_sees_too_little_of_is_rolled_back_on_all_of_them(trio: Trio):
    users = iter(ON_MODERN)
    before = [await proxy.json("/api/v1/routes/thin") for proxy in trio.proxies]
    for _ in range(EACH):
        for proxy in trio.proxies:
            await proxy.get("/api/thin", f"Cookie: uid={next(users)}")
            await proxy.get("/api/thin", "Cookie: uid=1")

    routes = await trio.until_agreed("rolled_back", "thin")

    evidence = [route["rolled_back"]["evidence"] for route in routes]
    asked = [route["totals"]["modern"]["requests"] for route in routes]
    print(f"{asked} requests on modern, judged by {evidence[0]['instances']} instances: {evidence[0]['detail']}")
    assert {route["stage"] for route in before} == {"canary"}
    assert bucket("thin", "1") > 0.01
    assert max(asked) <= EACH
    assert {route["rolled_back"]["reason"] for route in routes} <= {"errors", "worse_errors"}
    assert {each["instances"] > 1 for each in evidence} == {True}


async def test_a_difference_that_one_instance_met_is_in_the_list_of_all(trio: Trio):
    async with asyncio.timeout(2 * PATIENCE):
        while True:
            found = [(await proxy.json("/api/v1/diffs?route=twin"))["items"] for proxy in trio.proxies]
            if all(found):
                break
            if not found[0]:  # an overloaded worker makes no copies
                await trio.proxies[0].get("/api/twin")
            await asyncio.sleep(0.2)

    told = [[(item["here"] > 0, len(item["examples"]) > 0) for item in items] for items in found]
    assert told == [[(True, True)], [(False, False)], [(False, False)]]
    assert len({item["id"] for items in found for item in items}) == 1
    assert min(item["count"] for items in found for item in items) > 0


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
    thin = await trio.until_agreed("rolled_back", "thin")

    print(f"{asked} requests while Redis was killed, started again; all agreed after {agreed * 1000:.0f} ms")
    assert (refused.status, lowered.status, refused_again.status) == (200, 200, 503)
    assert (back.status, cut_off[0]) == (200, b"legacy")
    assert statuses == {200}
    assert {route["rolled_back"]["text"] for route in routes} == {"while cut off"}
    assert late.status == 200
    assert {route["rolled_back"]["who"] for route in thin} == {"guard"}
