"""The commands of the README work, in their order."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.material import ROOT, Block, blocks, lines, words
from tests.docs.shell import LIMIT, following, placed, read, refused, tried
from tests.support.backend import Backend, always, ok
from tests.support.running import Running

BLOCKS: dict[str, Block] = {block.marker: block for block in blocks("README.md") if block.marker}


@pytest.fixture
async def sides():
    answer = ok(b'{"id": 42, "items": [{"amount": 2}], "total": 2}', "Content-Type: application/json")
    legacy, modern = Backend(always(answer)), Backend(always(answer))
    await legacy.start()
    await modern.start()
    yield f"http://127.0.0.1:{legacy.port}", f"http://127.0.0.1:{modern.port}"
    await legacy.stop()
    await modern.stop()


def whole_way() -> str:
    """The first file with what `A route's way` puts into its route instead of the rollout."""
    kept = [line for line in BLOCKS["file"].text.splitlines() if "rollout:" not in line]
    return "\n".join([*kept, BLOCKS["more"].text])


async def test_the_first_route_and_its_way_work_as_told(tmp_path: Path, sides: tuple[str, str]):
    (follow,) = [line for line in lines(BLOCKS["way"]) if words(line)[1] == "events"]
    (tmp_path / "first.yaml").symlink_to("proxy.yaml")
    async with Running(tmp_path, BLOCKS["file"].text, **placed(sides)) as proxy:
        admin = {"STRANGLER_ADMIN_URL": proxy.admin_url}
        first = await tried(BLOCKS["first"], tmp_path, **admin)
        answer = await proxy.get("/api/me", "Cookie: uid=42")
        proxy.file.write_text(whole_way())
        reloaded = await proxy.reload()
        async with following(follow, tmp_path, **admin) as events:
            way = await tried(BLOCKS["way"], tmp_path, **admin)
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

    said = await tried(BLOCKS["recorded"], tmp_path, **placed(sides))

    advice = {line: said.pop(line) for line in list(said) if words(line)[1] == "doctor"}
    assert refused(said) == {}
    assert "3 equal" in next(text for line, (_, text) in said.items() if " replay " in line)
    assert [code for code, _ in advice.values()] in ([0], [1])  # what it finds is the machine's affair
    assert all("listen.address" in text for _, text in advice.values())


@pytest.mark.parametrize(("target", "runs"), [("demo", "python -m examples.paymenter.demo"), ("test", "pytest")])
async def test_both_commands_do_what_is_run_elsewhere(target: str, runs: str):
    process = await asyncio.create_subprocess_exec(
        "make", "--dry-run", target, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )

    told = (await process.communicate())[0].decode()

    assert process.returncode == 0
    assert runs in told


def packages_of(target: str) -> set[str]:
    """What the Makefile installs for a target on a machine that has nothing, not even Python."""
    told = subprocess.check_output(["make", "--dry-run", target, "PYTHON="], cwd=ROOT, text=True)
    (line,) = [line for line in told.splitlines() if line.startswith("deploy/need.sh")]
    return {pair.rpartition(":")[2] for pair in line.split()[1:]}


def table_of_targets() -> dict[str, set[str]]:
    """Each target and its packages; `those of X` are X's, less what stands behind `without`."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "README.md").read_text().splitlines():
        row = re.fullmatch(r"\| (`[a-z`, -]+) \| (.+?) \| (?:to install (?:it|them)|always) \| [^|]+ \| [^|]+ \|", line)
        if row is None:
            continue
        known = set[str]().union(*(found[name] for name in re.findall(r"those of `([a-z-]+)`", row[2])))
        without = set(re.findall(r"without `([a-z0-9-]+)`", row[2]))
        own = set(re.findall(r"`([a-z0-9-]+)`", re.sub(r"(?:those of|without) `[a-z0-9-]+`", "", row[2])))
        found |= dict.fromkeys(re.findall(r"`([a-z-]+)`", row[1]), known - without | own)
    return found


def test_the_table_of_targets_names_what_the_makefile_installs():
    makefile = (ROOT / "Makefile").read_text()
    table = table_of_targets()

    assert table.keys() == set(re.findall(r"(?m)^NEEDS_([a-z-]+) =", makefile))
    assert table == {target: packages_of(target) for target in table}


@pytest.fixture
def bare_folder(tmp_path: Path) -> Path:
    """The Makefile and what it calls, and a machine that has hardly a command, for an ordinary user."""
    for name in ("Makefile", "deploy/need.sh", "examples/paymenter/legacy-php/extensions.ini", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "make", "sed", "test"):
        (programs / name).symlink_to(shutil.which(name) or "/nowhere")
    for name, said in (("id", "echo 1000"), ("apt-get", "echo ran $*"), ("sudo", "echo ran $*")):
        (programs / name).write_text(f"#!/bin/sh\n{said}\n")
        (programs / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("targets", [["demo"], ["test"], ["demo", "bench"]])
def test_an_ordinary_user_gets_one_command_for_everything_before_anything_runs(bare_folder: Path, targets: list[str]):
    done = subprocess.run(
        ["make", *targets, "PYTHON="], cwd=bare_folder, env={"PATH": str(bare_folder / "bin")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    command = re.match(r"Please run: sudo apt-get update && sudo apt-get install -y --no-install-recommends (.*)\n",
                       done.stderr)  # fmt: skip
    assert done.returncode == 2
    assert command, done.stderr
    # By a path some are found on the machine of the test itself.
    certain = {"demo": {"php-cli", "curl"}, "test": {"redis-server", "chromium"}, "bench": {"gcc", "wrk"}}
    assert set(command[1].split()) >= {"python3-venv", *(name for target in targets for name in certain[target])}
    assert done.stdout == ""
    assert not (bare_folder / ".venv").exists()


def test_every_block_is_run_or_one_of_the_two_commands():
    unmarked = [block for block in blocks("README.md") if block.language == "console" and not block.marker]

    assert [line for block in unmarked for line in lines(block)] == ["make demo", "make test"]


def test_every_block_that_is_marked_is_run():
    assert BLOCKS.keys() == {"file", "first", "more", "way", "recorded"}
