from __future__ import annotations

import json

import pytest

import rules
from rules.problems import looks_secret, masked
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
