"""Notices that the configuration file has changed.

The folder is watched, not the file: editors, Ansible, Kubernetes replace files instead of writing them, which a
watch on the file sees once, then never again. A slow look at the content finds what no watch reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import awatch

LOOK_EVERY = 5.0
SETTLE = 0.1


async def watch(folder: Path, look: Callable[[], Awaitable[object]]) -> None:
    """Call `look` after each change in `folder`, besides every few seconds; for ever."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_events(folder, look), name="watch-folder")
        group.create_task(_slowly(look), name="watch-slowly")


async def _events(folder: Path, look: Callable[[], Awaitable[object]]) -> None:
    try:
        async for _ in awatch(folder, recursive=False, debounce=400, step=50):
            # who writes in several steps should be done by then
            await asyncio.sleep(SETTLE)
            await look()
    except OSError:
        return  # no inotify here, or its limit is reached: the slow look remains


async def _slowly(look: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await look()
