from __future__ import annotations

import pytest

import rules
from tests.rules.asking import BACKENDS, problems


def _load(text: str = BACKENDS, **environ: str) -> rules.Snapshot:
    return rules.load(text, environ={f"STRANGLER_{name}": value for name, value in environ.items()})


def test_process_settings_come_from_variables() -> None:
    loaded = _load(
        LISTEN__ADDRESS="0.0.0.0:80",
        LISTEN__LIMITS__URL_BYTES="4KiB",
        LISTEN__TRUSTED_PROXIES="[10.0.0.0/8, unix]",
        LISTEN__WORKERS="auto",
        ADMIN__ADDRESS="127.0.0.1:1",
        STORE="memory",
        DIFFS__BODIES="false",
    )

    assert loaded.listen.address == "0.0.0.0:80"
    assert loaded.listen.limits.url_bytes == 4096
    assert loaded.listen.trusted_proxies == ("10.0.0.0/8", "unix")
    assert loaded.listen.workers == 0
    assert (loaded.admin.address, loaded.store, loaded.diffs.bodies) == ("127.0.0.1:1", "memory", False)


def test_a_backend_is_found_whatever_its_spelling() -> None:
    text = (
        'backends: {legacy: {url: "http://a"}, my-api: {urls: ["http://b", "http://c"]}}\ndefaults: {modern: my-api}\n'
    )

    loaded = _load(text, BACKENDS__MY_API__URL="http://d:1", BACKENDS__LEGACY__TIMEOUT="3s")

    assert [one.urls for one in loaded.backends] == [("http://a:80",), ("http://d:1",)]
    assert loaded.backends[0].timeout == 3.0


def test_a_backend_can_come_from_the_environment_alone() -> None:
    loaded = _load(BACKENDS__COPY__URL="http://c:1")

    assert [one.name for one in loaded.backends] == ["legacy", "modern", "copy"]


def test_a_shared_mapping_changes_only_where_it_was_meant() -> None:
    text = 'backends: {legacy: &b {url: "http://a"}, modern: *b}\n'

    loaded = _load(text, BACKENDS__MODERN__URL="http://m:1")

    assert [one.urls for one in loaded.backends] == [("http://a:80",), ("http://m:1",)]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STRANGLER_LISTEN__ADDRESS", "nowhere", "STRANGLER_LISTEN__ADDRESS:1:1: `address`: `nowhere`"),
        ("STRANGLER_LISTEN__DRAIN", "30", "STRANGLER_LISTEN__DRAIN:1:1: `drain`: a time needs a unit"),
        ("STRANGLER_LISTEN__TLS", "on", "STRANGLER_LISTEN__TLS:1:1: YAML reads `on` as true"),
        ("STRANGLER_DIFFS__REDACT", "[", "STRANGLER_DIFFS__REDACT:1:1: "),
        ("STRANGLER_IDENTITY__0", "x", "STRANGLER_IDENTITY__0:1:1: `identity` is not a process setting"),
        ("STRANGLER_LISTEN__", "x", "STRANGLER_LISTEN__:1:1: unknown key ``"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, said: str) -> None:
    (problem,) = problems(BACKENDS, {name: value})

    assert str(problem).startswith(said)


def test_other_variables_of_the_house_override_nothing() -> None:
    assert problems(BACKENDS, {"STRANGLER_ADMIN_TOKEN": "x", "STRANGLER_LEGACY_ONLY": "1", "PATH__X": "1"}) == ()
