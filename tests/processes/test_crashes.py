"""Processes crash; users do not notice, and everything is restarted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

from tests.support import raw
from tests.support.backend import Backend, Script, Wire
from tests.support.running import Running, alive, config, running
from tests.support.waiting import until


async def test_a_worker_that_crashes_or_hangs_is_replaced_and_loses_no_queued_connection(
    tmp_path: Path, legacy: Backend
):
    async with running(tmp_path, config(legacy.url)) as proxy:
        (worker,) = proxy.pids("worker")
        # stopped, it cannot accept: these connections wait in the kernel, on the supervisor's socket
        os.kill(worker, signal.SIGSTOP)
        waiting = [await proxy.client() for _ in range(30)]
        for client in waiting:
            client.send(raw.get("/queued"))

        os.kill(worker, signal.SIGKILL)
        answers = [await asyncio.wait_for(client.answer(), 60) for client in waiting]
        (successor,) = proxy.pids("worker")
        restarts = await proxy.metric("strangler_worker_restarts_total")
        os.kill(successor, signal.SIGSTOP)
        silent = await proxy.event("child_silent", role="worker")
        answer = await proxy.get("/after")

        assert [answer.body for answer in answers] == [b"legacy"] * 30
        assert restarts == 1
        assert silent["pid"] == successor
        assert answer.body == b"legacy"
        assert proxy.pids("worker") not in ([worker], [successor])


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


def answering_after(event: asyncio.Event) -> Script:
    """One answer, which waits for an event."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await event.wait()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
        await wire.gone()

    return script


async def test_children_do_not_outlive_a_killed_supervisor_and_finish_their_requests(tmp_path: Path):
    answer_now = asyncio.Event()
    slow = answering_after(answer_now)

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
    slow = answering_after(answer_now)

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


MODERN = """\
import asyncio

async def answer(reader, writer):
    while await reader.readuntil(b"\\r\\n\\r\\n"):
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nmodern")

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
TIMES = int(os.environ.get("STRANGLER_TEST_KILLS", "3"))
"""How often modern is killed; each time a fresh one with a fresh port."""


async def a_modern() -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", MODERN, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{int(await process.stdout.readline())}"


async def test_once_modern_is_killed_every_user_of_both_workers_is_on_legacy_within_a_second(
    tmp_path: Path, legacy: Backend
):
    took: list[float] = []
    process, url = await a_modern()
    async with running(tmp_path, config(legacy.url, url, workers=2, weight=100)) as proxy:
        for number in range(TIMES):
            if number:
                process, url = await a_modern()
                proxy.file.write_text(config(legacy.url, url, workers=2, weight=100))
                assert (await proxy.reload()).status == 200
                assert (await proxy.admin(*RESUME, method="POST", body={"reason": "mended"})).status == 200
            rolled = sum(event.get("what") == "rollback" for event in proxy.events)
            over = asyncio.Event()
            users = [asyncio.create_task(browse(proxy, user, over)) for user in range(8)]
            await asyncio.sleep(0.3)
            process.kill()
            killed = time.time()
            await process.wait()
            await proxy.event("changed", count=rolled + 1, what="rollback")
            await asyncio.sleep(0.2)
            over.set()
            statuses = set().union(*await asyncio.gather(*users))
            asked = [moment(line["ts"]) for line in proxy.access if line["side"] == "modern"]
            took.append(max(asked) - killed)
            assert statuses == {200}

    print(f"modern was chosen last {', '.join(f'{each * 1000:.0f}' for each in took)} ms after its end")
    assert max(took) < 1


RESUME = ("/api/v1/routes/profile/resume",)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def browse(proxy: Running, user: int, over: asyncio.Event) -> set[int]:
    """Ask again and again, on one connection; what statuses came."""
    client, statuses = await proxy.client(), set()
    while not over.is_set():
        statuses.add((await client.ask(raw.get("/api/me", f"Cookie: uid={user}"))).status)
        await asyncio.sleep(0.05)
    client.close()
    return statuses
