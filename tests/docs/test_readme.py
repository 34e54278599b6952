"""What the README tells a newcomer to type works, in the order in which it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.material import ROOT, Block, blocks, lines, words
from tests.support.backend import Backend, always, ok
from tests.support.running import Running, command

BLOCKS: dict[str, Block] = {block.marker: block for block in blocks("README.md") if block.marker}
LIMIT = 60
"""Seconds for one command on a busy machine."""
STAYS = ("run", "events")
"""Commands that go on until somebody stops them."""


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


@pytest.fixture
async def sides():
    answer = ok(b'{"id": 42, "items": [{"amount": 2}], "total": 2}', "Content-Type: application/json")
    legacy, modern = Backend(always(answer)), Backend(always(answer))
    await legacy.start()
    await modern.start()
    yield f"http://127.0.0.1:{legacy.port}", f"http://127.0.0.1:{modern.port}"
    await legacy.stop()
    await modern.stop()


def placed(sides: tuple[str, str]) -> dict[str, str]:
    """What puts the file of the README on free ports, before these sides."""
    return {
        "STRANGLER_LISTEN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_ADMIN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_BACKENDS__LEGACY__URL": sides[0],
        "STRANGLER_BACKENDS__MODERN__URL": sides[1],
    }


def whole_way() -> str:
    """The first file with what `A route's way` puts into its route instead of the rollout."""
    kept = [line for line in BLOCKS["file"].text.splitlines() if "rollout:" not in line]
    return "\n".join([*kept, BLOCKS["more"].text])


async def tried(marker: str, folder: Path, **environ: str) -> dict[str, tuple[int, str]]:
    """Every line of a block in turn, but those that stay."""
    return {
        line: await said_by(line, folder, **environ) for line in lines(BLOCKS[marker]) if words(line)[1] not in STAYS
    }


def refused(said: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """Those that did not say yes."""
    return {line: outcome for line, outcome in said.items() if outcome[0]}


async def test_the_first_route_and_its_way_work_as_told(tmp_path: Path, sides: tuple[str, str]):
    (follow,) = [line for line in lines(BLOCKS["way"]) if words(line)[1] == "events"]
    async with Running(tmp_path, BLOCKS["file"].text, **placed(sides)) as proxy:
        admin = {"STRANGLER_ADMIN_URL": proxy.admin_url}
        first = await tried("first", tmp_path, **admin)
        answer = await proxy.get("/api/me", "Cookie: uid=42")
        proxy.file.write_text(whole_way())
        reloaded = await proxy.reload()
        async with following(follow, tmp_path, **admin) as events:
            way = await tried("way", tmp_path, **admin)
            async with asyncio.timeout(LIMIT):
                told = [line.split()[1:] async for line in read(events, until="resume")]

    assert refused({**first, **way}) == {}
    assert "profile" in next(text for line, (_, text) in first.items() if " status " in line)
    assert (answer.status, reloaded.status) == (200, 200)
    assert [words[0] for words in told if words[0] != "reload"] == ["advance", "rollback", "resume"]
    assert next(words for words in told if words[0] == "rollback")[-2:] == ["odd", "totals"]


async def test_recorded_traffic_gives_a_comparison_as_told(tmp_path: Path, sides: tuple[str, str]):
    line = '127.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /api/me HTTP/1.1" 200 40 "-" "browser"\n'
    (tmp_path / "access.log").write_text(line * 3)
    operation = {"responses": {"200": {"description": "the user"}}}
    document = {"openapi": "3.1.0", "info": {"title": "new", "version": "1"}, "paths": {"/api/me": {"get": operation}}}
    (tmp_path / "openapi.json").write_text(json.dumps(document))

    said = await tried("recorded", tmp_path, **placed(sides))

    advice = {line: said.pop(line) for line in list(said) if words(line)[1] == "doctor"}
    assert refused(said) == {}
    assert "3 equal" in next(text for line, (_, text) in said.items() if " replay " in line)
    assert [code for code, _ in advice.values()] in ([0], [1])  # what it finds is the machine's affair
    assert all("listen.address" in text for _, text in advice.values())


def test_every_block_that_is_marked_is_run():
    assert BLOCKS.keys() == {"file", "first", "more", "way", "recorded"}
