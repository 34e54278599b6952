from __future__ import annotations

import configparser
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from examples.paymenter.sides import (
    LEGACY_CODE,
    MODERN_CODE,
    Database,
    Legacy,
    Modern,
    SideError,
    find_program,
)
from tests.examples.asking import ask
from tests.examples.meaning import differences, read
from tests.support.running import ROOT

sys.path.insert(0, str(MODERN_CODE))
from paymenter.packages import MYSQL, PACKAGES


def _processes_in(group: int) -> list[str]:
    """Who is still alive in a process group, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        state, _, member_of = text.rpartition(")")[2].split()[:3]
        if int(member_of) == group and state != "Z":
            found.append(text)
    return found


def test_the_old_side_runs_under_fpm_and_nginx(started_sides):
    with Legacy(started_sides.database, mode="fpm") as served:
        answers = {
            path: (ask(served, "GET", path, user=1), ask(started_sides.legacy, "GET", path, user=1))
            for path in ("/health", "/api/me", "/api/plans", "/api/v1/admin/invoices/7", "/api/v1/admin/users/a%2Fb")
        }
        denied = ask(served, "GET", "/api/me")
        login = {"username": "client60@example.com", "password": "demo-password"}
        token = ask(served, "POST", "/oauth/token", form=login)
        head = ask(served, "HEAD", "/api/me", user=1)
        connection = http.client.HTTPConnection(served.host, served.port, timeout=5)
        for _ in range(3):
            connection.request("GET", "/health")
            kept = connection.getresponse().read()
        connection.close()
        hosts = (served.address, started_sides.legacy.address)

    for path, (fpm, builtin) in answers.items():
        assert fpm.status == builtin.status, path
        assert differences(read(fpm), read(builtin), hosts=hosts) == [], path
    assert (denied.status, token.status, head.status, head.body, kept) == (401, 200, 200, b"", b'{"status":"ok"}')


@pytest.mark.parametrize("make", [Legacy, lambda data: Legacy(data, mode="fpm"), Modern], ids=["php", "fpm", "uvicorn"])
def test_ending_a_side_ends_every_process_it_started(started_sides, make):
    with make(started_sides.database) as side:
        groups = [process.pid for process in side._processes]
        while_up = [process for group in groups for process in _processes_in(group)]
        folder = side.folder

    assert len(while_up) >= len(groups)
    assert [process for group in groups for process in _processes_in(group)] == []
    assert not folder.exists()


def test_a_killed_side_comes_back_on_the_same_port(started_sides):
    with Legacy(started_sides.database) as side:
        port = side.port
        side.kill()
        with pytest.raises(OSError, match="refused"):
            ask(side, "GET", "/health")

        side.revive()

        assert side.port == port
        assert ask(side, "GET", "/health").status == 200


def test_a_taken_port_is_an_error_that_says_so(started_sides):
    taken = started_sides.legacy.port

    with pytest.raises(SideError, match=r"(?i)in use"), Modern(started_sides.database, port=taken):
        pytest.fail("the port was taken")


def test_a_missing_program_names_its_debian_package():
    with pytest.raises(SideError, match="apt-get install php-fpm"):
        find_program("php-fpm-that-is-nowhere", package="php-fpm")


def without_extensions(folder: Path, *missing: str) -> str:
    """A folder of PHP's settings as this machine's, some extensions left out."""
    there = Path(subprocess.check_output(["php", "-r", "echo PHP_CONFIG_FILE_SCAN_DIR;"], text=True))
    for path in there.glob("*.ini"):
        if path.stem.partition("-")[2] not in missing:
            shutil.copy(path, folder)
    return str(folder)


class Answering(Legacy):
    """Is waited for until it answers anything."""

    def _is_healthy(self) -> bool:
        try:
            return ask(self, "GET", "/health").status > 0
        except OSError:
            return False


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (["mbstring"], "PHP lacks mbstring: apt-get install php-mbstring"),
        (
            ["mbstring", "pdo_sqlite"],
            "PHP lacks mbstring, pdo_sqlite: apt-get install php-mbstring php-sqlite3",
        ),
    ],
)
def test_a_php_without_its_extensions_says_what_to_install_and_serves_nothing(
    started_sides, tmp_path, monkeypatch, missing, sentence
):
    monkeypatch.setenv("PHP_INI_SCAN_DIR", without_extensions(tmp_path, *missing))

    with Answering(started_sides.database) as side:
        health = ask(side, "GET", "/health")
        other = ask(side, "POST", "/oauth/token", form={"username": "a@example.com", "password": "x"})

    assert (health.status, other.status) == (503, 503)
    assert health.json == other.json == {"status": "down", "message": sentence}
    with pytest.raises(SideError, match=f"^{sentence}$"), Legacy(started_sides.database):
        pytest.fail("it started")


@pytest.mark.parametrize("missing", ["bcrypt", "fastapi", "python_multipart"])
def test_a_python_without_its_packages_says_what_to_install(started_sides, tmp_path, monkeypatch, missing):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    package = missing.replace("_", "-")

    with (
        pytest.raises(SideError, match=f"^Python lacks {missing}: pip install {package}$"),
        Modern(started_sides.database),
    ):
        pytest.fail("it started")


def test_what_the_python_side_needs_is_what_its_extra_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        re.split(r"[<>=;\[ ]", line)[0]
        for line in (*project["optional-dependencies"]["example"], *project["dependencies"])
    }

    assert {*PACKAGES.values(), *MYSQL.values()} <= named
    assert {re.split("[<>=]", line)[0] for line in project["optional-dependencies"]["example"]} == {
        *PACKAGES.values(),
        *MYSQL.values(),
    } - {"pydantic"}


def test_what_the_php_side_needs_is_installed_wherever_it_runs():
    named = configparser.ConfigParser()
    named.read(LEGACY_CODE / "extensions.ini")
    needed = {*named["always"].values(), *named["sqlite"].values()}
    demo = subprocess.check_output(["make", "-n", "demo", "PYTHON="], cwd=ROOT, text=True)

    assert {f"{path}:{needed}" for path, needed in ((f"/usr/lib/php/*/{name}.so", named[kind][name])
            for kind in ("always", "sqlite") for name in named[kind])} <= set(demo.split())  # fmt: skip
    assert needed <= set((ROOT / "deploy/Containerfile").read_text().split())
    assert needed <= set(re.findall(r"[a-z0-9-]+", (ROOT / "examples/paymenter/README.md").read_text()))


def test_a_database_is_gone_after_its_run():
    with Database() as database:
        path = Path(database.url.removeprefix("sqlite:///"))
        assert path.exists()

    assert not path.exists()
    assert re.fullmatch("[0-9a-f]{64}", database.key) or os.environ.get("PAYMENTER_JWT_KEY")


def test_the_module_runs_both_sides_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "examples.paymenter.sides", "--legacy-port", "0", "--modern-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        process.communicate(timeout=10)

    assert [line.split()[0] for line in lines] == ["legacy", "modern", "database"]
    assert process.returncode == 0
    assert time.monotonic() - begun < 10
    assert not Path(lines[2].split()[1].removeprefix("sqlite:///")).exists()
