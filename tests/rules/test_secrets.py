from __future__ import annotations

import json
from dataclasses import replace

import pytest

import rules
from rules.masking import masked
from rules.model import ListenTls
from rules.plan import changes, plan
from rules.secret_names import looks_secret
from rules.user_sketch import Sample
from tests.rules.asking import BACKENDS


@pytest.mark.parametrize(
    "name", ["Authorization", "X-Api-Key", "apikey", "Cookie", "X-Auth-Token", "client_secret", "DB_PASSWORD"]
)
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["X-From", "Accept", "page", "X-Cookie-Law", "keyboard"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not looks_secret(name)


def test_a_snapshot_is_shown_without_its_secrets() -> None:
    text = BACKENDS + (
        "routes:\n  - name: a\n    match: {path: /a}\n"
        "    modern: {headers: {set: {Authorization: 'Bearer ${TOKEN}', X-From: me}}}\n"
    )
    snapshot = rules.load(text, environ={"TOKEN": "hunter2"})

    shown = json.dumps(masked(snapshot))

    assert "hunter2" not in shown
    assert '["X-From", "me"]' in shown
    assert '"Authorization"' in shown


ODD = """\
routes:
  - name: a
    match: {path: /a, headers: {X-Gate: "${GATE}"}}
    modern:
      headers: {set: {X-Internal-Key: "${INTERNAL}", X-From: me}}
      query: {set: {apikey: "${KEY}", sig: "${SIG}", v: "x-${VERSION}"}}
"""
ODD_VALUES = {"INTERNAL": "hunter 2/ä", "KEY": "hunter3", "SIG": "k7", "VERSION": "hunter4", "GATE": "g8"}


def test_a_value_from_the_environment_is_masked_whatever_name_it_stands_under() -> None:
    snapshot = rules.load(BACKENDS + ODD, environ=ODD_VALUES)

    shown = json.dumps(masked(snapshot, snapshot.secrets))

    assert not [value for value in ODD_VALUES.values() if json.dumps(value)[1:-1] in shown]
    assert '["X-From", "me"]' in shown


def test_explain_sends_no_secret_to_the_screen_not_even_as_a_url_spells_it() -> None:
    running = rules.generation(1, rules.load(BACKENDS + ODD, environ=ODD_VALUES), {}, False)
    forced = {"x-gate": "g8", "x-strangler-force": "modern"}
    taken = rules.explain(running, rules.Facts("GET", "/a", None, "", forced.get, lambda: None, trusted=True))
    passed = rules.explain(running, rules.Facts("GET", "/a", None, "", lambda _: None, lambda: None))

    assert taken.side == "modern"
    assert taken.target == f"/a?apikey={'%2A' * 8}&sig={'%2A' * 8}&v={'%2A' * 8}".replace("%2A", "*")
    assert "hunter" not in repr((taken, passed))
    assert "k7" not in repr(taken)
    assert "g8" not in repr(passed)


def test_a_problem_does_not_repeat_what_a_variable_holds() -> None:
    text = BACKENDS + "routes:\n  - name: a\n    match: {path: /a}\n    rollout: {weight: '${DB_PASSWORD}'}\n"

    with pytest.raises(rules.ConfigError) as refused:
        rules.load(
            text + "    modern: {status: {\"x\": '${OTHER}'}}\n",
            environ={"DB_PASSWORD": "hunter22", "OTHER": "hunter33"},
        )

    assert "hunter" not in str(refused.value)


def test_a_plan_names_no_old_and_no_new_secret() -> None:
    old, new = (
        rules.generation(
            1, rules.load(BACKENDS + ODD, environ={name: value + tail for name, value in ODD_VALUES.items()}), {}, False
        )
        for tail in ("", "-new")
    )

    told = repr(plan(old, new, {}, Sample()))

    assert "query" in told
    assert not [value for value in ODD_VALUES.values() if f"{value}" in told.replace("/a", "")]


def test_the_text_of_a_key_file_is_neither_shown_nor_planned() -> None:
    before = rules.load(BACKENDS + "routes: []\n", environ={})
    tls = [ListenTls("c.pem", "k.pem", "cert", f"-----BEGIN PRIVATE KEY----- {each}") for each in "ab"]
    snapshots = [replace(before, listen=replace(before.listen, tls=each)) for each in tls]

    shown = json.dumps(masked(snapshots[0])) + repr(list(changes(*snapshots)))

    assert "BEGIN" not in shown
    assert "k.pem" in shown
