"""The wheel takes no name but its own, and works beside a distribution that owns `proxy` and `rules`.

Run beside compiled modules (`make test-compiled`) it is the compiled wheel that is looked at.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from proxy.settings import is_compiled
from tests.support.backend import Backend, always, ok
from tests.support.running import ROOT, Running
from tests.support.waiting import PATIENCE

FOREIGN = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "foreign"
version = "1"

[tool.hatch.build.targets.wheel]
packages = ["proxy", "rules"]
""",
    "proxy/__init__.py": "OWNER = 'foreign'\n",
    "proxy/__main__.py": "raise SystemExit('the wrong proxy')\n",
    "rules/__init__.py": "OWNER = 'foreign'\n",
}
HOOK = """\
from comparators import Comparison

def judge(legacy, modern):
    return Comparison("equal")
"""
CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0", workers: 1}}
admin: {{address: "127.0.0.1:0"}}
store: "sqlite:var/s.db"
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
routes:
  - name: all
    match: {{path: /api/me, methods: [GET]}}
    shadow: {{sample: 100%, recheck: {{per_minute: 0}}}}
    compare: {{custom: "own_hook:judge"}}
"""


def run(*words: str | Path, folder: Path = Path("/")) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, cwd=folder, env=clean, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def pip(*words: str | Path) -> None:
    run(sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *words)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree: packed now, or by what compiled it."""
    if is_compiled():
        made = (ROOT.parents[1] / "dist").glob(f"strangler_proxy-*-cp{sys.version_info[0]}{sys.version_info[1]}-*.whl")
        return max(made, key=lambda path: path.stat().st_mtime)
    folder = tmp_path_factory.mktemp("dist")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and a distribution of the same names; what both need is this one's."""
    folder = tmp_path_factory.mktemp("installed")
    foreign = folder / "foreign"
    for name, text in FOREIGN.items():
        (foreign / name).parent.mkdir(parents=True, exist_ok=True)
        (foreign / name).write_text(text)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv/bin/python"
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))
    install = ("--python", python, "install", "--no-deps", "--no-index", "--no-build-isolation")
    pip(*install, wheel)
    pip(*install, foreign)
    return folder / "venv"


class Installed(Running):
    """The command as the wheel installs it."""

    def __init__(self, program: Sequence[str], folder: Path, text: str) -> None:
        super().__init__(folder, text)
        self.program = program


def test_the_wheel_has_one_name_of_its_own(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    shared = {name.partition("/share/")[2] for name in names if "/share/" in name}

    assert {top for top in tops if not top.startswith("strangler_proxy-")} == {"strangler"}
    assert "strangler/py.typed" in names
    assert {"strangler/proxy.yaml", "strangler/strangler.service", "strangler/runbooks/rolled-back.md"} <= shared
    assert not [name for name in names if name.endswith((".pyc", ".c"))]


def test_each_of_two_distributions_has_its_own_names(installed: Path):
    python = installed / "bin/python"
    build = "compiled" if is_compiled() else "interpreted"

    assert run(python, "-c", "import proxy, rules; print(proxy.OWNER, rules.OWNER)") == "foreign foreign"
    assert run(installed / "bin/strangler", "--version").endswith(f"({build})")
    assert run(python, "-m", "strangler", "--version").endswith(f"({build})")


def test_entry_points_are_imported_from_the_package(installed: Path):
    script = """\
from strangler import comparators, rules
one = comparators.Capture("GET", "/", 200, (), b"1")
policy = comparators.Policy.from_mapping({})
print(comparators.compare(one, one, policy).verdict, rules.bucket("s", "u") == rules.bucket("s", "u"))
"""

    assert run(installed / "bin/python", "-c", script) == "equal True"


def test_a_foreign_package_that_is_in_use_already_is_reported(installed: Path):
    script = """\
import rules
try:
    from strangler import rules
except ImportError as error:
    print(error)
"""

    assert "in a process of its own" in run(installed / "bin/python", "-c", script)


@pytest.fixture
async def sides():
    both = [Backend(always(ok(body, "Content-Type: application/json"))) for body in (b'{"n": 1}', b'{"n": 2}')]
    for side in both:
        await side.start()
    yield both
    for side in both:
        await side.stop()


@pytest.mark.parametrize("start", [("bin/strangler",), ("bin/python", "-m", "strangler")])
async def test_every_process_is_ours_and_so_is_what_a_hook_imports(
    installed: Path, tmp_path: Path, start: tuple[str, ...], sides: list[Backend]
):
    (tmp_path / "own_hook.py").write_text(HOOK)
    legacy, modern = (side.url for side in sides)

    async with Installed(
        [str(installed / start[0]), *start[1:]], tmp_path, CONFIG.format(legacy=legacy, modern=modern)
    ) as proxy:
        totals = await compared(proxy)

    assert totals["equal"] >= 1
    assert totals["different"] == 0


async def compared(proxy: Running) -> dict[str, int]:
    """What became of the route's pairs, as soon as one was compared: a busy machine sheds some."""
    async with asyncio.timeout(PATIENCE):
        while True:
            assert (await proxy.get("/api/me")).status == 200
            routes = (await proxy.json("/api/v1/status"))["routes"]
            totals: dict[str, int] = next(route["compare"]["totals"] for route in routes if route["name"] == "all")
            if totals["equal"] or totals["different"]:
                return totals
            await asyncio.sleep(0.05)
