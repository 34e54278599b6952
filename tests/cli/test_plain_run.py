"""`run` as a service manager writes it needs none of the command line's libraries, and means the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.ipc.internal_commands import command, supervisor_of


class ReplacedError(Exception):
    """Raised in the place of what would replace this process."""


def by_the_command_line(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str] | int:
    """What the command line would replace itself with, or its exit code."""
    replaced: list[list[str]] = []

    def replace(_: str, words: list[str], __: object) -> None:
        replaced.append(words)
        raise ReplacedError

    monkeypatch.setattr(os, "execve", replace)
    try:
        code = main(arguments)
    except ReplacedError:
        return replaced[0][len(command()) + 1 :]
    return code


@pytest.mark.parametrize(
    "more", [[], ["--workers", "3"], ["--workers", "03"]], ids=["as-the-file-says", "three", "leading-zero"]
)
@pytest.mark.parametrize("option", ["-c", "--config"])
def test_it_means_what_the_command_line_understands(
    more: list[str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "a b.yaml"
    file.write_text("version: 1\n")

    for arguments in (["run", option, str(file), *more], ["run", *more, option, str(file)]):
        assert supervisor_of(arguments) == by_the_command_line(arguments, monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "-c", "/there/is/no/such/file"],
        ["run", "--workers", "0"],
        ["run", "--workers", "-1"],
        ["run", "--workers", "two"],
        ["run", "--workers"],
        ["run", "-c"],
        ["run", "--help"],
        ["run", "--json", "--nonsense"],
        ["run", "file.yaml"],
        ["check"],
        ["supervise", "x", ""],
        ["--version"],
        [],
    ],
)
def test_whatever_else_is_written_is_the_command_lines_to_understand(arguments: list[str]):
    assert supervisor_of(arguments) is None


def test_without_a_file_named_it_is_the_one_that_the_command_line_takes(monkeypatch: pytest.MonkeyPatch):
    assert supervisor_of(["run"]) == by_the_command_line(["run"], monkeypatch) == ["proxy.yaml", ""]
    assert sys.executable == command()[0]
