"""A new program takes over the sockets of the old one: no request is lost, or nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import Running, config
from tests.support.waiting import until

WITHIN = 30.0


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    found = Backend(always(ok(b"here")))
    await found.start()
    yield found
    await found.stop()


@contextlib.asynccontextmanager
async def outlived(proxy: Running) -> AsyncIterator[None]:
    """End whatever was started, also what the process that the test knows does not know."""
    try:
        yield
    finally:
        for pid in {event["pid"] for event in proxy.events if event["event"] == "starting"}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def gone(proxy: Running) -> None:
    """Wait for the end of the old program; its output goes on, the new one has inherited it."""
    await until(lambda: proxy.process.returncode is not None, "the end of the old program", WITHIN)


async def test_nobody_loses_a_request_while_the_new_program_takes_over(tmp_path: Path, backend: Backend):
    async with Running(tmp_path, config(backend.url, workers=2)) as proxy, outlived(proxy):
        done = 0
        stop = asyncio.Event()

        async def visitor() -> None:
            nonlocal done
            while not stop.is_set():
                answer = await proxy.get("/somewhere")
                assert (answer.status, answer.body) == (200, b"here")
                done += 1

        visitors = [asyncio.create_task(visitor()) for _ in range(4)]
        proxy.signal(signal.SIGUSR2)
        await until(lambda: len([line for line in proxy.lines if "ready:" in line]) == 2, "the new program", WITHIN)
        await gone(proxy)
        before = done
        await until(lambda: done > before + 20, "visits of the new program")
        stop.set()
        await asyncio.gather(*visitors)

        assert proxy.process.returncode == 0
        assert len(set(proxy.lines)) == 1, "the addresses are the same"
        assert (await proxy.json("/api/v1/status"))["instances"][0]["pid"] != proxy.process.pid
        assert (await proxy.admin("/readyz")).status == 200


async def test_an_answer_in_flight_is_ended_by_the_old_program(tmp_path: Path):
    told = asyncio.Event()

    async def slow(wire: object) -> None:
        while True:
            request = await wire.request()  # type: ignore[attr-defined]
            if request.target == "/slow":
                await told.wait()
            wire.send(ok(request.target.encode()))  # type: ignore[attr-defined]

    backend = Backend(slow)
    await backend.start()
    async with Running(tmp_path, config(backend.url)) as proxy, outlived(proxy):
        waiting = asyncio.create_task(proxy.get("/slow"))
        await until(lambda: any(b"/slow" in wire.received for wire in backend.wires), "the slow request")
        proxy.signal(signal.SIGUSR2)
        await proxy.event("stopping", signal="SIGUSR2")
        fast = await proxy.get("/fast")
        told.set()

        assert (fast.status, (await waiting).body) == (200, b"/slow")
        await gone(proxy)
    await backend.stop()


async def test_a_new_program_that_cannot_start_changes_nothing(tmp_path: Path, backend: Backend):
    async with Running(tmp_path, config(backend.url)) as proxy, outlived(proxy):
        proxy.file.write_text("routes: 7\n")
        proxy.signal(signal.SIGUSR2)
        await proxy.event("upgrade_failed")

        assert (await proxy.get("/")).status == 200
        assert proxy.process.returncode is None
        assert (await proxy.admin("/readyz")).status == 200


async def test_a_name_of_a_unix_socket_stays_with_the_new_program(tmp_path: Path, backend: Backend):
    text = config(backend.url, listen=f"unix:{tmp_path}/s.sock")
    async with Running(tmp_path, text) as proxy, outlived(proxy):
        proxy.signal(signal.SIGUSR2)
        await until(lambda: len([line for line in proxy.lines if "ready:" in line]) == 2, "the new program", WITHIN)
        await gone(proxy)
        client = await raw.connect(f"{tmp_path}/s.sock")

        assert (await client.ask(raw.get("/"))).body == b"here"
        client.close()
