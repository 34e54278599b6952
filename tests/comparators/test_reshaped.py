"""Where `map` says that modern has another shape, legacy's own shape is a difference, byte for byte the same or not."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from comparators import Capture, Comparison, compare
from tests.comparators.answers import answer, policy, spots

NDJSON = "application/x-ndjson"
PAGE = {"data": [1], "meta": {"current_page": 1, "last_page": 1, "per_page": 15, "total": 1}}
SHAPES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "renamed": ({"rename": {"/name": "/full_name"}}, {"name": "x", "a": 1}, {"full_name": "x", "a": 1}),
    "renamed in rows": ({"rename": {"/r/*/n": "/r/*/name"}}, {"r": [{"n": 1}]}, {"r": [{"name": 1}]}),
    "changed over": ({"rename": {"/a": "/b", "/b": "/a"}}, {"a": 1, "b": 2}, {"a": 2, "b": 1}),
    "unwrapped": ({"unwrap": "/data"}, {"data": {"a": 1}}, {"a": 1}),
    "pages": ({"pagination": "laravel"}, PAGE, {"items": [1], "total": 1, "page": 1, "size": 15, "pages": 1}),
    "all of it": ({"unwrap": "/data", "rename": {"/n": "/name"}, "case": "camel"}, {"data": {"n": 1}}, {"name": 1}),
}


def held(mapping: dict[str, Any], legacy: str, modern: str, *again: str, **changes: Any) -> Comparison:
    """Two answers under a `map`, legacy's further ones."""
    first, other, *more = (answer(each, **changes) for each in (legacy, modern, *again))
    return compare(first, other, policy({"map": mapping}), secondary=tuple(more))


@pytest.mark.parametrize("media", ["application/json", NDJSON, "application/problem+json"])
@pytest.mark.parametrize("shape", SHAPES)
def test_legacys_own_shape_is_a_difference_however_it_is_spelled(shape: str, media: str):
    mapping, old, new = SHAPES[shape]
    legacy, modern = json.dumps(old), json.dumps(new)

    assert held(mapping, legacy, modern, media=media).verdict == "equal"
    assert held(mapping, legacy, legacy, media=media).verdict == "different"
    assert held(mapping, legacy, legacy.replace(": ", ":"), media=media).verdict == "different"
    assert held({}, legacy, legacy, media=media).verdict == "equal"


def test_what_is_told_is_what_modern_lacks():
    assert spots(held({"rename": {"/name": "/full_name"}}, '{"name":"x"}', '{"name":"x"}')) == [
        "/name extra",
        "/full_name missing",
    ]


def test_the_same_bytes_under_a_coding_are_read_as_well():
    packed = gzip.compress(b'{"name":"x"}', mtime=0)
    mapping = {"rename": {"/name": "/full_name"}}
    sides = [Capture("GET", "/", 200, (("Content-Type", "application/json"), ("Content-Encoding", "gzip")), packed)] * 2

    assert compare(*sides, policy({"map": mapping})).verdict == "different"
    assert compare(*sides, policy({})).verdict == "equal"


@pytest.mark.parametrize(
    ("mapping", "body"),
    [
        ({"rename": {"/name": "/full_name"}}, '{"full_name":"x"}'),
        ({"rename": {"/name": "/full_name"}}, '{"a":1}'),
        ({"rename": {"/name": "/full_name"}}, '{"name":"x","full_name":"y"}'),
        ({"rename": {"/name": "/full_name"}}, "no JSON"),
        ({"rename": {"/name": "/full_name"}}, '<script>{"name":"x"}</script>'),
        ({"rename": {"/r/*/n": "/r/*/name"}}, '{"r":[]}'),
        ({"unwrap": "/data"}, '{"a":1}'),
        ({"pagination": "laravel"}, '{"data":[1]}'),
        ({"case": "camel"}, '{"nl_be":1,"en_gb":2}'),
        ({"case": "camel"}, '{"user_id":1}'),
    ],
)
def test_what_a_map_is_not_about_is_equal_to_itself(mapping: dict[str, Any], body: str):
    media = "text/html" if body.startswith("<") else "application/json"

    assert held(mapping, body, body, media=media).verdict == "equal"
    if body.startswith("{"):
        assert held(mapping, body, f" {body}", media=media).verdict == "equal"


def test_keys_that_only_look_like_members_stay_wherever_their_rows_stand():
    mapping = {"map": {"case": "camel", "rename": {"/n": "/name"}}, "unordered": ["/rows"]}
    rows = [{"nl_be": 1}, {"en_gb": 2}]
    legacy = answer(json.dumps({"n": 1, "rows": rows}))

    assert compare(legacy, answer(json.dumps({"name": 1, "rows": rows[::-1]})), policy(mapping)).verdict == "equal"
    assert compare(legacy, answer(json.dumps({"n": 1, "rows": rows[::-1]})), policy(mapping)).verdict == "different"


@pytest.mark.parametrize("status", [404, 422, 500])
def test_an_error_of_both_may_be_of_either_shape(status: int):
    mapping = {"rename": {"/message": "/text"}}

    assert held(mapping, '{"message":"No"}', '{"message":"No"}', status=status).verdict == "equal"
    assert held(mapping, '{"message":"No"}', '{"text":"No"}', status=status).verdict == "equal"
    assert held(mapping, '{"message":"No"}', '{"text":"Oh"}', status=status).verdict == "different"


@pytest.mark.parametrize("shape", SHAPES)
def test_legacy_says_twice_what_it_says_in_its_own_shape(shape: str):
    mapping, old, new = SHAPES[shape]
    legacy, modern = json.dumps(old), json.dumps(new)

    assert held(mapping, legacy, modern, legacy).verdict == "equal"
    assert held(mapping, legacy, modern, legacy).observations == ()
    assert held(mapping, legacy, legacy, legacy).verdict == "different"


@pytest.mark.parametrize(
    "setting",
    [{"include": ["/a"]}, {"unordered": ["/r"]}, {"ignore": ["/a"]}, {"allow_extra": ["/a"]}, {"ignore_text": ["x"]},
     {"tolerance": [{"path": "/a", "absolute": 1}]}, {"equivalent": ["null_missing", "loose_types"]},
     {"preset": "php"}, {"errors": "laravel"}, {"status": [[200, 201]]}, {"asset_paths": ["/build"]}],
    ids=str,
)  # fmt: skip
def test_no_other_setting_makes_a_difference_of_equal_bytes(setting: dict[str, Any]):
    same = answer('{"a":"x","r":[2,1],"b":null}')

    assert compare(same, same, policy(setting)).verdict == "equal"
    assert compare(same, same, policy({**setting, "map": {"rename": {"/r": "/rows"}}})).verdict == (
        "equal" if "include" in setting else "different"
    )
