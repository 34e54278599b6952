"""A changed file reaches every worker, a broken one none: of one proxy with two workers, where none of it ends."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import Running, config, run_command, running
from tests.support.waiting import until

on_the_shared_one = pytest.mark.asyncio(loop_scope="module")


class Shared:
    """A proxy that lives on; `text` is its file with a weight."""

    def __init__(self, proxy: Running, legacy: Backend, modern: Backend) -> None:
        self.proxy = proxy
        self.text = partial(config, legacy.url, modern.url, workers=2)

    async def adopt(self, weight: float) -> int:
        """Serve by this weight; return the generation."""
        self.proxy.file.write_text(self.text(weight=weight))
        assert (await self.proxy.reload()).status == 200
        return (await self.proxy.json("/api/v1/status"))["config"]["generation"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    both = Backend(always(ok(b"legacy"))), Backend(always(ok(b"modern")))
    for backend in both:
        await backend.start()
    text = config(both[0].url, both[1].url, workers=2)
    async with running(tmp_path_factory.mktemp("shared"), text) as proxy:
        yield Shared(proxy, *both)
    for backend in both:
        await backend.stop()


@on_the_shared_one
async def test_hup_puts_a_changed_file_into_effect_in_every_worker(shared: Shared):
    proxy = shared.proxy
    number = await shared.adopt(0)
    before = await proxy.json("/api/v1/status")
    proxy.file.write_text(shared.text(weight=100))

    proxy.signal(signal.SIGHUP)
    await proxy.event("reload", generation=number + 1)
    answers = [await proxy.get("/api/me", f"Cookie: uid={user}") for user in range(20)]
    after = await proxy.json("/api/v1/status")

    assert {answer.body for answer in answers} == {b"modern"}
    assert [worker["generation"] for worker in after["instances"][0]["workers"]] == [number + 1] * 2
    assert after["config"]["digest"] != before["config"]["digest"]
    assert await proxy.metric("strangler_config_reload_success") == 1


@on_the_shared_one
async def test_a_broken_file_keeps_the_old_one_and_says_so_everywhere(shared: Shared):
    proxy = shared.proxy
    await shared.adopt(100)
    before = await proxy.json("/api/v1/status")
    proxy.file.write_text(shared.text(weight=101))

    proxy.signal(signal.SIGHUP)
    refused = await proxy.event("config_refused")
    answer = await proxy.get("/api/me", "Cookie: uid=42")
    ready, after = await proxy.json("/readyz"), await proxy.json("/api/v1/status")

    assert answer.body == b"modern"
    assert refused["problems"][0].startswith(f"{proxy.file}:12:")
    assert await proxy.metric("strangler_config_reload_success") == 0
    assert (ready["ready"], ready["config"]["accepted"]) == (True, False)
    assert after["config"]["digest"] == before["config"]["digest"]
    assert f"{proxy.file}:12:" in after["config"]["error"]

    await shared.adopt(100)
    assert await proxy.metric("strangler_config_reload_success") == 1


@on_the_shared_one
async def test_a_replaced_file_is_noticed_without_being_told(shared: Shared):
    proxy = shared.proxy
    number = await shared.adopt(0)
    for more, weight in ((1, 100), (2, 50)):  # a watch on the file itself would be blind the second time
        beside = proxy.folder / "beside"
        beside.write_text(shared.text(weight=weight))
        beside.replace(proxy.file)

        await proxy.event("reload", generation=number + more, who="file")

    assert await proxy.metric("strangler_weight_percent", route="profile", kind="intended") == 50


@on_the_shared_one
async def test_a_reload_under_load_loses_no_request(shared: Shared):
    proxy = shared.proxy
    statuses: list[int] = []
    done = asyncio.Event()

    async def user(number: int) -> None:
        client = await proxy.client()
        while not done.is_set():
            answer = await client.ask(raw.get("/api/me", f"Cookie: uid={number}"))
            statuses.append(answer.status)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as users:
        for number in range(8):
            users.create_task(user(number))
        for weight in (100, 0, 50):
            begun = len(statuses)
            await shared.adopt(weight)
            await until(lambda begun=begun: len(statuses) > begun + 20, "answers of and after the reload")
        done.set()

    assert set(statuses) == {200}


async def test_reload_wait_ends_with_the_outcome_as_exit_code(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        arguments = ("reload", "--wait", "-c", str(proxy.file), "--admin", proxy.admin_url)
        good, said, _ = await run_command(*arguments)
        proxy.file.write_text("version: 7\n")
        broken, _, problems = await run_command(*arguments)
        proxy.process.terminate()
        await proxy.exit_code()
        gone, _, why = await run_command(*arguments)

    assert (good, broken, gone) == (0, 2, 3)
    assert said.startswith("applied: digest ")
    assert f"{proxy.file}:1:" in problems
    assert "no proxy answers" in why


@on_the_shared_one
async def test_settings_that_need_a_restart_are_told_and_not_half_applied(shared: Shared):
    proxy = shared.proxy
    await shared.adopt(0)
    proxy.file.write_text(shared.text(workers=3, weight=7, listen="127.0.0.1:2"))

    outcome = orjson.loads((await proxy.reload()).body)
    told = await proxy.event("config_needs_restart")

    assert outcome["needs_restart"] == ["listen.address", "listen.workers"]
    assert told["settings"] == ["listen.address", "listen.workers"]
    assert await proxy.metric("strangler_weight_percent", route="profile", kind="intended") == 7
    assert len(proxy.pids("worker")) == 2
    assert (await proxy.get()).status == 200


async def test_numbers_of_generations_grow_across_a_restart_of_control(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, config(legacy.url, modern.url)) as proxy:
        assert orjson.loads((await proxy.reload()).body)["generation"] == 2
        (control,) = proxy.pids("control")
        os.kill(control, signal.SIGKILL)
        await proxy.event("child_started", count=2, role="control")

        proxy.file.write_text(config(legacy.url, modern.url, weight=100))
        proxy.signal(signal.SIGHUP)
        applied = await proxy.event("generation_applied", count=2)

        assert applied["generation"] >= 3
        assert (await proxy.get("/api/me", "Cookie: uid=42")).body == b"modern"


@on_the_shared_one
async def test_a_control_process_without_a_descriptor_left_goes_on_watching_the_file(shared: Shared):
    proxy = shared.proxy
    number = await shared.adopt(0)
    refusals = sum(event["event"] == "config_refused" for event in proxy.events)
    (control,) = proxy.pids("control")
    before = resource.prlimit(control, resource.RLIMIT_NOFILE)
    resource.prlimit(control, resource.RLIMIT_NOFILE, (4, before[1]))
    proxy.file.write_text(shared.text(weight=100))
    await proxy.event("config_refused", refusals + 1)
    resource.prlimit(control, resource.RLIMIT_NOFILE, before)
    await proxy.event("reload", generation=number + 1)
    answer = await proxy.get("/api/me", "Cookie: uid=42")
    failures = await proxy.metrics()

    assert answer.body == b"modern"
    assert proxy.pids("control") == [control]
    assert ("strangler_task_failures_total", frozenset({("task", "watch")})) in failures
