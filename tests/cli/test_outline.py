"""The list of commands comes at once, and is the same list."""

from __future__ import annotations

import pytest

from proxy.cli.app import SETTINGS, app, outline, run_command


def said_by(shown: object, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        shown(["--help"], prog_name="strangler")  # type: ignore[operator]  # a typer application
    return capsys.readouterr().out


def test_the_outline_says_what_the_whole_would_say(capsys: pytest.CaptureFixture[str]):
    assert said_by(outline(app, SETTINGS), capsys) == said_by(app, capsys)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_whoever_asks_for_help_gets_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    run_command(arguments)

    text = "".join(capsys.readouterr())
    for command in ("run", "check", "status", "rollback", "events", "diffs", "report", "config", "drill"):
        assert f"\n  {command} " in text


def test_help_of_one_command_has_its_options(capsys: pytest.CaptureFixture[str]):
    assert run_command(["report", "--help"]) == 0
    assert "--format" in capsys.readouterr().out
