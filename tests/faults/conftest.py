"""One legacy side, nginx as deployed, the proxy in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.journeys.edge import Edge, free_port
from tests.support.backend import Backend, Wire, ok
from tests.support.running import Running, config

WORK = 0.01
"""Seconds that legacy takes: long enough for calls to be in flight when something dies."""


async def _works(wire: Wire) -> None:
    while True:
        await wire.request()
        await asyncio.sleep(WORK)
        wire.send(ok(b"legacy"))


@dataclass
class Scene:
    """What is there, with `load` going on."""

    proxy: Running
    load: Load


@contextlib.asynccontextmanager
async def staged(folder: Path, **environ: str) -> AsyncIterator[Scene]:
    """Everything started, with what the proxy finds in its environment."""
    async with AsyncExitStack() as around:
        legacy = Backend(_works)
        await legacy.start()
        around.push_async_callback(legacy.stop)
        port = free_port()
        (folder / "edge").mkdir()
        text = config(legacy.url, workers=2, listen=f"127.0.0.1:{port}")
        text = text.replace("store: memory", 'store: "sqlite:var/strangler.db"')
        proxy = await around.enter_async_context(Running(folder, text, **environ))
        edge = await around.enter_async_context(Edge(folder / "edge", ("127.0.0.1", port), ("127.0.0.1", legacy.port)))
        yield Scene(proxy, Load(edge.address, legacy))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with staged(tmp_path) as found:
        yield found
