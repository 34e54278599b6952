"""`make wheels` says of each Python why there is no wheel for it, and goes on with the others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.wheels import interpreters, main

OWN = f"3.{sys.version_info[1]}"


def a_program(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_an_interpreter_that_is_missing_or_leads_nowhere_is_named_and_the_others_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    versions = [version for version in ("3.11", "3.12", "3.13", "3.14") if version != OWN]
    shim, other, missing = versions
    instead = "no wheel for it; name one with --python"
    own = a_program(tmp_path, f"python{OWN}", f'exec "{sys.executable}" "$@"')
    a_program(tmp_path, f"python{shim}", "echo 'manager: command not found' >&2; exit 127")
    a_program(tmp_path, f"python{other}", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", str(tmp_path))

    found = list(interpreters())
    said = capsys.readouterr().err.splitlines()

    assert found == [str(own)]
    assert sorted(said) == sorted([
        f"no python{missing} here: no wheel for it",
        f"{tmp_path}/python{shim} is no Python {shim} (manager: command not found): {instead}",
        f"{tmp_path}/python{other} is no Python {other} (it is {OWN}): {instead}",
    ])  # fmt: skip


def test_without_any_it_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main([]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "none of Python 3.11, 3.12, 3.13, 3.14 is here"
