"""Whatever the file says, a rollback, a hold, a weight are effective for every user within a second.

Shown by requests, to both workers, of one proxy that goes through every broken value; then with a worker killed in
between, with control killed in between, with two instances on one Redis.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.support.backend import Backend, always, ok
from tests.support.broken_values import BROKEN, Broken, material, sound
from tests.support.messages import Message
from tests.support.redis_server import PASSWORD, redis_running
from tests.support.running import Running, running
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN = 1.0
"""Seconds after which every user meets what was set."""
BACK = {"reason": "it looked wrong"}


class Braked:
    """One proxy with two workers between two sides, and the sound text of its file."""

    def __init__(self, proxy: Running, text: str) -> None:
        self.proxy = proxy
        self.text = text

    async def does(self, verb: str, **body: Any) -> Message:
        return await self.proxy.admin(f"/api/v1/routes/profile/{verb}", method="POST", body=body)

    async def sides(self) -> set[bytes]:
        """Who answers users over connections of their own: both workers are among those who accept them."""
        answers = await asyncio.gather(*(self.proxy.get("/api/me", f"Cookie: uid={user}") for user in range(12)))
        return {answer.body for answer in answers}

    async def until(self, side: bytes) -> float:
        """Send requests until `side` alone responds; return after how long."""
        began = asked = time.monotonic()
        while await self.sides() != {side}:
            asked = time.monotonic()
            assert asked - began < PATIENCE
        return asked - began

    async def refuses(self, broken: Broken) -> Message:
        self.proxy.file.write_text(broken.text(self.text))
        return await self.proxy.reload()

    async def brakes(self) -> list[tuple[str, int, set[bytes]]]:
        """Roll back, resume, set weights, hold: what the API said, whom users met right after."""
        found = []
        for verb, body in (
            ("rollback", BACK),
            ("resume", BACK),
            ("weight", {"weight": 0}),
            ("weight", {"weight": 100}),
            ("hold", {}),
            ("resume", BACK),
        ):
            answer = await self.does(verb, **body)
            found.append((verb, answer.status, await self.sides()))
        return found


BRAKED = [
    ("rollback", 200, {b"legacy"}),
    ("resume", 200, {b"modern"}),
    ("weight", 200, {b"legacy"}),
    ("weight", 200, {b"modern"}),
    ("hold", 200, {b"modern"}),
    ("resume", 200, {b"modern"}),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def backends() -> AsyncIterator[tuple[Backend, Backend]]:
    both = Backend(always(ok(b"legacy"))), Backend(always(ok(b"modern")))
    for backend in both:
        await backend.start()
    yield both
    for backend in both:
        await backend.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def braked(backends: tuple[Backend, Backend], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Braked]:
    folder = tmp_path_factory.mktemp("braked")
    material(folder)
    legacy, modern = backends
    text = sound(legacy.url, modern.url)
    async with running(folder, text) as proxy:
        yield Braked(proxy, text)


async def test_a_start_with_a_file_full_of_mistakes_names_each_and_starts_nothing(tmp_path: Path):
    material(tmp_path)
    text = sound()
    for broken in (one for one in BROKEN if one.name in ("jmespath", "ca-garbage", "hook-module", "key-encrypted")):
        text = broken.text(text)
    proxy = Running(tmp_path, text)
    async with proxy.started():
        code = await proxy.exit_code()

    assert code == 2
    for says in ("is no JMESPath", "garbage.pem holds no certificate", "no_such_rules", "the key is encrypted"):
        assert [line for line in proxy.errors if says in line and f"{proxy.file}:" in line], says
    assert proxy.events == []


@pytest.mark.parametrize("broken", BROKEN, ids=str)
async def test_a_refused_file_changes_nothing_and_every_verb_is_met_by_every_user(braked: Braked, broken: Broken):
    refused = await braked.refuses(broken)
    served = await braked.sides()
    ready = await braked.proxy.json("/readyz")
    brakes = await braked.brakes()

    problems = orjson.loads(refused.body)["problems"]
    assert refused.status == 422
    assert broken.line(braked.text) in [each["line"] for each in problems if broken.says in each["message"]]
    assert served == {b"modern"}
    assert (ready["ready"], ready["config"]["accepted"], ready["config"]["unconfirmed"]) == (True, False, [])
    assert brakes == BRAKED


async def test_with_a_worker_killed_in_between_the_next_one_begins_with_what_was_set(braked: Braked):
    await braked.refuses(BROKEN[0])
    count = sum(event["event"] == "accepting" for event in braked.proxy.events)
    os.kill(braked.proxy.pids("worker")[0], signal.SIGKILL)

    began = time.monotonic()
    answer = await braked.does("rollback", **BACK)
    took = time.monotonic() - began
    met = await braked.sides()
    await braked.proxy.event("accepting", count=count + 1)
    after = await braked.sides()
    status = await braked.proxy.json("/api/v1/status")
    await braked.does("resume", **BACK)
    last = await braked.sides()

    assert (answer.status, met, after, last) == (200, {b"legacy"}, {b"legacy"}, {b"modern"})
    assert took < WITHIN
    assert len({worker["generation"] for worker in status["workers"]}) == 1
    assert {worker["id"] for worker in status["workers"]} == {0, 1}
    assert not [event for event in braked.proxy.events if event["event"] == "file_deadly"]


async def test_with_control_killed_in_between_its_successor_brakes(braked: Braked):
    await braked.refuses(BROKEN[0])
    count = sum(event["event"] == "config_refused" for event in braked.proxy.events)
    os.kill(braked.proxy.pids("control")[0], signal.SIGKILL)
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = await braked.does("rollback", **BACK)
                break
            except (OSError, EOFError, ConnectionError):
                await asyncio.sleep(0.02)
    met = await braked.sides()
    await braked.does("resume", **BACK)

    assert (answer.status, met, await braked.sides()) == (200, {b"legacy"}, {b"modern"})
    await braked.proxy.event("config_refused", count=count + 1)
    assert await braked.proxy.metric("strangler_config_reload_success") == 0


async def stopped(proxy: Running) -> tuple[int, int]:
    """Have one worker stand still; its process, its slot."""
    pid = proxy.pids("worker")[0]
    slot = next(event["slot"] for event in proxy.events if event["event"] == "child_started" and event["pid"] == pid)
    os.kill(pid, signal.SIGSTOP)
    return pid, slot


async def until_confirmed(proxy: Running) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await proxy.json("/readyz"))["config"]["unconfirmed"]:  # noqa: ASYNC110 - it is behind a socket
            await asyncio.sleep(0.05)


async def test_a_reload_that_a_worker_does_not_confirm_says_so_until_it_does(braked: Braked):
    proxy = braked.proxy
    proxy.file.write_text(braked.text + "# another\n")
    pid, slot = await stopped(proxy)

    reloaded = await proxy.reload()
    ready = await proxy.json("/readyz")
    success = await proxy.metric("strangler_config_reload_success")
    missing = await proxy.metric("strangler_workers_unconfirmed")
    with suppress(ProcessLookupError):  # after five seconds it is replaced: on a slow machine that is now
        os.kill(pid, signal.SIGCONT)
    await until_confirmed(proxy)
    mended = await proxy.metric("strangler_config_reload_success")

    body = orjson.loads(reloaded.body)
    assert (reloaded.status, body["reason"], body["workers"]) == (409, "unconfirmed", [{"id": slot}])
    assert ready["ready"]
    assert ready["config"]["unconfirmed"] == [f"worker {slot}"]
    assert (success, missing, mended) == (0, 1, 1)


async def test_a_worker_that_stands_still_is_named_then_replaced_and_shown_as_what_it_is(braked: Braked):
    proxy = braked.proxy
    count = sum(event["event"] == "accepting" for event in proxy.events)
    _, slot = await stopped(proxy)

    began = time.monotonic()
    answer = await braked.does("rollback", **BACK)
    took = time.monotonic() - began
    shown = (await proxy.json("/api/v1/routes/profile"))["weight"]["effective"]
    weight = await proxy.metric("strangler_weight_percent", route="profile", kind="effective")
    await proxy.event("accepting", count=count + 1)
    await until_confirmed(proxy)
    met = await braked.sides()
    after = (await proxy.json("/api/v1/routes/profile"))["weight"]["effective"]
    resumed = await braked.does("resume", **BACK)

    body = orjson.loads(answer.body)
    assert (answer.status, body["reason"], body["workers"]) == (409, "unconfirmed", [{"id": slot}])
    assert 1.9 < took < 4
    assert body["milliseconds"] >= 1900
    assert (shown, weight, after) == (100.0, 100.0, 0.0)
    assert met == {b"legacy"}
    assert resumed.status == 200
    assert await braked.sides() == {b"modern"}


async def test_two_instances_on_one_redis_brake_each_other_whatever_their_files_say(
    backends: tuple[Backend, Backend], tmp_path_factory: pytest.TempPathFactory
):
    legacy, modern = backends
    async with redis_running(tmp_path_factory.mktemp("redis")) as server:
        text = sound(legacy.url, modern.url, store=server.url)
        both = []
        async with AsyncExitStack() as around:
            for name in ("ann", "bob"):
                folder = tmp_path_factory.mktemp(name)
                material(folder)
                proxy = Running(folder, text, STRANGLER_REDIS_PASSWORD=PASSWORD)
                await proxy.start()
                around.push_async_callback(proxy.end)
                both.append(Braked(proxy, text))
            await asyncio.gather(*(one.proxy.until_ready() for one in both))
            ann, bob = both
            refused = [(await one.refuses(broken)).status for one, broken in zip(both, BROKEN, strict=False)]
            met = []
            for one, verb, body, side in (
                (bob, "rollback", BACK, b"legacy"),
                (ann, "resume", BACK, b"modern"),
                (ann, "weight", {"weight": 0}, b"legacy"),
                (bob, "weight", {"weight": 100}, b"modern"),
                (bob, "hold", {}, b"modern"),
            ):
                status = (await one.does(verb, **body)).status
                took = [await each.until(side) for each in both]
                met.append((verb, status, max(took) < WITHIN))
            os.kill(ann.proxy.pids("worker")[0], signal.SIGKILL)
            await bob.does("rollback", **BACK)
            killed = [await each.until(b"legacy") for each in both]

    assert refused == [422, 422]
    assert met == [(verb, 200, True) for verb in ("rollback", "resume", "weight", "weight", "hold")]
    assert max(killed) < WITHIN
