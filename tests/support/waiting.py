"""Waits for something that real sockets will bring about, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which a test gives up: what works takes milliseconds, but machines stand still at times."""


async def until(condition: Callable[[], object], what: str = "", seconds: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; fail with `what` when it never does."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    pause = 0.001
    while not condition():
        if loop.time() > end:
            raise AssertionError(f"never happened: {what or condition}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.1, 0.02)  # what takes long need not be looked at a thousand times a second


async def breathe(turns: int = 10) -> None:
    """Let every connection that has something to read do so, a few times over."""
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    for _ in range(turns):
        await asyncio.sleep(0)
