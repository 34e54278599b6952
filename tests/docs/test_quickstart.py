"""The quick start, with two terminals: the demonstration in the first, every block of the page in the second."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from examples.paymenter.tokens import token_for
from tests.docs.material import ROOT, Block, blocks, lines
from tests.support.terminal import CTRL_C, PATIENCE, Terminal

BLOCKS: dict[str, Block] = {
    block.marker: block for block in blocks("docs/quickstart.md") if block.language == "console"
}
KEY = "the-key-that-both-sides-verify-tokens-with"
SOURCE = ". .venv/bin/activate"
INVOICES = [f"/api/v1/admin/invoices/{number}" for number in range(1, 13)]
"""More of them differ by a cent than not."""
PLANS = ["/api/plans"]
"""Modern serves all users."""


@dataclass(frozen=True)
class Told:
    """Where everything is, as the first terminal says."""

    modern: str
    users: str
    admin: str


class Second:
    """The second terminal: a shell in this folder, where the program is in the path."""

    def __init__(self, told: Told) -> None:
        self._told = told

    async def types(self, marker: str) -> dict[str, tuple[int, str]]:
        """Every line of a block in turn: its exit code, what it said."""
        return {line: await self.runs(line) for line in lines(BLOCKS[marker]) if line != SOURCE}

    async def runs(self, line: str) -> tuple[int, str]:
        """One line, with the addresses of this run."""
        there = line.replace("http://127.0.0.1:8000", self._told.modern)
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        environ = {**clean(), "PATH": path, "STRANGLER_ADMIN_URL": self._told.admin}
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", there, cwd=ROOT, env=environ,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            said = (await process.communicate())[0].decode()
        assert process.returncode is not None
        return process.returncode, said


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")} | {"NO_COLOR": "1"}


@asynccontextmanager
async def busy(told: Told, paths: Sequence[str]) -> AsyncIterator[None]:
    """Somebody of the staff looks at one page after the other: the demonstration's own users take half a minute."""
    who = {"Authorization": f"Bearer {token_for(1, KEY, 'admin')}", "Cookie": "uid=1"}

    async def look() -> None:
        async with aiohttp.ClientSession(headers=who) as session:
            while True:
                for path in paths:
                    async with session.get(told.users + path) as answer:
                        await answer.read()
                    # slowly: a proxy that is late itself makes no copies
                    await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    try:
        yield
    except AssertionError:
        async with aiohttp.ClientSession() as session, session.get(f"{told.admin}/api/v1/routes/invoice") as answer:
            print(await answer.text())
        raise
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def once(ask: Callable[[], Awaitable[dict[str, tuple[int, str]]]], word: str) -> dict[str, tuple[int, str]]:
    """Ask until the word is in one of the answers."""
    async with asyncio.timeout(PATIENCE):
        answers = await ask()
        while not any(word in said for _, said in answers.values()):
            answers = await ask()
    return answers


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def refused(said: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    return {line: outcome for line, outcome in said.items() if outcome[0]}


async def test_the_quick_start_goes_as_the_page_says(tmp_path: Path):
    demo = (sys.executable, "-m", "examples.paymenter.demo", "--seconds", "2", "--rate", "10")
    environ = {**clean(), "TMPDIR": str(tmp_path), "PAYMENTER_JWT_KEY": KEY}
    async with Terminal(*demo, folder=ROOT, environ=environ) as first:
        addresses = await first.says(r"legacy PHP \S+, modern FastAPI (\S+), proxy (\S+)\n[^\n]*console +(\S+)/\n")
        told = Told(*addresses.groups())
        second = Second(told)
        await first.says("What happens meanwhile:")
        printed = re.findall(r"(?m)^(?:a cent off|  which field|all 500|sound again) +(.*)$", first.text)

        look = await second.types("look")
        async with busy(told, INVOICES):
            cent = await second.types("cent")
            await first.says("rollback invoice by guard: ")
            field = await once(lambda: second.types("field"), "/tax")
        begun = len(first.text)
        mend = await second.types("mend")
        await first.says("resume invoice by ", after=begun)
        async with busy(told, PLANS):
            fail = await second.types("fail")
            await first.says(r"rollback plans by \S+: consecutive", after=begun)

        first.type(CTRL_C)
        code = await first.ends()

    assert {**refused(look), **refused(cent), **refused(mend), **refused(fail)} == {}
    assert "no differences" in look["strangler diffs"][1]
    assert list(field) == ["strangler diffs invoice"]
    assert re.search(r"(?m)^\w{16}  invoice  /tax  value  \d+ times$", field["strangler diffs invoice"][1])
    assert re.search(r"rollback +invoice", mend["strangler events"][1])
    assert printed == [_at(told, line) for line in (*cent, *_with_path(field), *fail, next(iter(mend)))]
    assert code == 0, first.text
    assert re.search(r"(?m)^[1-9]\d* requests sent meanwhile, \d+ lost$", first.text)
    assert set(re.findall(r"(?m)^lost: (\w+) ", first.text)) <= {"POST", "PUT"}
    assert left_in(tmp_path) == []


def _at(told: Told, line: str) -> str:
    return line.replace("http://127.0.0.1:8000", told.modern)


def _with_path(said: dict[str, tuple[int, str]]) -> list[str]:
    """The same without an activated environment."""
    return [f".venv/bin/{line}" for line in said]


async def test_what_starts_it_is_what_is_run_here():
    process = await asyncio.create_subprocess_exec(
        "make", "--dry-run", *BLOCKS["start"].text.split()[1:], cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )

    said = (await process.communicate())[0].decode()

    assert process.returncode == 0
    assert ".venv/bin/python -m examples.paymenter.demo" in said


def test_every_console_block_is_run():
    assert BLOCKS.keys() == {"start", "look", "cent", "field", "mend", "fail"}
