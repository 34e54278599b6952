"""`make demo` where nobody watches: it runs, says who answered what, leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.journeys.configs import MACHINE_IS_BUSY
from tests.support.running import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_demo_ends_by_itself_and_says_who_answered_what(tmp_path: Path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.paymenter.demo", "--seconds", "5",
        cwd=ROOT, env={**environ, "TMPDIR": str(tmp_path)}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            said = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.terminate()  # as Ctrl-C: it ends what it started
            await process.wait()

    rows = dict(re.findall(r"(?m)^[│ ]*([a-z][a-z0-9-]+|_default) *[│ ](.*)$", said))
    figures = {name: [cell.strip() for cell in row.strip("│ ").split("│")] for name, row in rows.items()}
    assert process.returncode == 0, said
    assert re.search(r"\b0 lost", said)
    assert int(re.findall(r"(\d+) requests sent", said)[0]) >= 100
    assert figures.keys() >= {"login", "profile", "credits", "subscriptions", "plans"}, said
    stage, weight, legacy, _, legacy_errors, modern, p95, modern_errors = figures["profile"]
    assert (stage, weight) == ("canary", "25 %")
    assert int(legacy) > 0
    assert int(modern) > 0
    assert p95.endswith("ms")
    assert (legacy_errors, modern_errors) == ("0", "0")
    assert _share_left_open(said) < 0.2, said
    assert re.search(r"metrics +http://127\.0\.0\.1:\d+/metrics", said)
    assert _left_behind(tmp_path) == []


def _share_left_open(said: str) -> float:
    """The share of the mirrored requests that tell nothing about the sides, a machine with enough to do aside."""
    found = re.search(
        r"compared (\d+) of (\d+) requests that both sides can be asked, \d+ differ((?:, \w+ \d+)*)", said
    )
    assert found, said
    assert int(found[1]) > 0
    reasons = {reason: int(count) for reason, count in re.findall(r"(\w+) (\d+)", found[3])}
    return sum(count for reason, count in reasons.items() if reason not in MACHINE_IS_BUSY) / int(found[2])


def _left_behind(folder: Path) -> list[str]:
    """Files, or processes that were started with this folder for theirs."""
    mark = f"TMPDIR={folder}".encode()
    found = [str(path) for path in folder.iterdir()]
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environ.read_bytes():
                found.append(environ.parent.joinpath("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it ended meanwhile, or is none of ours
    return found
