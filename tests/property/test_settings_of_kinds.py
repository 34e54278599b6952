"""A setting changes no verdict of a body that its name is not about, whatever kind of body that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from comparators import compare
from comparators.model import Comparison
from comparators.policy import EQUIVALENCES, PHP_RULES
from rules.config import load_with_warnings
from tests.comparators.answers import answer, policy
from tests.rules.asking import BACKENDS

WORDS = st.sampled_from(
    ["", "a", "b", "01", "1", "1.0", "1.50", "null", "true", "a b", "2024-01-02 00:00:00", "2024-01-02T00:00:00Z",
     "2024-01-02", "0000-00-00 00:00:00", "1704153600", "http://old.test:9001/a", "http://new.test:8000/a", "/a",
     "/build/app.3f9a1c.js", "/static/app.77be2d.js", "message", "caf\u00e9", "[]", "{}"]
)  # fmt: skip
NAMES = ("a", "user_id", "userId", "data", "message")


class Kind(NamedTuple):
    """A kind of body: its media type, how two values are written, whether pointers lead into it."""

    media: str
    write: Callable[[str, str], str]
    has_places: bool = False


KINDS = {
    "html": Kind("text/html", lambda name, text: f"<main><p>{text}</p><b title='{text}'>{name}</b></main>"),
    "xml": Kind("application/xml", lambda name, text: f"<r><{name}>{text}</{name}><v w='{text}'/></r>"),
    "csv": Kind("text/csv", lambda name, text: f"id,{name}\n1,{text}\n"),
    "text": Kind("text/plain", lambda name, text: f"{name}\nis {text}\n"),
    "bytes": Kind("image/png", lambda name, text: f"\0{name}\1{text}\2"),
    "form": Kind("application/x-www-form-urlencoded", lambda name, text: f"id=1&{name}={text}", has_places=True),
    "ndjson": Kind("application/x-ndjson", lambda name, text: "".join(
        json.dumps({"id": at, name: text}) + "\n" for at in (1, 2)), has_places=True),
}  # fmt: skip
OF_PLACES: list[dict[str, Any]] = [
    {"ignore": ["/**"]},
    {"include": ["/nowhere"]},
    {"allow_extra": ["/**"]},
    {"unordered": ["", "/**"]},
    {"tolerance": [{"path": "/**", "absolute": 10**9}]},
    *({"equivalent": [{"rule": rule, "at": "/**"}]} for rule in EQUIVALENCES),
]
"""Settings at places, which only JSON has and what is read as JSON."""
OF_JSON: list[dict[str, Any]] = [
    *({"equivalent": [rule]} for rule in EQUIVALENCES),
    {"map": {"case": "camel"}},
    {"map": {"unwrap": "/data"}},
    {"map": {"rename": {"/user_id": "/userId"}}},
    {"map": {"pagination": "laravel"}},
]
"""Settings about values and structure of JSON; a preset's `embedded_json` reads some in scripts, here are none."""
OF_OTHERS: list[dict[str, Any]] = [
    {"status": [[200, 201], [200, 204]]},
    {"redirects": "class"},
    {"errors": "laravel"},
    {"ignore": ["@status"]},
    {"ignore": ["@header:content-type", "@header:x"]},
    {"allow_extra": ["@header:x"]},
    {"headers": ["x-total-count"]},
    {"asset_paths": ["/build", "/static"]},
    {"legacy_timezone": "Europe/Amsterdam"},
    {"noise": "none"},
    {"noise": "learn"},
    {"preset": {"name": "php", "except": list(PHP_RULES)}},
]
"""Settings about other parts of an answer, about pages, about what nothing here reads."""
OWN_RULES = {
    "html": {"html", "attributes", "own_host", "query_spaces", "datetime", "clock", "bom_ws", "charset",
             "embedded_json"},
    "xml": {"own_host", "query_spaces", "datetime", "clock", "charset"},
    "csv": {"own_host", "query_spaces", "datetime", "clock", "charset", "bom_ws"},
    "text": {"own_host", "query_spaces", "clock", "charset", "bom_ws"},
    "bytes": set[str](),
    "form": {"numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "float_noise",
             "query_spaces", "php_datetime", "clock", "charset"},
    "ndjson": {"numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "float_noise",
               "query_spaces", "php_datetime", "clock", "charset", "bom_ws"},
}  # fmt: skip
"""The rules that look at bodies of a kind; `html` ones where both are pages."""


