"""Everything a worker binds is checked before anything runs, each problem at its line, all at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.control import config_loader
from proxy.control.config_loader import prepare
from proxy.state.bindable import UnbindableError, expression, unbindable
from proxy.state.identity_keys import Keys, jwt_problem
from rules.model import BackendTls
from rules.problems import ConfigError
from tests.support.broken_values import BROKEN, Broken, material, sound


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bindable")
    material(folder)
    return folder


def test_the_sound_one_is_sound(folder: Path):
    (folder / "proxy.yaml").write_text(sound())

    prepared = prepare(folder / "proxy.yaml", {})

    assert [each for each in prepared.warnings if each.level == "error"] == []
    assert next(one.tls for one in prepared.snapshot.backends if one.name == "vault") == BackendTls(
        "ca.pem", server_name="api.internal", ca_text=(folder / "ca.pem").read_text()
    )


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_value_ends_the_start_with_2_and_the_line_that_has_it(
    folder: Path, broken: Broken, capsys: pytest.CaptureFixture[str]
):
    file = folder / "broken.yaml"
    file.write_text(broken.text(sound()))

    code = config_loader.main([str(file), ""])

    errors = [line for line in capsys.readouterr().err.splitlines() if broken.says in line]
    assert code == 2
    assert errors, "it is not told"
    assert {re.match(rf"{file}:(\d+):\d+: ", line)[1] for line in errors} == {str(broken.line(sound()))}  # type: ignore[index]


def test_all_that_is_broken_is_told_at_once_whatever_finds_it(folder: Path):
    text = sound()
    chosen = [one for one in BROKEN if one.name in ("jmespath", "ca-garbage", "hook-module", "zone", "key-encrypted")]
    for broken in chosen:
        text = broken.text(text)
    (folder / "all.yaml").write_text(text)

    with pytest.raises(ConfigError) as refused:
        prepare(folder / "all.yaml", {})

    told = [problem.message for problem in refused.value.problems]
    # a route whose time zone is wrong has nothing else looked at that comes after reading it
    assert [
        name for name in ("is not a time zone", "garbage.pem", "encrypted.pem") if any(name in m for m in told)
    ] == [
        "is not a time zone",
        "garbage.pem",
        "encrypted.pem",
    ]


def test_what_was_read_at_the_start_is_enough_for_a_process_that_starts_later(folder: Path, tmp_path: Path):
    text = sound().replace("drain: 5s", "drain: 5s\n  tls: {cert: cert.pem, key: key.pem}")
    (folder / "late.yaml").write_text(text)

    snapshot = prepare(folder / "late.yaml", {}).snapshot

    assert list(unbindable(snapshot, tmp_path / "nothing here", Keys())) == []
    assert "BEGIN" not in repr(snapshot)


KEYS = {
    "": "",
    "any text": "",
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----": "is no RSA key",
    "-----BEGIN": "is no RSA key",
}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_no_token_can_be_verified_with_is_found(key: str):
    assert jwt_problem(key).startswith(KEYS[key])
    assert bool(jwt_problem(key)) == bool(KEYS[key])


def test_a_key_of_another_kind_is_no_key(folder: Path):
    text = sound().replace('"cookie:uid"', '"jwt:sub"')
    (folder / "jwt.yaml").write_text(text)

    with pytest.raises(ConfigError, match="STRANGLER_JWT_KEY is no RSA key"):
        prepare(folder / "jwt.yaml", {"STRANGLER_JWT_KEY": (folder / "key.pem").read_text()})


@pytest.mark.parametrize("text", ["a", "{a: b}", "length(a)", "sort_by(a, &b)[0].c", "merge(a, b, c)", "not_null(a)"])
def test_a_sound_expression_is_compiled(text: str):
    assert expression(text).expression == text


def test_a_near_miss_has_a_hint():
    with pytest.raises(UnbindableError) as refused:
        expression("lenght(a)")

    assert refused.value.hint == "did you mean length?"
