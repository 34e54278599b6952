"""What Alpine, Vue and their like run from an attribute is a script: its JSON and its strings are read as in one."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest

from comparators import Comparison, compare
from tests.comparators.answers import answer, policy

PHP: dict[str, Any] = {"preset": "php"}
NAMES = ("x-data", "x-init", "x-on:click", "@click", ":items", "v-bind:items", "onclick")
TEXTS = ("data-page", "wire:snapshot", "title", "hx-vals")
JS_FROM = r"JSON.parse('{\u0022id\u0022:7,\u0022url\u0022:\u0022\\\/a\u0022,\u0022tags\u0022:[1,2]}')"
COMPACT = """JSON.parse('{"id":7,"url":"/a","tags":[1,2]}')"""
SPACED = """JSON.parse('{"tags": [1, 2], "url": "/a", "id": 7}')"""
AROUND = ("{}", "list({})", "{ open: false, item: {} }", "{ item: {}, open: false }", "item = {}")
CODE = [
    ("{ open: false, tags: [1,2] }", "{ open: false, tags: [1, 2] }"),
    (r"go('\/a')", "go('/a')"),
    (r"say('caf\u00e9')", "say('café')"),
    ('go({"a":1,"b":2})', 'go({"b": 2, "a": 1})'),
]


def held(name: str, legacy: str, modern: str, mapping: dict[str, Any] | None = None, *again: str) -> Comparison:
    """Two pages that differ in an attribute at the most, and legacy's further ones."""
    first, other, *more = (
        answer(f'<p>x</p><div {name}="{html.escape(each)}">y</div>', media="text/html")
        for each in (legacy, modern, *again)
    )
    return compare(first, other, policy(PHP if mapping is None else mapping), secondary=tuple(more))


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", NAMES)
def test_what_laravel_writes_into_an_attribute_is_the_json_that_it_parses(name: str, around: str):
    forms = [around.replace("{}", each, 1) for each in (JS_FROM, COMPACT, SPACED)]

    for one in forms:
        for two in forms:
            assert held(name, one, two).verdict == "equal", (one, two)
    assert held(name, forms[0], forms[1], {}).verdict == "different"
    assert held(name, forms[0], forms[2], {"preset": {"name": "php", "except": ["embedded_json"]}}).verdict == (
        "different"
    )


@pytest.mark.parametrize("name", TEXTS)
def test_so_it_is_in_an_attribute_of_another_name_where_both_parse_json(name: str):
    assert held(name, JS_FROM, SPACED).verdict == held(name, SPACED, JS_FROM).verdict == "equal"
    assert held(name, JS_FROM, SPACED.replace("7", "8")).verdict == "different"


@pytest.mark.parametrize("name", [*NAMES, *TEXTS])
@pytest.mark.parametrize(
    "wrong",
    [
        SPACED.replace("7", "8"),
        SPACED.replace("7", "null"),
        SPACED.replace("[1, 2]", "[2, 1]"),
        SPACED.replace('"/a"', '"/b"'),
        SPACED.replace("parse", "load"),
        SPACED.replace("JSON", "MyJSON"),
        SPACED.replace("'", "`"),
        SPACED + " + 1",
        '{"tags":[1,2],"url":"/a","id":7}',
        "JSON.parse('')",
        "None",
        "",
    ],
)
def test_another_value_or_other_code_is_a_difference(name: str, wrong: str):
    assert held(name, JS_FROM, wrong).verdict == held(name, wrong, JS_FROM).verdict == "different"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("legacy", "modern"), CODE)
def test_json_and_strings_in_its_code_are_read_as_in_a_script(name: str, legacy: str, modern: str):
    assert held(name, legacy, modern).verdict == held(name, modern, legacy).verdict == "equal"
    assert held(name, legacy, modern.replace("open", "shown").replace("go", "run").replace("say", "tell")).verdict == (
        "different"
    )


@pytest.mark.parametrize("name", ["title", "data-note", "class", "content", "alt", "xmlns", "vocab"])
@pytest.mark.parametrize(("legacy", "modern"), CODE)
def test_an_attribute_that_is_a_text_is_no_script(name: str, legacy: str, modern: str):
    assert held(name, legacy, modern).verdict == "different"


def test_a_token_in_it_is_blanked_as_in_a_script():
    one = r"JSON.parse('{\u0022csrfToken\u0022:\u00229f2c41d07be8a365\u0022,\u0022id\u0022:1}')"
    two = """JSON.parse('{"csrfToken":"00c41d07be8a3bb1","id":1}')"""

    assert held("x-data", one, two).verdict == "equal"
    assert held("x-data", one, two.replace("00c41d07be8a3bb1", "None")).verdict == "different"
    assert held("x-data", one, two.replace(":1}", ":2}")).verdict == "different"


@pytest.mark.parametrize("name", ["onclick", "@click", "v-on:click", "x-on:click"])
def test_a_token_in_a_handler_is_that_of_its_row(name: str):
    one, two = "download({ token: 'A9f2c41d07be8a365' })", "download({ token: 'B00c41d07be8a3bb1' })"

    assert held(name, one, two).verdict == "different"
    assert held("x-data", one, two).verdict == "equal"


def test_code_in_attributes_is_read_up_to_a_bound_and_is_a_text_beyond_it():
    def verdict(rows: int) -> str:
        legacy, modern = (
            answer("".join(f"<p @click=\"say('row {mark} {at}')\">x</p>" for at in range(rows)), media="text/html")
            for mark in (r"\/", "/")
        )
        return compare(legacy, modern, policy(PHP)).verdict

    assert (verdict(100), verdict(10_000)) == ("equal", "different")


def test_a_finding_names_the_place_inside_of_what_is_parsed():
    (found,) = held("x-data", JS_FROM, SPACED.replace("7", "8")).findings

    assert (found.legacy, found.modern) == ("html > body > div: x-data /id: 7", "html > body > div: x-data /id: 8")


def test_what_legacy_varies_in_it_by_itself_is_noise_value_by_value():
    def made(at: int, key: str) -> str:
        return f"JSON.parse('{json.dumps({'id': at, 'key': key})}')".replace('"', r"\u0022")

    keys = ("9f2c41d07be8a365", "00c41d07be8a3bb1", "77aa01f00d9e4c21")

    assert held("x-data", made(7, keys[0]), made(7, keys[1]), None, made(7, keys[2])).verdict == "noise"
    assert held("x-data", made(7, keys[0]), made(8, keys[1]), None, made(7, keys[2])).verdict == "different"
    assert held("x-data", made(7, keys[0]), made(7, ""), None, made(7, keys[2])).verdict == "different"
