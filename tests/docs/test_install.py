"""The commands of the installation page work in their order, in folders of the test.

The managers of packages, accounts and services are stand-ins that write down what they are asked for; files, modes and
every `strangler` are real.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
import tomllib
from pathlib import Path

import orjson
import pytest

from tests.docs.material import ROOT, Block, blocks
from tests.support.backend import Backend, always, ok
from tests.support.running import Running

PAGE = {block.marker: block for block in blocks("docs/install.md") if block.marker}
ORDER = ("package", "account", "file", "tokens", "service", "nginx", "shadow", "upgrade", "back")
STAND_INS = ("python3", "useradd", "chown", "chgrp", "systemctl", "nginx")
FOLDERS = ("/opt/strangler", "/etc", "/var/lib/strangler", "/var/log/nginx")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SHARED: dict[str, str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
"""What the wheel puts beside the program, by its place in the tree."""
LINE = '127.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /api/me HTTP/1.1" 200 40 "-" "browser"\n'


class Machine:
    """A folder that stands for the root of a server."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tools = root / "tools"
        self.asked = root / "asked"
        for folder in ("tools", "opt/strangler/bin", "etc/nginx/conf.d", "etc/systemd/system", "var/log/nginx"):
            (root / folder).mkdir(parents=True)
        (root / "var/log/nginx/access.log").write_text(LINE * 3)
        for name in STAND_INS:
            self._program(self.tools / name, f'echo {name} "$@" >> {self.asked}')
        self._program(root / "opt/strangler/bin/pip", f'echo pip "$@" >> {self.asked}')
        self._program(root / "opt/strangler/bin/strangler", f'cd {ROOT} && exec {sys.executable} -m proxy "$@"')
        share = root / "opt/strangler/share/strangler"
        share.mkdir(parents=True)
        for source, place in SHARED.items():
            if place.startswith("share/strangler/") and (ROOT / source).is_file():
                (share / Path(place).name).write_text((ROOT / source).read_text())

    def _program(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def placed(self, text: str) -> str:
        """The text with this machine's folders."""
        for folder in FOLDERS:
            text = text.replace(f"{folder}/", f"{self.root}{folder}/").replace(f"{folder} ", f"{self.root}{folder} ")
            text = text.replace(f"{folder}\n", f"{self.root}{folder}\n")
        return text

    async def types(self, block: Block, **environ: str) -> str:
        """Type every line of a block; what was said."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STRANGLER_")}
        process = await asyncio.create_subprocess_exec(
            "sh", "-ec", self.placed(block.text), cwd=self.root,
            env={**clean, "PATH": f"{self.tools}:{os.environ['PATH']}", **environ},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(60):
            said = (await process.communicate())[0].decode()
        assert process.returncode == 0, (block.marker, said)
        return said


def test_the_page_has_its_blocks_in_their_order_and_none_that_is_not_run():
    assert tuple(PAGE) == ORDER
    assert [block for block in blocks("docs/install.md") if not block.marker] == []


def test_the_service_starts_what_the_wheel_installs_where_the_page_puts_it():
    unit = (ROOT / "deploy/systemd/strangler.service").read_text()
    (made,) = re.findall(r"(?m)^python3 -m venv (\S+)$", PAGE["package"].text)
    started = set(re.findall(r"(?m)^Exec\w+=(\S+)", unit))

    assert started == {f"{made}/bin/{name}" for name in PROJECT["project"]["scripts"]}
    for place, copied in (("service", "strangler.service"), ("nginx", "nginx.conf")):
        assert f"cp {made}/share/strangler/{copied} " in PAGE[place].text
        assert f"share/strangler/{copied}" in SHARED.values()


@pytest.fixture
async def side():
    backend = Backend(always(ok(b'{"id": 42}', "Content-Type: application/json")))
    await backend.start()
    yield backend
    await backend.stop()


async def test_a_server_is_installed_upgraded_and_left_as_told(tmp_path: Path, side: Backend):
    machine = Machine(tmp_path)
    places = {f"STRANGLER_BACKENDS__{name}__URL": side.url for name in ("LEGACY", "MODERN")}
    said = {name: await machine.types(PAGE[name]) for name in ORDER[:6]}
    file, environment = (tmp_path / "etc/strangler" / name for name in ("proxy.yaml", "environment"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (file, environment, file.parent)}
    tokens = dict(line.split("=", 1) for line in environment.read_text().splitlines())
    (tmp_path / "run").mkdir()
    ports = {"STRANGLER_LISTEN__ADDRESS": "127.0.0.1:0", "STRANGLER_ADMIN__ADDRESS": "127.0.0.1:0"}
    async with Running(tmp_path / "run", file.read_text(), **ports, **places, **tokens) as proxy:
        admin = {"STRANGLER_ADMIN_URL": proxy.admin_url, **tokens}
        said |= {name: await machine.types(PAGE[name], **admin) for name in ORDER[6:]}
        stages = {route["name"]: route["stage"] for route in (await asked(proxy, tokens))["routes"]}

    assert said["package"].startswith("strangler ")
    assert modes == {"proxy.yaml": 0o640, "environment": 0o600, "strangler": 0o750}
    assert {len(token) > 30 for token in tokens.values()} == {True}
    assert "shadow: {sample: 10%}" in file.read_text()
    assert stages["me"] == "rolled_back"
    assert not (tmp_path / "etc/nginx/conf.d/strangler.conf").exists()
    service = [line for line in machine.asked.read_text().splitlines() if line.startswith("systemctl")]
    assert service[1] == "systemctl enable --now strangler"
    assert service[-1] == "systemctl disable --now strangler"


async def asked(proxy: Running, tokens: dict[str, str]) -> dict:
    """The status, with the token that may look."""
    answer = await proxy.admin("/api/v1/status", f"Authorization: Bearer {tokens['STRANGLER_VIEW_TOKEN']}")
    return orjson.loads(answer.body)
