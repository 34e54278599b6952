"""An archive that helps and contains no secrets."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import orjson
import pytest

from proxy.cli import main
from tests.support.running import config

SECRET = "sesame-sesame"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKEND_TOKEN", SECRET)
    monkeypatch.setenv("STRANGLER_ADMIN_TOKEN", SECRET)
    monkeypatch.setenv("STRANGLER_JWT_KEY", SECRET)
    path = tmp_path / "proxy.yaml"
    text = config("http://127.0.0.1:1", weight=50).replace(
        'admin: {address: "127.0.0.1:0"}', 'admin: {address: "127.0.0.1:2"}'
    )
    path.write_text(f'{text}    legacy: {{headers: {{set: {{Authorization: "Bearer ${{BACKEND_TOKEN}}"}}}}}}\n')
    return path


def packed(file: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    assert main(["bundle", "-c", str(file), "--out", str(out)]) == 0
    capsys.readouterr()
    with tarfile.open(out) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]  # files all


def test_no_secret_is_in_it(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    members = packed(file, tmp_path / "b.tar.gz", capsys)

    assert members
    assert not [name for name, data in members.items() if SECRET.encode() in data]


def test_it_says_what_runs_where_and_how_it_is_configured(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    members = packed(file, tmp_path / "b.tar.gz", capsys)

    about = orjson.loads(members["strangler/about.json"])
    assert {"strangler", "python", "packages", "cpus"} <= about.keys()
    assert "STRANGLER_JWT_KEY" in about["variables"]
    assert any(one["path"].startswith("routes") for one in orjson.loads(members["strangler/effective.json"]))
    assert orjson.loads(members["strangler/doctor.json"])


def test_a_proxy_that_is_not_there_is_said_in_it(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    members = packed(file, tmp_path / "b.tar.gz", capsys)

    assert "unreachable" in orjson.loads(members["strangler/status.json"])


def test_it_is_for_its_owner_alone(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    packed(file, tmp_path / "b.tar.gz", capsys)

    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "proxy.yaml"]


def test_a_folder_that_is_not_there_ends_with_2(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code = main(["bundle", "-c", str(file), "--out", str(tmp_path / "no" / "b.tar.gz")])

    assert code == 2
    assert "cannot be written" in capsys.readouterr().err
