"""Unhandled exceptions are emitted as events, at a bounded rate."""

from __future__ import annotations

import asyncio
import sys

from proxy.ipc.child_process import ExceptionHandler
from tests.support.clock import Clock


async def test_what_a_callback_raises_is_told_with_its_place():
    told: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(ExceptionHandler(lambda event, _, /, **fields: told.append({"event": event, **fields})))

    loop.call_soon(lambda: 1 // 0)
    await asyncio.sleep(0)

    assert [(one["event"], one["error"], one["more"]) for one in told] == [
        ("unexpected", "ZeroDivisionError('integer division or modulo by zero')", 0)
    ]
    assert str(told[0]["at"]).startswith(__file__)


async def test_a_storm_of_them_is_told_once_a_second_with_how_many_there_were():
    told: list[object] = []
    clock = Clock()
    handler = ExceptionHandler(lambda _, __, /, **fields: told.append(fields["more"]), clock)
    loop = asyncio.get_running_loop()

    for _ in range(100):
        handler(loop, {"message": "no memory", "exception": MemoryError()})
    clock.turn(1)
    handler(loop, {"message": "no memory"})

    assert told == [0, 99]


async def test_without_memory_an_event_has_what_was_set_aside_for_it():
    script = """
import asyncio, resource
from pathlib import Path
from proxy.ipc.child_process import ExceptionHandler

async def main():
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(ExceptionHandler(lambda *_, **fields: told.append((bytes(200_000), fields["error"]))))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used, used))
    filled = []
    def fill():
        while True:
            filled.append(bytes(100_000))
    loop.call_soon(fill)
    while not told:
        await asyncio.sleep(0)
    print(told[0][1])

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()

    assert said == b"MemoryError()\n"
