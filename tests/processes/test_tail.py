"""`strangler tail` prints decisions as they are made, those of all workers, of new ones too."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.support.backend import Backend
from tests.support.running import Running, command, config, run_command, running

USERS = range(12)


@asynccontextmanager
async def tailing(proxy: Running, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command; it is ended with the block."""
    process = await asyncio.create_subprocess_exec(
        *command("tail", *words, "-c", str(proxy.file), "--admin", proxy.admin_url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        assert b"decisions of" in await process.stderr.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: asyncio.subprocess.Process, number: int) -> list[bytes]:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return [await process.stdout.readline() for _ in range(number)]


@asynccontextmanager
async def streamed(proxy: Running, query: str, path: str = "decisions/stream") -> AsyncIterator[asyncio.StreamReader]:
    host, _, port = proxy.admin_url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /api/v1/{path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    try:
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"\n\n")
        yield reader
    finally:
        writer.close()


async def decisions(reader: asyncio.StreamReader, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while len(found) < number:
            line = await reader.readline()
            found += [orjson.loads(line.removeprefix(b"data: "))] if line.startswith(b"data: ") else []
    return found


async def test_decisions_of_all_workers_are_printed_with_side_reason_and_status_and_no_user(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with (
        running(tmp_path, config(legacy.url, modern.url, workers=2, weight=50)) as proxy,
        tailing(proxy, "profile", "--limit", "12", "--json") as process,
    ):
        await proxy.get("/elsewhere")
        for number in USERS:
            await proxy.get("/api/me?token=secret", f"Cookie: uid=somebody-{number}")
        found = [orjson.loads(line) for line in await lines(process, 12)]
        code = await process.wait()
        ended = await run_command("tail", "--status", "60x", "-c", str(proxy.file), "--admin", proxy.admin_url)

    assert code == 0
    assert {each["event"] for each in found} == {"decision"}
    assert {(each["method"], each["path"], each["status"]) for each in found} == {("GET", "/api/me", 200)}
    assert {each["side"] for each in found} == {"legacy", "modern"}
    assert all((each["bucket"] < 0.5) == (each["side"] == "modern") for each in found)
    assert all(each["answered"] == each["side"] and each["reason"] == "weight" for each in found)
    assert "somebody" not in str(found)
    assert "secret" not in str(found)
    assert (ended[0], "status must be such as 404, 5xx or 400-499, not 60x" in ended[2]) == (2, True)


async def test_each_filter_takes_its_own_decisions_and_a_new_worker_knows_them(tmp_path: Path, legacy: Backend):
    # modern does not answer at all: legacy does, by the route's fallback
    async with (
        running(tmp_path, config(legacy.url, weight=100)) as proxy,
        streamed(proxy, "side=modern") as by_side,
        streamed(proxy, "user=3") as by_user,
        streamed(proxy, "status=5xx,404") as by_status,
        streamed(proxy, "route=_default") as by_route,
    ):
        for path, number in (("/api/me", 2), ("/api/me", 3), ("/other", 3), ("/other", 4)):
            await proxy.get(path, f"Cookie: uid={number}")
        sides, users, routes = await decisions(by_side, 2), await decisions(by_user, 2), await decisions(by_route, 2)
        os.kill(proxy.pids("worker")[0], signal.SIGKILL)
        await legacy.stop()
        await proxy.event("accepting", count=2)
        # control has to have heard the new worker's first word, which a fresh scrape waits for
        await proxy.metrics()
        await proxy.get("/gone")
        (status,) = await decisions(by_status, 1)

    assert [(each["side"], each["answered"]) for each in sides] == [("modern", "legacy")] * 2
    assert all(each["fallback"] for each in sides)
    assert [each["path"] for each in users] == ["/api/me", "/other"]
    assert [each["route"] for each in routes] == ["_default", "_default"]
    assert (status["path"], status["status"], status["answered"]) == ("/gone", 502, "none")


async def test_a_reader_that_hangs_up_is_no_fault_of_ours(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        for _ in range(2):
            async with streamed(proxy, ""), streamed(proxy, "", "events/stream"):
                pass
        await proxy.get("/")
        for verb in ("hold", "resume"):
            await proxy.admin(f"/api/v1/routes/profile/{verb}", method="POST", body={"reason": "look"})
        async with streamed(proxy, "") as reader:
            await proxy.get("/there")
            (found,) = await decisions(reader, 1)

    assert found["path"] == "/there"
    assert [event for event in proxy.events if event["event"] == "unexpected"] == []
