"""`make demo` without a terminal: it runs, prints which side served what, leaves nothing behind."""

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


async def demo(folder: Path, seconds: int, **variables: str) -> tuple[int | None, str]:
    """Its exit code, and what it said."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.paymenter.demo", "--seconds", str(seconds),
        cwd=ROOT, env={**environ, "TMPDIR": str(folder), **variables}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            said = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.terminate()  # as Ctrl-C: it ends what it started
            await process.wait()
    return process.returncode, said


async def test_the_demo_ends_by_itself_and_says_who_answered_what(tmp_path: Path):
    code, said = await demo(tmp_path, 5)

    rows = dict(re.findall(r"(?m)^[│ ]*([a-z][a-z0-9-]+|_default) *[│ ](.*)$", said))
    figures = {name: [cell.strip() for cell in row.strip("│ ").split("│")] for name, row in rows.items()}
    assert code == 0, said
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


async def test_what_is_lost_is_shown_with_the_first_answer_and_the_logs(tmp_path: Path):
    (tmp_path / "settings").mkdir()
    # There, but refused: what a machine may have that no list of packages knows of.
    (tmp_path / "settings/broken.ini").write_text("disable_functions = mb_strlen\n")

    code, said = await demo(tmp_path, 2, PHP_INI_SCAN_DIR=f":{tmp_path}/settings")

    lost = re.findall(r"(?m)^lost: POST \S+ 500: (\d+) times, the first: (.+)$", said)
    logs = _logs(said)
    assert code == 1, said
    assert lost, said
    assert all(int(count) and text == '{"message":"Server Error"}' for count, text in lost)
    assert logs.keys() == {"legacy", "modern", "proxy"}
    assert "Call to undefined function mb_strlen()" in logs["legacy"]


def _logs(said: str) -> dict[str, str]:
    told = re.findall(r"(?m)^log of (\w+): (\S+), \d+ lines$", said)
    return {name: Path(path).read_text() for name, path in told}


async def test_what_php_lacks_is_one_sentence_and_the_end(tmp_path: Path):
    (tmp_path / "none").mkdir()

    code, said = await demo(tmp_path, 3, PHP_INI_SCAN_DIR=str(tmp_path / "none"))

    assert code == 1, said
    lines = said.splitlines()
    assert lines[-1] == "PHP lacks mbstring, pdo_sqlite: apt-get install php-mbstring php-sqlite3"
    assert "Traceback" not in said
    assert _left_behind(tmp_path) == [str(tmp_path / "none")]


def _share_left_open(said: str) -> float:
    """The share of the mirrored requests that are no evidence about the sides, apart from those of a busy machine."""
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
