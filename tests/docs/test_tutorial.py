"""The tutorial's commands, in their order, between two stand-ins that differ as DokuWiki's copies do: in a clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from examples.paymenter.sides import find_program
from tests.docs.material import Block, blocks, lines
from tests.docs.shell import placed, refused, said_by, tried
from tests.journeys.edge import free_port
from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import Running

BLOCKS: dict[str, Block] = {block.marker: block for block in blocks("docs/tutorial.md") if block.marker}
DEEDS = ("edit", "backlink", "index")
ASKED = [*["id=start"] * 5, *[f"id={page}&do={deed}" for page in ("start", "money", "recipes:soup") for deed in DEEDS]]
PAGE = '<html><body><p>Costs 4.50.</p><img src="/lib/exe/taskrunner.php?id=start&{}"></body></html>'
SINCE = "strangler diffs --since 40s"


def page(clock: int) -> bytes:
    return ok(PAGE.format(clock).encode(), "Content-Type: text/html; charset=utf-8")


@pytest.fixture
async def sides() -> AsyncIterator[tuple[str, str]]:
    legacy, modern = Backend(always(page(1795236655))), Backend(always(page(1795236656)))
    await legacy.start()
    await modern.start()
    yield legacy.url, modern.url
    await legacy.stop()
    await modern.stop()


@asynccontextmanager
async def edge(folder: Path, legacy: str) -> AsyncIterator[tuple[str, int]]:
    """The nginx of the page, on a free port, with its log in this folder."""
    address = ("127.0.0.1", free_port())
    text = BLOCKS["nginx"].text.replace("127.0.0.1:8081", f"127.0.0.1:{address[1]}")
    (folder / "nginx.conf").write_text(text.replace("http://127.0.0.1:9001", legacy))
    process = await asyncio.create_subprocess_exec(
        find_program("nginx", package="nginx-light"),
        "-p", str(folder), "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;",
    )  # fmt: skip
    try:
        await listening(process, address)
        yield address
    finally:
        process.terminate()
        await process.wait()


async def listening(process: asyncio.subprocess.Process, address: tuple[str, int]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                (await raw.connect(address)).close()
            except OSError:
                assert process.returncode is None, "nginx has ended"
                await asyncio.sleep(0.02)
            else:
                return


async def crawl(address: tuple[str, int], *lines: str) -> None:
    client = await raw.connect(address)
    for query in ASKED:
        assert (await client.ask(raw.get(f"/doku.php?{query}", *lines, host="wiki.example"))).status == 200
    client.close()


def settings_of(folder: Path) -> dict[str, object]:
    return yaml.safe_load((folder / "proxy.yaml").read_text())


def settled(folder: Path) -> None:
    """What the page puts into the drafted file."""
    settings = settings_of(folder)
    settings["defaults"] |= yaml.safe_load(BLOCKS["ignore"].text)["defaults"]
    (folder / "proxy.yaml").write_text(yaml.safe_dump(settings))


def mirrored(folder: Path) -> str:
    """What the page says of live traffic."""
    settings = settings_of(folder)
    settings["defaults"] |= {"shadow": {"sample": "100%"}}
    settings["listen"] |= {"trusted_proxies": ["127.0.0.1/32"]}
    return yaml.safe_dump({**settings, "identity": ["cookie:DokuWiki"]})


async def test_a_log_becomes_a_comparison_that_agrees_as_told(tmp_path: Path, sides: tuple[str, str]):
    here = placed(sides)
    async with edge(tmp_path, sides[0]) as users:
        await crawl(users)

    init = await tried(BLOCKS["init"], tmp_path, **here)
    drafted = (tmp_path / "proxy.yaml").read_text()
    against = await tried(BLOCKS["against"], tmp_path, **here)
    replay = await tried(BLOCKS["replay"], tmp_path, **here)
    settled(tmp_path)
    rejudge = await tried(BLOCKS["rejudge"], tmp_path, **here)
    checked = await tried(BLOCKS["mirror"], tmp_path, **here)

    assert refused({**init, **against, **rejudge, **checked}) == {}
    assert "?do= probably tells its pages apart; one route has them all" in said(init)
    assert 'match: {path: /doku.php, methods: [GET], query: {"do": "edit"}}' in drafted
    assert re.search(rf"(?m)^doku-php +{len(ASKED)} ", said(against))
    assert [code for code, _ in replay.values()] == [1]
    assert f"doku-php: {len(ASKED)} different" in said(replay)
    assert said(rejudge) == f"doku-php: {len(ASKED)} equal; answered {len(ASKED)} x 2xx\n"
    assert len(checked) == 1


async def test_live_traffic_is_mirrored_and_agrees_as_told(tmp_path: Path, sides: tuple[str, str]):
    async with edge(tmp_path, sides[0]) as users:
        await crawl(users)
    await tried(BLOCKS["init"], tmp_path, **placed(sides))
    settled(tmp_path)

    async with Running(tmp_path, mirrored(tmp_path), **placed(sides)) as proxy:
        host, _, port = proxy.users.removeprefix("http://").rpartition(":")
        async with asyncio.timeout(60):
            while not await compared(proxy):
                await crawl((host, int(port)), "Cookie: DokuWiki=a")
        code, told = await said_by(SINCE, tmp_path, STRANGLER_ADMIN_URL=proxy.admin_url)

    assert lines(BLOCKS["since"]) == [SINCE]
    assert (code, told) == (0, "no differences\n")


async def compared(proxy: Running) -> int:
    """How many answers were found to mean the same."""
    (route,) = [each for each in (await proxy.json("/api/v1/status"))["routes"] if each["name"] == "doku-php"]
    return route["compare"]["totals"]["equal"]


def said(outcomes: dict[str, tuple[int, str]]) -> str:
    return "".join(text for _, text in outcomes.values())


def test_every_block_that_is_marked_is_run():
    assert BLOCKS.keys() == {"nginx", "init", "against", "replay", "ignore", "rejudge", "mirror", "since"}
