"""The quick comparison of what differs finds what the walk over everything finds, or does nothing at all."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.context import Context
from comparators.json_compare import Walk
from comparators.json_parse import NotJson, legacy_side, parse
from comparators.quick_differences import quick_differences
from tests.comparators.answers import answer, policy
from tests.property.test_compare_laws import NAMES, VALUES, changed
from tests.property.test_quick_equal import SETTINGS, written
from tests.property.test_quick_equal import VALUES as SPELLED

MORE: tuple[dict[str, Any], ...] = (
    *SETTINGS,
    {"preset": "php", "unordered": ["/**"]},
    {"preset": "php", "ignore": ["/**/a"], "allow_extra": ["/*"], "include": ["/a", "/*/b"]},
    {"equivalent": ["null_missing", "empty_null", {"rule": "loose_types", "at": "/**"}]},
)


def looked(legacy: str, modern: str, setting: dict[str, Any]) -> tuple[bool, Context]:
    sides = answer(legacy), answer(modern)
    context = Context(policy(setting), *sides)
    return quick_differences(sides[0].body, sides[1].body, context, Walk), context


def walked(legacy: str, modern: str, setting: dict[str, Any]) -> Context:
    sides = answer(legacy), answer(modern)
    context = Context(policy(setting), *sides)
    left, right = (legacy_side(side.body, context) for side in sides)
    left.report(context)
    right.report(context)
    Walk(context, left.text, right.text).compare(left.value, right.value)
    return context


def agree(legacy: str, modern: str, setting: dict[str, Any]) -> bool:
    done, quick = looked(legacy, modern, setting)
    if not done:
        assert (quick.findings, quick.forgiven, quick.notes, quick.differences) == ([], {}, [], 0)
        return False
    slow = walked(legacy, modern, setting)
    assert (quick.findings, quick.forgiven, quick.notes) == (slow.findings, slow.forgiven, slow.notes)
    return True


@given(VALUES, VALUES, st.integers(0, 20), st.sampled_from(MORE), st.booleans())
def test_what_a_quick_look_finds_the_walk_finds(value: Any, new: Any, at: int, setting: dict[str, Any], dense: bool):
    other = changed(changed(value, at, new), at // 3, new)
    modern = json.dumps(other, separators=(",", ":")) if dense else json.dumps(other, ensure_ascii=False)

    agree(json.dumps(value), modern, setting)


@given(SPELLED, SPELLED, st.sampled_from(MORE), st.randoms(use_true_random=False), st.integers(0, 9))
def test_however_numbers_and_members_are_spelled(
    value: Any, other: Any, setting: dict[str, Any], rng: random.Random, at: int
):
    legacy, modern = written(value, rng, php=True), written(changed(value, at, other), rng)
    try:
        parse(legacy, []), parse(modern, [])
    except NotJson:
        return

    agree(legacy, modern, setting)


@pytest.mark.parametrize("setting", [{"ignore": ["/a"]}, {"include": ["/b"]}])
def test_numbers_that_are_spelled_otherwise_are_counted_where_they_are_left_out(setting: dict[str, Any]):
    assert agree('{"a":[0.0,1.5,2],"b":1}', '{"a":[0,1.5,2],"b":2}', setting)
    assert agree('{"a":0.0,"b":1}', '{"a":0,"b":2}', setting)
    assert agree('{"a":{"d":0.0},"b":1}', '{"a":{"d":0},"b":2}', setting)


@given(st.lists(st.dictionaries(NAMES, st.integers(0, 3), max_size=3), max_size=6), st.randoms(use_true_random=False))
def test_rows_that_are_moved_or_changed(rows: list[Any], rng: random.Random):
    moved = rng.sample(rows, len(rows))

    agree(json.dumps({"a": rows}), json.dumps({"a": moved}), {})


@pytest.mark.parametrize(
    ("legacy", "modern", "done"),
    [
        ('{"a":1,"b":[1,2.5]}', '{"b": [1, 2.25], "a": 2}', True),
        ('{"a":{"c":"x"},"b":1}', '{"b": "1", "d": {"e": [1.5]}}', True),
        ('{"a":true,"b":0}', '{"a":1,"b":false}', True),
        ('{"a":"\\u00e9\\/"}', '{"a":"é/b"}', True),
        ('{"a":[1,2]}', '{"a":[1]}', True),
        ('{"a":"10.50","b":[0,"1"],"c":[],"d":"x"}', '{"a":10.5,"b":[false,true],"c":{},"d":"y"}', True),
        ("[]", "{}", True),
        ('{"a":"0","b":[{"a":"1.0"}],"c":-0}', '{"a":0,"b":[{"a":1}],"c":1}', False),
        ('{"a":"x","a":"x","b":1}', '{"a":"x","b":2}', False),
        ('{"a":0,"b":"10.50","c":-0}', '{"a":false,"b":10.5,"c":0}', False),
        ('{"a":"10.50","b":0.1234567890123456}', '{"a":10.5,"b":0.1234567890123456}', False),
        ('[{"a":1},{"a":2}]', '[{"a":2},{"a":1}]', False),
        ('{"a":1.50}', '{"a":2.5}', False),
        ('{"a":1e2}', '{"a":2.5}', False),
        ('{"a":0.30000000000000004}', '{"a":0.3}', False),
        ('{"a":-0}', '{"a":1}', False),
        ('{"a":1,"a":2}', '{"a":3}', False),
        ('{"a":9007199254740993.0}', '{"a":9007199254740992.0}', False),
        ("1", "2", False),
        ('{"a":0.00001}', '{"a":1}', False),
        (json.dumps(list(range(9))), json.dumps(list(range(9, 18))), False),
    ],
)  # fmt: skip
def test_what_it_finds_and_what_it_leaves_to_the_walk(legacy: str, modern: str, *, done: bool):
    assert agree(legacy, modern, {"preset": "php"}) == done
