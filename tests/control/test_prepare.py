"""A file may run only if everything it names exists."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from proxy.control.config_loader import prepare
from rules.problems import ConfigError, Problem

BROKEN = Path(__file__).parents[1] / "data" / "broken"
FILE = """\
version: 1
listen:
  address: {listen}
admin: {{address: "{admin}"}}
backends:
  legacy: {{url: "http://127.0.0.1:1"}}
identity: [{identity}]
"""


def problems(
    folder: Path, *, environ: dict[str, str] | None = None, more: str = "", users: tuple[str, ...] = (), **values: str
) -> tuple[Problem, ...]:
    """What is wrong with, or warned of about, a small file."""
    filled = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "identity": "", **values}
    path = folder / "proxy.yaml"
    path.write_text(FILE.format(**filled) + more)
    try:
        return prepare(path, environ or {}, users).warnings
    except ConfigError as error:
        return error.problems


def test_a_sound_file_has_nothing_to_say(tmp_path: Path):
    assert problems(tmp_path) == ()


def test_a_missing_file_and_one_that_is_no_text_say_so(tmp_path: Path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"version: 1\n\xff\xfe")

    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        prepare(tmp_path / "nothing", {})
    with pytest.raises(ConfigError, match=f"{binary}:2:1: is not UTF-8"):
        prepare(binary, {})


def test_a_certificate_that_is_not_there_is_found_where_it_is_named(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("there")

    found = problems(tmp_path, listen='127.0.0.1:0\n  tls: {cert: cert.pem, key: "key.pem"}')

    assert [(each.line, each.message) for each in found] == [(4, "key.pem cannot be read: No such file or directory")]


def test_an_admin_port_for_others_needs_its_token(tmp_path: Path):
    without = problems(tmp_path, admin="0.0.0.0:9180")
    with_token = problems(tmp_path, admin="0.0.0.0:9180", environ={"STRANGLER_ADMIN_TOKEN": "t" * 16})

    assert [(each.line, each.level) for each in without] == [(4, "error")]
    assert "STRANGLER_ADMIN_TOKEN is not set" in without[0].message
    assert with_token == ()


@pytest.mark.parametrize(
    ("operator", "viewer", "told"),
    [
        ("fifteen-letters", "", "fewer than 16"),
        ("  fifteen-letters  ", "", "fewer than 16"),
        ("   ", "", "is blank"),
        ("a-token-of-some-length", "short", "fewer than 16"),
        ("a-token-of-some-length", "a-token-of-some-length ", "are the same"),
    ],
)
def test_a_token_that_can_be_guessed_is_refused_for_others_and_warned_about_at_home(
    tmp_path: Path, operator: str, viewer: str, told: str
):
    environ = {"STRANGLER_ADMIN_TOKEN": operator, "STRANGLER_VIEW_TOKEN": viewer}

    for admin, level in (("0.0.0.0:9180", "error"), ("127.0.0.1:9180", "warning")):
        (found,) = problems(tmp_path, admin=admin, environ=environ)
        assert (found.level, told in found.message) == (level, True)
        assert not [token for token in (operator, viewer) if token.strip() and token.strip() in str(found)]


def test_without_a_token_loopback_is_open_to_the_machines_other_users_which_is_warned_about(tmp_path: Path):
    users = ("anna", "postgres", "tim", "www-data", "zoe")
    (found,) = problems(tmp_path, users=users)

    assert (found.line, found.level) == (4, "warning")
    assert "every user of this machine (anna, postgres, tim and 2 more)" in found.message
    assert "STRANGLER_ADMIN_TOKEN" in found.hint
    for closed in ({"STRANGLER_ADMIN_TOKEN": "t" * 16}, {"STRANGLER_VIEW_TOKEN": "t" * 16}):
        assert problems(tmp_path, users=users, environ=closed) == ()
    assert problems(tmp_path, users=users, admin="unix:admin.sock") == ()
    assert problems(tmp_path) == ()


def test_a_missing_key_is_a_warning_nobody_is_turned_away_for_it(tmp_path: Path):
    found = problems(tmp_path, identity='"jwt:sub"')

    assert [(each.line, each.level) for each in found] == [(7, "warning")]
    assert problems(tmp_path, identity='"jwt:sub"', environ={"STRANGLER_JWT_KEY": "k"}) == ()


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_whatever_is_wrong_with_a_file_is_told_and_never_a_fault_of_ours(path: Path, tmp_path: Path):
    (tmp_path / "proxy.yaml").write_bytes(path.read_bytes())

    with pytest.raises(ConfigError) as refused:
        prepare(tmp_path / "proxy.yaml", {})

    assert any(problem.level == "error" for problem in refused.value.problems)


def test_hooks_whose_variables_are_unset_are_warned_about(tmp_path: Path):
    found = problems(tmp_path, more="notify:\n  - {url_env: HOOK_URL}\n")

    assert [(each.line, each.message, each.level) for each in found] == [(9, "HOOK_URL is not set", "warning")]


def test_what_is_no_longer_ignored_is_named(tmp_path: Path):
    route = "{name: a, match: {path: /a}, compare: {ignore: [/b, {path: /eta, until: 2020-01-31, owner: ops}, %s]}}"
    more = f"defaults: {{modern: legacy}}\nroutes:\n  - {route % '{path: /c, until: 2999-01-01}'}\n"

    (warning,) = problems(tmp_path, more=more)

    assert (warning.line, warning.level) == (10, "warning")
    assert warning.message == "`/eta` of a was ignored until 2020-01-31: it counts again (asked for by ops)"


def test_mode_and_group_are_checked_where_they_can_apply(tmp_path: Path):
    group = grp.getgrgid(os.getgid()).gr_name
    fine = problems(tmp_path, listen=f'unix:users.sock\n  mode: "0660"\n  group: {group}')
    nobody = problems(tmp_path, listen="unix:users.sock\n  group: no-such-group")
    pointless = problems(tmp_path, listen='127.0.0.1:0\n  mode: "0660"')
    wrong = problems(tmp_path, listen='unix:users.sock\n  mode: "0888"')

    assert fine == ()
    assert [(one.level, "no group no-such-group" in one.message) for one in nobody] == [("error", True)]
    assert [(one.level, "is none" in one.message) for one in pointless] == [("warning", True)]
    assert [(one.level, "is not the mode of a file" in one.message) for one in wrong] == [("error", True)]
