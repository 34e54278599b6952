"""What a bare tree takes from this machine, and that no process in it stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.running import ROOT

sys.path.insert(0, str(ROOT / "deploy"))
from bare_tree import command_inside, package_sources, pip_settings

DEB822 = """\
# kept up by somebody
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/mirror.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://packages.example/cloud
Suites: cloud-bookworm nodistro
Components: main
"""
LINES = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/mirror.gpg] http://mirror.example/debian stable main non-free
deb http://mirror.example/debian-security bookworm-security main
deb https://packages.example/apt vendor-bookworm main
deb-src http://mirror.example/debian bookworm main
"""


def folder_of_apt(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        place = folder if name == "sources_list" else folder / "sources.list.d"
        (place / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_sources_are_this_machines_with_the_suites_of_the_release(tmp_path: Path, release: str):
    sources = package_sources(folder_of_apt(tmp_path, debian_sources=DEB822), "bookworm", release)

    assert sources == {
        "debian.sources": (
            "Types: deb\nURIs: http://mirror.example/debian\n"
            f"Suites: {release} {release}-updates\nComponents: main contrib\n"
            "Signed-By: /usr/share/keyrings/mirror.gpg\n\n"
            f"Types: deb\nURIs: http://mirror.example/debian-security\nSuites: {release}-security\nComponents: main\n"
        )
    }


def test_one_line_sources_keep_their_options_and_lose_other_vendors(tmp_path: Path):
    sources = package_sources(folder_of_apt(tmp_path, sources_list=LINES), "bookworm", "trixie")

    assert sources["sources.list"].splitlines() == [
        "deb [arch=amd64 signed-by=/usr/share/keyrings/mirror.gpg] http://mirror.example/debian trixie main non-free",
        "deb http://mirror.example/debian-security trixie-security main",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("debian_sources", "Enabled: no\n" + DEB822.split("\n\n")[1]),
        ("debian_sources_disabled", DEB822),
        ("vendor_list", "deb https://packages.example/apt vendor-bookworm main\n"),
    ],
)
def test_what_is_off_or_not_debians_is_no_source(tmp_path: Path, name: str, text: str):
    assert package_sources(folder_of_apt(tmp_path, **{name: text}), "bookworm", "trixie") == {}


def test_a_machine_of_another_system_has_no_sources_to_give(tmp_path: Path):
    assert package_sources(folder_of_apt(tmp_path, debian_sources=DEB822), "none", "trixie") == {}


def test_pip_is_told_of_the_index_and_of_nothing_on_this_machines_disk(tmp_path: Path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://index.example/simple\nfind-links = /opt/wheels https://wheels.example/\n"
        "extra-index-url = file:///srv/simple\n    https://more.example/simple\ncache-dir = /var/cache/pip\n"
        "[install]\nuser = true\nproxy = http://proxy.example:3128\n"
    )
    (tmp_path / "pins.txt").write_text("")
    environ = {
        "PIP_INDEX_URL": "https://other.example/simple",
        "PIP_FIND_LINKS": "/nowhere ./wheels ~/wheels",
        "PIP_PROXY": "http://nearer.example:3128",
        "PIP_CONSTRAINT": str(tmp_path / "pins.txt"),
        "PIP_CERT": "/no/such/file.pem",
        "PIP_TARGET": "/srv/site",
        "HOME": "/root",
    }

    assert pip_settings([tmp_path / "absent.conf", tmp_path / "pip.conf"], {}) == {
        "global": {
            "index-url": "https://index.example/simple",
            "find-links": "https://wheels.example/",
            "extra-index-url": "https://more.example/simple",
        },
        "install": {"proxy": "http://proxy.example:3128"},
    }
    assert pip_settings([tmp_path / "pip.conf"], environ)["global"] == {
        "index-url": "https://other.example/simple",
        "find-links": "https://wheels.example/",
        "extra-index-url": "https://more.example/simple",
        "proxy": "http://nearer.example:3128",
        "constraint": str(tmp_path / "pins.txt"),
    }
    assert pip_settings([], {}) == {}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The least that commands run in: this machine's /usr is bound into it."""
    if os.geteuid() != 0:
        pytest.skip("a tree is for root")
    for name in ("proc", "dev", "sys"):
        (tmp_path / name).mkdir()
    for name in ("bin", "sbin", "lib", "lib64"):
        (tmp_path / name).symlink_to(f"usr/{name}")
    return tmp_path


def inside(tree: Path, script: str) -> subprocess.CompletedProcess[str]:
    command = command_inside(tree, ["/bin/sh", "-c", script], mounts={Path("/usr"): "/usr"})
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "SECRET_OF_THIS_MACHINE": "x"},
    )  # fmt: skip


def test_a_command_in_a_tree_sees_its_own_processes_devices_and_no_variable_of_this_machine(tree: Path):
    done = inside(tree, "env; ls /dev; ls /proc | grep -c '^[0-9]'; echo x >/dev/null; ls /dev/shm /dev/pts; exit 3")

    assert done.returncode == 3, done.stderr
    assert "SECRET" not in done.stdout
    assert "HOME=" not in done.stdout
    assert {"null", "urandom", "ptmx", "shm", "fd"} <= set(done.stdout.split())
    assert int(next(line for line in done.stdout.splitlines() if line.isdigit())) < 10


def test_nothing_of_what_ran_in_a_tree_stays(tree: Path):
    begun = time.monotonic()
    done = inside(tree, "sleep 61.7 & echo started")

    assert done.stdout == "started\n", done.stderr
    assert time.monotonic() - begun < 60
    assert str(tree) not in Path("/proc/self/mountinfo").read_text()
    assert not (tree / "dev/null").exists()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"61.7" in _text(path)]


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_tree_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    script = "import sys; sys.path.insert(0, sys.argv[1]); import bare_tree; from pathlib import Path;"
    script += "bare_tree.plant(Path(sys.argv[2]) / 'no' / 'such', 'trixie')"
    command = [sys.executable, "-c", script, str(ROOT / "deploy"), str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path)}, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("no bare tree of Debian 13 could be made: ")
    assert done.stderr.count("\n") == 1


def test_a_machine_that_refuses_namespaces_is_one_sentence(tmp_path: Path):
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    script = "import sys; sys.path.insert(0, sys.argv[1]); import bare_tree; bare_tree.apart_or_exit()"

    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT / "deploy")],
        capture_output=True, text=True, env={"PATH": f"{tmp_path}:/bin"}, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "this machine refuses: unshare: unshare failed: Operation not permitted" in done.stderr
