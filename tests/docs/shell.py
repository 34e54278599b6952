"""Runs the commands of a page: each in a separate process, in a folder of the test."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from tests.docs.material import ROOT, Block, lines, words
from tests.support.running import command

LIMIT = 60
"""Seconds for one command on a busy machine."""
STAYS = ("run", "events")
"""Commands that run until they are stopped."""


@contextlib.asynccontextmanager
async def called(line: str, folder: Path, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, ended when the block is left."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
    process = await asyncio.create_subprocess_exec(
        *command(*words(line)[1:]),
        cwd=folder, env={**clean, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **environ},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def following(line: str, folder: Path, **environ: str) -> AsyncIterator[asyncio.StreamReader]:
    """What a command that stays says."""
    async with called(line, folder, **environ) as process:
        assert process.stdout is not None
        yield process.stdout


async def read(stream: asyncio.StreamReader, until: str) -> AsyncIterator[str]:
    """Its lines, the last of them the first with this word."""
    async for data in stream:
        line = data.decode()
        yield line
        if until in line:
            return


async def said_by(line: str, folder: Path, **environ: str) -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    async with called(line, folder, **environ) as process, asyncio.timeout(LIMIT):
        said = (await process.communicate())[0].decode()
        code = await process.wait()
    return code, said


async def tried(block: Block, folder: Path, **environ: str) -> dict[str, tuple[int, str]]:
    """Every line of a block in turn, but those that stay."""
    return {line: await said_by(line, folder, **environ) for line in lines(block) if words(line)[1] not in STAYS}


def refused(said: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """Those that did not say yes."""
    return {line: outcome for line, outcome in said.items() if outcome[0]}


def placed(sides: tuple[str, str]) -> dict[str, str]:
    """What puts the file of the README on free ports, before these sides."""
    return {
        "STRANGLER_LISTEN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_ADMIN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_BACKENDS__LEGACY__URL": sides[0],
        "STRANGLER_BACKENDS__MODERN__URL": sides[1],
    }
