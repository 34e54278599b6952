"""Unhandled exceptions are emitted as events, at a bounded rate."""

from __future__ import annotations

import asyncio

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
