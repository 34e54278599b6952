"""A full disk under the logs costs lines, never requests; an event is emitted, every line is accounted for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import orjson

from tests.faults.conftest import staged
from tests.faults.disks import small_disk
from tests.journeys.edge import free_port
from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import ROOT, STARTS_WITHIN, Running, command, config
from tests.support.waiting import PATIENCE


async def test_with_a_full_disk_under_the_access_log_nobody_notices_and_every_lost_line_is_counted(tmp_path: Path):
    with small_disk(tmp_path / "disk") as disk:
        file = disk.folder / "access.log"
        async with staged(tmp_path, STRANGLER_ACCESS_LOG=str(file)) as scene:
            async with scene.load as load:
                told = await scene.proxy.event("log_lines_unwritten")
                await load.more(40)
                while_full = await scene.proxy.metric("strangler_log_lines_lost_total")
                disk.make_room()
                await load.more(20)

            lost = await _all_accounted_for(scene.proxy, file)

        _, torn = _lines(file)
        print(f"{lost:g} of {len(load.reads) + len(load.writes)} lines lost to a full disk")
        load.claim()
        assert load.lost_writes == 0
        assert told["reason"] == "No space left on device"
        assert 0 < while_full <= lost
        assert torn <= 1


async def _all_accounted_for(proxy: Running, file: Path) -> float:
    """Wait until each request has a line or is counted as lost, and the log itself reports those."""
    async with asyncio.timeout(PATIENCE):
        while True:
            numbers = await proxy.metrics()
            lost = numbers["strangler_log_lines_lost_total", frozenset()]
            served = sum(value for (name, _), value in numbers.items() if name == "strangler_requests_total")
            lines, _ = _lines(file)
            written = sum(line["event"] == "request" for line in lines)
            missing = sum(line["count"] for line in lines if line["event"] == "log_lines_lost")
            if (written + lost, missing) == (served, lost):
                return lost
            await asyncio.sleep(0.05)


def _lines(file: Path) -> tuple[list[dict[str, Any]], int]:
    """The whole lines, beside how many are torn: the one that the disk was full in the middle of."""
    whole, torn = [], 0
    for line in filter(None, file.read_bytes().splitlines()):
        try:
            whole.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            torn += 1
    return whole, torn


async def test_a_proxy_that_can_write_nothing_at_all_starts_serves_and_leaves_in_good_order(tmp_path: Path):
    backend, port = Backend(always(ok(b"legacy"))), free_port()
    await backend.start()
    file, manager = tmp_path / "proxy.yaml", str(tmp_path / "manager")
    file.write_text(config(backend.url, listen=f"127.0.0.1:{port}"))
    full = os.open("/dev/full", os.O_WRONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(manager)
        heard.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            *command("run", "-c", str(file)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=full,
            stderr=full,
            env={**os.environ, "NOTIFY_SOCKET": manager},
            cwd=ROOT,
        )
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while not (await asyncio.get_running_loop().sock_recv(heard, 4096)).startswith(b"READY=1"):
                    pass
            answers = [await _answer(port) for _ in range(5)]
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(STARTS_WITHIN):
                code = await process.wait()
        finally:
            os.close(full)
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
            await backend.stop()

    assert answers == [b"legacy"] * 5
    assert code == 0


async def _answer(port: int) -> bytes:
    client = await raw.connect(("127.0.0.1", port))
    answer = await client.ask(raw.get("/"))
    client.close()
    return answer.body
