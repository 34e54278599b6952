"""Processes die; users do not notice, and everything comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.support import raw
from tests.support.backend import Backend
from tests.support.running import Running, alive, config, running
from tests.support.waiting import until


async def test_a_worker_that_crashes_under_load_loses_no_queued_connection(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        (worker,) = proxy.pids("worker")
        # stopped, it cannot accept: these connections wait in the kernel, on the supervisor's socket
        os.kill(worker, signal.SIGSTOP)
        waiting = [await proxy.client() for _ in range(30)]
        for client in waiting:
            client.send(raw.get("/queued"))

        os.kill(worker, signal.SIGKILL)
        answers = [await asyncio.wait_for(client.answer(), 60) for client in waiting]

        assert [answer.body for answer in answers] == [b"legacy"] * 30
        assert await proxy.metric("strangler_worker_restarts_total") == 1


async def test_a_worker_whose_loop_hangs_is_killed_and_replaced(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        (worker,) = proxy.pids("worker")

        os.kill(worker, signal.SIGSTOP)
        silent = await proxy.event("child_silent", role="worker")
        answer = await proxy.get("/after")

        assert silent["pid"] == worker
        assert answer.body == b"legacy"
        assert proxy.pids("worker") != [worker]


async def test_traffic_flows_without_control_and_control_comes_back(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        (control,) = proxy.pids("control")
        await proxy.get("/before")
        await proxy.metric("strangler_workers_accepting")

        os.kill(control, signal.SIGKILL)
        meanwhile = [await proxy.get("/meanwhile") for _ in range(10)]
        await proxy.event("child_started", count=2, role="control")

        assert [answer.body for answer in meanwhile] == [b"legacy"] * 10
        # the admin port is the same socket: who asks while control starts just waits a little
        assert (await proxy.admin("/readyz")).status in (200, 503)
        await until_ready_again(proxy)
        labels = {"route": "_default", "side": "legacy", "role": "live", "code": "2xx"}
        assert await proxy.metric("strangler_requests_total", **labels) == 11
        assert await proxy.metric("strangler_control_restarts_total") == 1


async def test_a_worker_that_starts_while_control_is_dead_has_the_last_good_configuration(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, config(legacy.url, modern.url)) as proxy:
        proxy.file.write_text(config(legacy.url, modern.url, weight=100))
        assert (await proxy.reload()).status == 200
        (control,), (worker,) = proxy.pids("control"), proxy.pids("worker")

        os.kill(control, signal.SIGSTOP)  # alive, yet of no use to anybody
        os.kill(worker, signal.SIGKILL)
        answer = await proxy.get("/api/me", "Cookie: uid=42")

        assert answer.body == b"modern"


async def test_a_replaced_control_keeps_the_last_good_configuration_though_the_file_is_broken_now(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, config(legacy.url, modern.url, weight=100)) as proxy:
        before = await proxy.json("/api/v1/status")
        (control,) = proxy.pids("control")
        os.kill(control, signal.SIGSTOP)
        proxy.file.write_text("routes: broken\n")

        os.kill(control, signal.SIGKILL)
        await proxy.event("config_refused")
        await until_ready_again(proxy)
        after = await proxy.json("/api/v1/status")

        assert after["config"]["digest"] == before["config"]["digest"]
        assert after["config"]["generation"] >= before["config"]["generation"]
        assert str(proxy.file) in after["config"]["error"]
        assert (await proxy.get("/api/me", "Cookie: uid=1")).body == b"modern"


async def test_children_do_not_outlive_a_killed_supervisor_and_finish_their_requests(tmp_path: Path):
    answer_now = asyncio.Event()

    async def slow(wire):
        await wire.request()
        await answer_now.wait()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
        await wire.gone()

    backend = Backend(slow)
    await backend.start()
    async with running(tmp_path, config(backend.url)) as proxy:
        client = await proxy.client()
        client.send(raw.get("/slow"))
        await backend.wire()
        children = proxy.pids()

        proxy.process.kill()
        await until(lambda: not alive(proxy.process.pid), "the supervisor's end")
        await asyncio.sleep(0.2)
        answer_now.set()
        answer = await client.answer()
        await until(lambda: not any(map(alive, children)), "the children's end")

        assert answer.body == b"slow"
    await backend.stop()


async def test_a_worker_told_to_go_by_somebody_else_is_succeeded_before_it_is_gone(tmp_path: Path):
    answer_now = asyncio.Event()

    async def slow(wire):
        await wire.request()
        await answer_now.wait()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
        await wire.gone()

    async def quick(wire):
        await wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick")
        await wire.gone()

    backend = Backend(slow, quick)
    await backend.start()
    async with running(tmp_path, config(backend.url)) as proxy:
        client = await proxy.client()
        client.send(raw.get("/slow"))
        await backend.wire()
        (worker,) = proxy.pids("worker")

        os.kill(worker, signal.SIGTERM)
        await proxy.event("accepting", count=2)
        quick_answer = await proxy.get("/quick")
        answer_now.set()
        slow_answer = await client.answer()
        await proxy.event("child_exited", pid=worker, status=0)

        assert (quick_answer.body, slow_answer.body) == (b"quick", b"slow")
        assert await proxy.metric("strangler_worker_restarts_total") == 0
    await backend.stop()


async def until_ready_again(proxy: Running) -> None:
    for _ in range(200):
        if (await proxy.admin("/readyz")).status == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never ready again")
