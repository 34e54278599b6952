"""`init` and `check --against LOG` from a shell."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from proxy.cli import main

LINE = '10.0.0.{} - - [21/Nov/2026:03:00:00 +0000] "GET /api/users/{} HTTP/1.1" 200 1 "-" "-"\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number % 9, number) for number in range(50)) + "rubbish\n")
    return path


def test_a_draft_is_written_that_check_accepts(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "proxy.yaml"

    code = main(["init", "-c", str(file), "--access-log", str(log)])

    said = capsys.readouterr()
    assert code == 0
    assert said.out.startswith(f"{file}: 1 route from 50 requests, every weight 0\n")
    assert f"{log}:51: " in said.err
    assert main(["check", "-c", str(file)]) == 0
    assert file.read_text().startswith("# yaml-language-server: $schema=./proxy.schema.json\n")
    assert "routes" in orjson.loads((tmp_path / "proxy.schema.json").read_bytes())["properties"]


def test_a_file_that_is_there_is_not_lost(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "proxy.yaml"
    file.write_text("mine\n")

    code = main(["init", "-c", str(file), "--access-log", str(log)])

    assert code == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize("arguments", [[], ["--access-log", "nowhere.log"], ["--openapi", "nowhere.json"]])
def test_without_anything_to_go_by_it_says_what_is_missing(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
):
    code = main(["init", "-c", str(tmp_path / "proxy.yaml"), *arguments])

    assert code == 2
    assert capsys.readouterr().err.startswith("strangler: ")
    assert not (tmp_path / "proxy.yaml").exists()


def test_a_log_is_held_against_the_file(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "proxy.yaml"
    main(["init", "-c", str(file), "--access-log", str(log)])
    file.write_text(file.read_text().replace("weight: 0", "weight: 100").replace("# identity:", "identity:"))
    capsys.readouterr()

    code = main(["check", "-c", str(file), "--against", str(log), "--json"])

    document = orjson.loads(capsys.readouterr().out)
    assert code == 0
    assert (document["requests"], document["unreadable"], document["stand_ins"]) == (50, 1, 50)
    assert document["routes"][0]["to_modern"] == 1.0