def between(kind: str, names: tuple[str, str], texts: tuple[str, str], mapping: dict[str, Any]) -> Comparison:
    media, write, _ = KINDS[kind]
    legacy, modern = (answer(write(*each), media=media) for each in zip(names, texts, strict=True))
    return compare(legacy, modern, policy(mapping))


PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), st.tuples(WORDS, WORDS)
SETTINGS = [
    (kind, setting)
    for kind, (_, _, has_places) in KINDS.items()
    for setting in (*OF_OTHERS, *(() if has_places else (*OF_PLACES, *OF_JSON)))
]


@pytest.mark.parametrize(("kind", "setting"), SETTINGS, ids=lambda each: str(each).replace("'", ""))
@given(names=PAIRS[0], texts=PAIRS[1])
def test_a_setting_about_something_else_changes_no_verdict(
    kind: str, setting: dict[str, Any], names: tuple[str, str], texts: tuple[str, str]
):
    assert between(kind, names, texts, setting).verdict == between(kind, names, texts, {}).verdict


@pytest.mark.parametrize("kind", ["form"])
@pytest.mark.parametrize("setting", [each for each in OF_JSON if "map" in each], ids=str)
@given(names=PAIRS[0], texts=PAIRS[1])
def test_only_documents_of_json_are_reshaped(
    kind: str, setting: dict[str, Any], names: tuple[str, str], texts: tuple[str, str]
):
    assert between(kind, names, texts, setting).verdict == between(kind, names, texts, {}).verdict


@pytest.mark.parametrize(
    ("kind", "rule"), [(kind, rule) for kind in KINDS for rule in PHP_RULES if rule not in OWN_RULES[kind]]
)
@given(names=PAIRS[0], texts=PAIRS[1])
def test_a_rule_of_other_bodies_changes_no_verdict(
    kind: str, rule: str, names: tuple[str, str], texts: tuple[str, str]
):
    only = {"preset": {"name": "php", "except": [each for each in PHP_RULES if each != rule]}}

    assert between(kind, names, texts, only).verdict == between(kind, names, texts, {}).verdict


@pytest.mark.parametrize("kind", KINDS)
@given(names=PAIRS[0], texts=PAIRS[1], setting=st.sampled_from([*OF_PLACES, *OF_JSON, *OF_OTHERS]), body=st.booleans())
def test_a_setting_only_ever_forgives(
    kind: str, names: tuple[str, str], texts: tuple[str, str], setting: dict[str, Any], body: bool
):
    assume("legacy_timezone" not in setting)
    whole = {"body": kind} if body else {}

    if between(kind, names, texts, whole).verdict == "equal":
        assert between(kind, names, texts, {**whole, **setting}).verdict == "equal"


@pytest.mark.parametrize("body", ["json", "ndjson", "jsonp", "form", "html", "xml", "csv", "text", "bytes"])
@given(
    kind=st.sampled_from([*KINDS]), names=PAIRS[0], texts=PAIRS[1],
    setting=st.sampled_from([*OF_PLACES, *OF_JSON, *OF_OTHERS]), preset=st.sampled_from(["php", "none"]),
)  # fmt: skip
def test_what_check_says_has_no_effect_has_none(
    body: str, kind: str, names: tuple[str, str], texts: tuple[str, str], setting: dict[str, Any], preset: str
):
    mapping = {"preset": preset, "body": body}
    route = {"name": "a", "match": {"path": "/a"}, "compare": {**mapping, **setting}}

    told = load_with_warnings(BACKENDS + json.dumps({"routes": [route]})[1:-1], environ={})[1]

    if any("has no effect" in one.message for one in told):
        plain, more = (between(kind, names, texts, each) for each in (mapping, {**mapping, **setting}))
        assert plain == more
