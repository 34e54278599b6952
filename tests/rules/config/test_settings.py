from __future__ import annotations

import json
from pathlib import Path

import pytest

import rules
from tests.rules.asking import BACKENDS

SAMPLE = (Path(__file__).parents[2] / "data" / "contract-sample.yaml").read_text()
TEXT = (
    BACKENDS
    + """\
defaults:
  legacy: legacy
  shadow: {sample: 5%}
routes:
  - name: a
    match: {path: /a}
    legacy: legacy
    guard: none
    modern:
      headers: {set: {Authorization: "Bearer ${TOKEN}", X-From: gateway}}
      query: {set: {v: "${API_KEY}", w: "${VERSION}"}}
"""
)
ENVIRON = {"TOKEN": "hunter2", "API_KEY": "hunter3", "VERSION": "2", "STRANGLER_LISTEN__DRAIN": "5s"}


def _settings(text: str = TEXT, environ: dict[str, str] | None = None) -> dict[str, tuple[object, str]]:
    found = rules.effective(text, environ=ENVIRON if environ is None else environ)
    return {one.path: (one.value, one.origin) for one in found}


@pytest.mark.parametrize(
    ("path", "value", "origin"),
    [
        ("listen.address", "127.0.0.1:8080", "default"),
        ("listen.drain", "5s", "STRANGLER_LISTEN__DRAIN"),
        ("listen.limits.url_bytes", "8KiB", "default"),
        ("listen.tls", None, "default"),
        ("backends.legacy.url", "http://127.0.0.1:9001", "proxy.yaml:2"),
        ("backends.legacy.timeout", "30s", "default"),
        ("identity", ["cookie:uid"], "proxy.yaml:4"),
        ("routes.a.name", "a", "proxy.yaml:9"),
        ("routes.a.rollout.weight", 0.0, "default"),
        ("routes.a.rollout.salt", "a", "default"),
        ("routes.a.legacy.backend", "legacy", "proxy.yaml:11"),
        ("routes.a.modern.backend", "modern", "default"),
        ("routes.a.shadow.sample", "5%", "proxy.yaml:7"),
        ("routes.a.shadow.recheck.after", "500ms", "default"),
        ("routes.a.guard", "none", "proxy.yaml:12"),
        ("routes.a.compare.preset.name", "none", "default"),
    ],
)
def test_a_setting_is_told_with_its_origin(path: str, value: object, origin: str) -> None:
    assert _settings()[path] == (value, origin)


def test_secrets_are_masked_by_their_own_name_or_by_their_origin() -> None:
    found = _settings()

    assert found["routes.a.modern.headers.set"][0] == {"Authorization": "********", "X-From": "gateway"}
    assert found["routes.a.modern.query.set"][0] == {"v": "********", "w": "********"}
    assert "hunter" not in str(found)


def test_a_value_with_a_variable_in_it_says_so() -> None:
    found = _settings('backends: {legacy: {url: "http://${HOST}:80"}}\n', {"HOST": "h"})

    assert found["backends.legacy.url"] == ("http://h:80", "proxy.yaml:1 ${HOST}")


def test_the_sample_has_no_setting_without_a_value_of_its_own_kind() -> None:
    values = [one.value for one in rules.effective(SAMPLE, environ={})]

    assert len(values) > 100
    assert json.loads(json.dumps(values)) == values
    assert not any("Undefined" in repr(value) for value in values)


def test_what_is_shown_is_in_effect() -> None:
    found = _settings(SAMPLE, {})

    assert found["routes.profile.rollout.group"] == ("account", "proxy.yaml:54")
    assert found["routes.profile.rollout.salt"] == (None, "default")
    assert found["routes.profile.compare.ignore"][1] == "proxy.yaml:95"


def test_a_broken_file_has_no_settings() -> None:
    with pytest.raises(rules.ConfigError):
        rules.effective("routes: 7\n", environ={})
