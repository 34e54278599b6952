"""A tab completes the names of routes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from proxy.cli.common import route_names
from rules.config import load
from tests.architecture.source import ROOT
from tests.support.running import config

FILE = """\
backends:
  - name: never-a-route
routes:
  - name: profile
    match: {path: /a}
  - {name: "pro-2", match: {path: /b}}
  # - name: prohibited-by-hash-is-completed-all-the-same
  - name: 'other'
"""


def names(path: Path | None, incomplete: str = "") -> list[str]:
    return route_names(SimpleNamespace(params={"config": str(path)} if path else {}), incomplete)


def test_names_that_begin_so_are_offered(tmp_path: Path):
    file = tmp_path / "proxy.yaml"
    file.write_text(FILE)

    assert names(file) == ["profile", "pro-2", "other"]
    assert names(file, "pro") == ["profile", "pro-2"]
    assert names(file, "never") == []


def test_every_route_of_the_repositorys_file_is_found():
    routes = load((ROOT / "proxy.yaml").read_text(), "proxy.yaml").routes

    assert names(ROOT / "proxy.yaml") == [route.name for route in routes]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"routes: 7"])
def test_a_file_that_says_nothing_offers_nothing(tmp_path: Path, content: bytes):
    file = tmp_path / "proxy.yaml"
    file.write_bytes(content)

    assert names(file) == []
    assert names(tmp_path / "missing.yaml") == []


def test_a_shell_gets_them(tmp_path: Path):
    (tmp_path / "proxy.yaml").write_text(config("http://127.0.0.1:1"))
    asked = {
        "_STRANGLER_COMPLETE": "complete_bash",
        "COMP_WORDS": "strangler rollback pr",
        "COMP_CWORD": "2",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-m", "proxy"],
        cwd=tmp_path,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.stdout.split() == ["profile"]
