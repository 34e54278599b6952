"""Commands that need no running proxy: what they print, how they end."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from proxy.cli import main
from proxy.http1 import request
from proxy.settings import program_version
from tests.support.running import config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "proxy.yaml"
    path.write_text(config("http://127.0.0.1:9001", "http://127.0.0.1:8000", weight=50))
    return path


def test_check_says_yes_to_a_sound_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRANGLER_ADMIN_TOKEN", "a-token-of-some-length")
    code = main(["check", "-c", str(file)])

    said = capsys.readouterr()
    assert code == 0
    assert said.out.startswith(f"{file}: 1 route, 2 backends, digest ")
    assert said.err == ""


def test_check_prints_every_problem_with_its_place_and_ends_with_2(file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text(file.read_text().replace("weight: 50", "weight: 500").replace("version: 1", "version: 2"))

    code = main(["check", "-c", str(file)])

    said = capsys.readouterr()
    assert code == 2
    assert [line.split(":")[1] for line in said.err.splitlines()] == ["1", "12"]
    assert all(line.startswith(f"{file}:") for line in said.err.splitlines())


BROKEN_YAML = (
    ("routes:\n  - name: a\n\tmatch: {path: /a}\n", "3:1: not YAML: a tab indents this line", "3 | →match:", "    ^"),
    ("listen: {address: x\nroutes: []\n", "a `{` is not closed before this place", "2 | routes: []", "          ^"),
    ('version: 1\nroutes:\n  - name: "a\n    x: y\n', "a quote is opened and never closed", '3 |   - name: "a', " ^"),
    ("admin:\n  address: a: b\n", "put a value that holds `: ` into quotes", "2 |   address: a: b", " ^"),
    ("- name: a\n match: x\n", "indent it as the other keys", "2 |  match: x", "     ^"),
    ('x: "~\\d"\n', "use single quotes for regexes", '1 | x: "~\\d"', "         ^"),
    ("x: @body\n", "a value may not begin with `@`", "1 | x: @body", "       ^"),
)


@pytest.mark.parametrize(("text", "told", "line", "caret"), BROKEN_YAML, ids=[case[1][:40] for case in BROKEN_YAML])
def test_a_file_that_is_no_yaml_is_shown_where_it_breaks_in_an_operators_words(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, told: str, line: str, caret: str
):
    file.write_text(text)

    code = main(["check", "-c", str(file)])

    message, shown, below = capsys.readouterr().err.splitlines()
    assert code == 2
    assert told in message
    assert shown.startswith(line)
    assert below.strip() == "^"
    assert below.endswith(caret)


@pytest.mark.parametrize("command", [("check",), ("explain", "GET", "/"), ("events",), ("status",), ("config", "show")])
def test_a_missing_file_is_answered_with_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)

    code = main([*command])

    assert code == 2
    assert "strangler init" in capsys.readouterr().err


def test_check_for_programs_is_json(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRANGLER_ADMIN_TOKEN", "a-token-of-some-length")
    main(["check", "-c", str(file), "--json"])
    good = orjson.loads(capsys.readouterr().out)
    file.write_text("routes: 7\n")
    code = main(["check", "-c", str(file), "--json"])
    bad = orjson.loads(capsys.readouterr().out)

    assert good["problems"] == []
    assert code == 2
    assert {"file", "line", "column", "message", "hint", "level"} == bad["problems"][0].keys()


def test_the_version_says_which_build_would_run(capsys: pytest.CaptureFixture[str]):
    code = main(["--version"])

    hot = "compiled" if request.__file__.endswith(".so") else "interpreted"
    assert (code, capsys.readouterr().out) == (0, f"strangler {program_version()} ({hot})\n")


def test_check_prints_the_schema(capsys: pytest.CaptureFixture[str]):
    code = main(["check", "--schema"])

    assert code == 0
    assert "routes" in orjson.loads(capsys.readouterr().out)["properties"]


def test_config_show_names_the_origin_of_each_value(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRANGLER_ADMIN__ADDRESS", "127.0.0.1:9999")

    code = main(["config", "show", "-c", str(file)])

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert code == 0
    assert lines["admin.address"].endswith('"127.0.0.1:9999"  # STRANGLER_ADMIN__ADDRESS')
    assert f"# {file}:12" in lines["routes.profile.rollout.weight"]
    assert lines["routes.profile.rollout.by"].endswith("# default")


def test_explain_says_where_a_request_would_go(file: Path, capsys: pytest.CaptureFixture[str]):
    code = main(["explain", "GET", "/api/me", "--user", "42", "-c", str(file), "--json"])

    answer = orjson.loads(capsys.readouterr().out)
    assert code == 0
    assert (answer["route"], answer["identity"], answer["weight"]) == ("profile", "42", 50.0)
    assert answer["side"] == ("modern" if answer["bucket"] < 0.5 else "legacy")


def test_explain_reads_the_identity_from_headers_and_tells_its_trail(file: Path, capsys: pytest.CaptureFixture[str]):
    main(["explain", "GET", "/api/me", "-H", "Cookie: uid=7", "-c", str(file)])

    said = capsys.readouterr().out
    assert "identity  7" in said
    assert "profile (line" in said


@pytest.mark.parametrize(
    "arguments", [["explain", "GET", "/x"], ["config", "show"], ["check"]], ids=lambda arguments: arguments[0]
)
def test_a_broken_file_ends_every_command_with_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "proxy.yaml"
    broken.write_text("version: [\n")

    code = main([*arguments, "-c", str(broken)])

    assert code == 2
    assert f"{broken}:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["staus"], "status"), (["config", "shwo"], "show"), (["diffs", "--sinse", "1h"], "--since")],
)
def test_a_mistyped_command_or_option_is_answered_with_the_one_that_was_meant_and_2(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == 2
    assert meant in capsys.readouterr().err.partition("Error:")[2]


@pytest.mark.parametrize("arguments", [["bogus"], ["check", "--bogus"], ["explain"], ["run", "--workers", "0"]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    code = main(arguments)

    assert code == 2
    assert "Usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["reload"], ["reload", "--wait"]])
def test_a_proxy_that_is_not_there_ends_with_3(command: list[str], file: Path, capsys: pytest.CaptureFixture[str]):
    code = main([*command, "-c", str(file), "--admin", "http://127.0.0.1:1"])

    assert code == 3
    assert "no proxy answers at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["run"], ["check"], ["explain"], ["reload"], ["status"], ["config", "show"]])
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]):
    code = main([*command, "--help"])

    assert code == 0
    assert capsys.readouterr().out.startswith("Usage: strangler")


COMMANDS = (
    ("run",), ("check",), ("check", "--schema"), ("config", "show"), ("reload", "--wait"), ("explain", "GET", "/"),
    ("status",), ("weight", "a", "5"), ("advance", "a"), ("hold", "a"), ("resume", "a", "--reason", "x"),
    ("rollback", "a", "--reason", "x"), ("rollback", "--all", "--reason", "x"), ("drill", "a"), ("diffs", "list"),
    ("diffs", "rejudge"), ("compare", "a", "b"), ("replay", "x"), ("events",), ("report",), ("doctor",), ("bundle",),
    ("export", "x", "1"), ("sessions", "revoke"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("admin", ["", "http://127.0.0.1:1"])
def test_a_file_that_cannot_be_read_is_an_error_of_every_command_and_never_another_proxy(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    admin: str,
):
    monkeypatch.setenv("STRANGLER_ADMIN_URL", admin)

    code = main([*command, "-c", str(tmp_path / "typo.yaml")])

    assert code == 2
    assert "typo.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("rollback", "a", "--reason", "x"), ("status",), ("reload",), ("events",)])
def test_without_a_file_only_an_address_says_which_proxy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)

    nowhere = main([*command])
    told = capsys.readouterr().err
    named = main([*command, "--admin", "http://127.0.0.1:1"])

    assert (nowhere, named) == (2, 3)
    assert "proxy.yaml cannot be read" in told
