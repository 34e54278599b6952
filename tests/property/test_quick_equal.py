"""The quick comparison never claims more than the walk, and counts what it excuses as the walk does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.quick_equal import quick_equal, quick_rules
from tests.comparators.answers import held

PHP = {"preset": "php"}
SETTINGS: tuple[dict[str, Any], ...] = (
    PHP,
    {},
    {"preset": {"name": "php", "except": ["bool_int"]}},
    {**PHP, "ignore": ["/a"]},
    {**PHP, "equivalent": [{"rule": "loose_types", "at": "/a"}]},
    {**PHP, "unordered": ["/a"]},
    {**PHP, "headers": ["x-total"], "ignore_text": ["[0-9]+"]},
    {"tolerance": [{"path": "/a", "absolute": 1}]},
)
DIGITS = st.text("0123456789", min_size=1, max_size=18).map(lambda text: text.lstrip("0") or "0")
LITERALS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "-"]),
    st.one_of(st.sampled_from(["0", "1", "10", "100", "105"]), DIGITS),
    st.one_of(st.just(""), st.sampled_from([".0", ".5", ".50", ".10"]), DIGITS.map(".{}".format)),
    st.sampled_from(["", "", "", "e0", "e1", "E+2", "e-1", "e99", "e290", "e-300", "e400"]),
)
TEXTS = st.sampled_from(
    ["", "a", "0", "1", "10.50", "10.5", "1e2", "-0", "0.1", "00", 'a":b', "x:y", "é/ü", "1234567890123456789",
     "2024-01-02 00:00:00", "2024-01-02T00:00:00Z", "50e1234", ":-0"]
)  # fmt: skip
COLONS = (":", ":", " :", "\t:")
NAMES = st.sampled_from(["a", "b", "c", "é", 'a"', "x:"])


class Literal(str):
    """A number as it is written."""

    __slots__ = ()


LEAVES = st.one_of(st.none(), st.booleans(), TEXTS, LITERALS.map(Literal))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def written(value: Any, rng: random.Random, *, php: bool = False) -> str:
    """The value as text, spelled in one of the many ways; `php` also as PHP might mean it."""
    if isinstance(value, Literal):
        return json.dumps(str(value)) if php and rng.random() < 0.3 else respelled(value, rng)
    if isinstance(value, dict):
        return members(value, rng, php=php)
    if isinstance(value, list):
        return f"[{joined([written(each, rng, php=php) for each in value], rng)}]"
    if isinstance(value, bool) and php and rng.random() < 0.5:
        return rng.choice(("0", "1", '"0"', '"1"', "-0", "1.0", str(int(value)), f'"{int(value)}"'))
    return spelled(value, rng) if isinstance(value, str) else json.dumps(value)


def members(value: dict[str, Any], rng: random.Random, *, php: bool) -> str:
    """An object, its members in any order; now and then one of them twice, or an empty one as PHP writes it."""
    names = list(value)
    rng.shuffle(names)
    if not names and php and rng.random() < 0.5:
        return "[]"
    found = [f"{spelled(name, rng)}{rng.choice(COLONS)}{written(value[name], rng, php=php)}" for name in names]
    if found and rng.random() < 0.1:
        found.insert(0, f"{spelled(names[-1], rng)}:{rng.choice(('1', 'null', '[2]'))}")
    return f"{{{joined(found, rng)}}}"


def joined(parts: list[str], rng: random.Random) -> str:
    blanks = ("", "", " ", "\n\t")
    return f"{rng.choice(blanks)},{rng.choice(blanks)}".join(parts) + rng.choice(blanks)


def spelled(text: str, rng: random.Random) -> str:
    told = json.dumps(text, ensure_ascii=rng.random() < 0.5)
    return told.replace("/", "\\/").replace(":", rng.choice((":", "\\u003a"))) if rng.random() < 0.5 else told


def respelled(literal: str, rng: random.Random) -> str:
    """The same number, or nearly, in other digits."""
    has_power = bool(set(literal) & set("eE"))
    pointed = f"{literal}.0" if not has_power and "." not in literal else literal
    longer = f"{literal}0" if not has_power and "." in literal else literal
    return rng.choice((literal, literal, literal.replace("e", "E"), pointed, longer))


@given(VALUES, VALUES, st.sampled_from(SETTINGS), st.randoms(use_true_random=False), st.booleans())
def test_what_a_quick_look_calls_equal_the_walk_calls_equal_and_forgives_as_often(
    value: Any, other: Any, setting: dict[str, Any], rng: random.Random, same: bool
):
    legacy, modern = written(value, rng, php=True), written(value if same else other, rng)
    rules = quick_rules(setting)
    assert rules is not None

    found = quick_equal(legacy.encode(), modern.encode(), rules)

    if found is not None:
        walked = held(legacy, modern, setting)
        forgiven = {rule: times for rule, times in walked.forgiven.items() if not rule.startswith("ignore:")}
        assert (walked.verdict, walked.findings, walked.notes, forgiven) == ("equal", (), (), dict(found))


@pytest.mark.parametrize(
    ("legacy", "modern", "forgiven"),
    [
        ('{"a":1,"b":[1,2]}', '{ "b" :[1, 2],\n"a": 1}', {}),
        ('{"a":1,"b":[1,2]}', '{"b": [1, 2],\n"a": 1}', {}),
        ('{"a":"\\u00e9\\/"}', '{"a": "é/"}', {}),
        ('{"a":1.0,"b":1e2}', '{"a":1,"b":100}', {}),
        ('{"a":123456789012345}', '{"a":1.23456789012345e14}', {}),
        ('{"a":9007199254740993}', '{"a": 9007199254740993}', {}),
        ('{"a":"10.50"}', '{"a":10.5}', {"numeric_string": 1}),
        ('{"a":"7","b":[]}', '{"a":7,"b":{}}', {"numeric_string": 1, "empty_array": 1}),
        ('{"a":0,"b":"1","c":1}', '{"a":false,"b":true,"c":true}', {"bool_int": 3}),
        ('{"a":"","b":["x",""],"c":"1"}', '{"c" : 1, "a": "", "b": ["x", ""]}', {"numeric_string": 1}),
        ('{"a":1e-98,"b":1.50}', '{"a":0.1e-97,"b":1.5}', {}),
        ('{"a":0.0,"b":"1111-2222-3333-4444"}', '{"a":0,"b":"1111-2222-3333-4444"}', {}),
        ('{"a":1,"b":[0.5,"x"]}', '{"b":[5e-1, "x"],\t"a":1.0}', {}),
        # what it leaves to the walk
        ('{"a"\t:1,"b":"\\/","b":"\\/"}', '{"a":1,"b":"\\/"}', None),
        ('{"a"\n:1,"b":"x","b":"x"}', '{"a":1,"b":"x"}', None),
        ('{"a":true,"b":1}', '{"b":true,"a":1}', None),
        ('{"a":1,"b":[true]}', '{"a":true, "b":[1]}', None),
        ('{"a":"\\u00e9"}', '{"a" :"é"}', {}),
        ('{"a":"é"}', '{"a" :"\\u00e9"}', {}),
        ('{"a":"\\"é"}', '{"a" :"\\"\\u00e9"}', None),
        ('{"a":"\\\\"}', '{"a": "\\\\"}', {}),
        ('{"a":[{"b":1,"b":1}]}', '{"a": [{"b":1}]}', None),
        ('{"a":[{"b":""}]}', '{"a": [{"b":"","b":""}]}', None),
        ('{"a":["x"],"b":"y"}', '{"a":["x"],"b":"z","b":"y"}', None),
        ('{"a":0.100000000000000005}', '{"a": 0.1}', None),
        ('{"a":1,"b":0.0}', '{"a": 1, "b":1e-400}', None),
        ('{"a":1,"b":0.0}', '{"a": 1, "b":1E-400}', None),
        ('{"a":0.0,"b":"pre-order"}', '{"a": 0,"b":"pre-order"}', {}),
        ('{"a":1e100}', '{"a":10e99}', None),
        ('{"a":true}', '{"a":1}', None),
        ('{"a":1}', '{"a":"1"}', None),
        ('{"a":"1e3"}', '{"a":1000}', None),
        ('{"a":-0}', '{"a":false}', None),
        ('{"a":1.0}', '{"a":true}', None),
        ('{"a":1,"a":2}', '{"a":2}', None),
        ('{"a":9007199254740993.0}', '{"a":9007199254740992}', None),
        ('{"a":18446744073709551616}', '{"a":18446744073709551617}', None),
        ('{"a":1e400}', '{"a":1e401}', None),
        ('{"a":1e-400}', '{"a":0}', None),
        ('{"a":[]}', '{"a":null}', None),
        ('{"a":{}}', '{"a":[]}', None),
        ("1", "1.0", None),
        ("\ufeff{}", "{}", None),
        ('{"a":' + "[" * 70 + "]" * 70 + "}", '{"a": ' + "[" * 70 + "]" * 70 + "}", None),
    ],
)  # fmt: skip
def test_what_it_can_tell_and_what_it_leaves_to_the_walk(legacy: str, modern: str, forgiven: dict[str, int] | None):
    rules = quick_rules(PHP)
    assert rules is not None

    assert quick_equal(legacy.encode(), modern.encode(), rules) == forgiven


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ({"map": {"case": "camel"}}, None),
        ({"custom": "a:b"}, None),
        ({"body": "text"}, None),
        ({"body": "json"}, set()),
        ({"preset": "none"}, set()),
        ({**PHP, "ignore": ["/a"]}, set()),
        ({"preset": {"name": "php", "except": ["bool_int", "empty_array"]}}, {"numeric_string"}),
    ],
)
def test_where_it_looks_and_what_it_may_forgive(setting: dict[str, Any], rules: set[str] | None):
    assert quick_rules(setting) == rules
