"""On a stop the proxy finishes what it has begun."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import alive, config, running
from tests.support.waiting import until


class Slow:
    """A backend that answers when the test says so."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.backend = Backend(self._script)

    async def _script(self, wire):
        await wire.request()
        await self.now.wait()
        wire.send(ok(b"slow"))
        await wire.gone()


async def test_term_finishes_a_slow_request_refuses_new_connections_then_leaves_with_0(tmp_path: Path):
    slow = Slow()
    await slow.backend.start()
    async with running(tmp_path, config(slow.backend.url, workers=2)) as proxy:
        client = await proxy.client()
        client.send(raw.get("/slow"))
        await slow.backend.wire()
        children = proxy.pids()

        proxy.signal(signal.SIGTERM)
        await proxy.event("draining", count=2)
        ready = await proxy.admin("/readyz")
        host, _, port = proxy.users.removeprefix("http://").rpartition(":")
        await until(lambda: _is_refused(host, int(port)), "a refusal")
        slow.now.set()
        answer = await client.answer()
        code = await proxy.exit_code()

        assert (answer.status, answer.body, answer.closes) == (200, b"slow", True)
        assert ready.status == 503
        assert b"draining" in ready.body
        assert code == 0
        assert not any(map(alive, children))
    await slow.backend.stop()


async def test_connections_that_the_kernel_had_queued_are_still_answered(tmp_path: Path):
    backend = Backend(always(ok(b"served")))
    await backend.start()
    async with running(tmp_path, config(backend.url)) as proxy:
        (worker,) = proxy.pids("worker")
        os.kill(worker, signal.SIGSTOP)
        queued = [await proxy.client() for _ in range(20)]
        for client in queued:
            client.send(raw.get("/queued"))

        proxy.signal(signal.SIGTERM)
        await proxy.event("stopping")
        os.kill(worker, signal.SIGCONT)
        answers = [await client.answer() for client in queued]

        assert [answer.body for answer in answers] == [b"served"] * 20
        assert await proxy.exit_code() == 0
    await backend.stop()


async def test_what_does_not_finish_in_time_is_cut_and_told(tmp_path: Path):
    slow = Slow()
    await slow.backend.start()
    async with running(tmp_path, config(slow.backend.url, drain="300ms")) as proxy:
        client = await proxy.client()
        client.send(raw.get("/slow"))
        await slow.backend.wire()

        proxy.signal(signal.SIGTERM)
        code = await proxy.exit_code()

        assert code == 0
        cut = await proxy.event("drain_cut")
        assert cut["calls"] == 1
    slow.now.set()
    await slow.backend.stop()


async def test_a_second_interrupt_ends_everything_at_once(tmp_path: Path):
    slow = Slow()
    await slow.backend.start()
    async with running(tmp_path, config(slow.backend.url)) as proxy:
        client = await proxy.client()
        client.send(raw.get("/slow"))
        await slow.backend.wire()
        children = proxy.pids()

        proxy.signal(signal.SIGINT)
        await proxy.event("draining")
        proxy.signal(signal.SIGINT)
        code = await proxy.exit_code()

        assert code == 1
        await until(lambda: not any(map(alive, children)), "the children's end")
    slow.now.set()
    await slow.backend.stop()


async def test_the_service_manager_is_told_how_it_goes(tmp_path: Path, legacy: Backend):
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        loop = asyncio.get_running_loop()
        loop.add_reader(manager, lambda: said.extend(manager.recv(4096).decode().split("\n")))
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"}
        async with running(tmp_path, config(legacy.url), **environ) as proxy:
            await until(lambda: "READY=1" in said, "the start")
            proxy.signal(signal.SIGHUP)
            await until(lambda: "READY=1" in said[_at(said, "RELOADING=1") :], "the reload")
            await until(lambda: "WATCHDOG=1" in said, "the watchdog")
            proxy.signal(signal.SIGTERM)
            await proxy.exit_code()
        loop.remove_reader(manager)

    assert said.index("READY=1") < said.index("RELOADING=1") < said.index("STOPPING=1")
    assert said[said.index("RELOADING=1") + 1].startswith("MONOTONIC_USEC=")
    assert "WATCHDOG=1" in said


def _at(said: list[str], line: str) -> int:
    return said.index(line) if line in said else len(said)


def _is_refused(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except ConnectionRefusedError:
        return True
    return False
