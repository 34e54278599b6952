"""`make wheels` says of each Python why there is no wheel for it, and goes on with the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import ROOT

sys.path.insert(0, str(ROOT / "deploy"))
import wheels
from bare_tree import RELEASES

OWN = f"3.{sys.version_info[1]}"
SHIM, OTHER, MISSING = [version for version in wheels.VERSIONS if version != OWN]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine that has no Python but this one, and nothing to make a tree with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    return folder


def a_program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def a_python(folder: Path, version: str, says: str) -> Path:
    """A program that is asked for its version and says another or the same."""
    return a_program(folder, f"python{version}", f"echo {says}")


def test_an_interpreter_that_leads_nowhere_is_named_with_the_reason(machine: Path, capsys: pytest.CaptureFixture[str]):
    own = a_program(machine, f"python{OWN}", f'exec "{sys.executable}" "$@"')
    a_program(machine, f"python{SHIM}", "echo 'manager: command not found' >&2; exit 127")
    a_program(machine, f"python{OTHER}", f'exec "{sys.executable}" "$@"')

    found = [wheels.interpreter(version) for version in (OWN, SHIM, OTHER, MISSING)]

    assert found == [str(own), None, None, None]
    assert capsys.readouterr().err.splitlines() == [
        f"{machine}/python{SHIM} is no Python {SHIM} (manager: command not found)",
        f"{machine}/python{OTHER} is no Python {OTHER} (it is {OWN})",
    ]


def test_behind_a_shim_that_leads_nowhere_the_newest_of_a_version_manager_is_taken(machine: Path):
    a_program(machine, "python3.13", "exit 127")
    versions = machine.parent / ".pyenv/versions"
    a_python(versions / "3.13.9/bin", "3.13", "3.13")
    newest = a_python(versions / "3.13.10/bin", "3.13", "3.13")
    a_python(versions / "3.13.11t/bin", "3.13", "3.13t")  # without the lock: another wheel
    from_uv = a_python(machine.parent / ".local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin", "3.12", "3.12")

    assert wheels.interpreter("3.13") == str(newest)
    assert wheels.interpreter("3.12") == str(from_uv)


@pytest.mark.parametrize("version", wheels.VERSIONS)
def test_where_no_tree_can_be_made_a_sentence_says_what_to_do(version: str, capsys: pytest.CaptureFixture[str]):
    assert wheels.made_of(version, None) is None

    (said,) = capsys.readouterr().err.splitlines()
    why = "of the Debian release that has it" if wheels.VERSIONS[version] else "no Debian release has it"
    assert said.startswith(f"no wheel for Python {version}: it is not here, and ")
    assert why in said
    assert said.endswith(f"; install Python {version} (with pyenv: pyenv install {version}) or name one with --python")


def test_the_releases_are_those_of_which_a_tree_can_be_made():
    assert {release for release in wheels.VERSIONS.values() if release} == RELEASES.keys()


def test_without_any_it_ends_with_a_sentence(capsys: pytest.CaptureFixture[str]):
    assert wheels.main([]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "no wheel was made"


def test_one_that_cannot_be_made_is_named_and_the_others_are_made(machine: Path, capsys: pytest.CaptureFixture[str]):
    broken = [str(a_program(machine, name, "echo 311; exit 3")) for name in ("one", "other")]

    assert wheels.main([word for python in broken for word in ("--python", python)]) == 1

    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == [f"no wheel with {python}" for python in broken]
    assert all("exit status 3" in line for line in said)
