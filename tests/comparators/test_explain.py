from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import compare
from comparators.explain import Detail, Explanation, explain
from tests.comparators.answers import answer, policy


def details(legacy: str, modern: str) -> list[tuple[str, str, str, str]]:
    found = explain(legacy.encode(), modern.encode())
    assert found.note == ""
    return [(each.path, each.change, each.legacy, each.modern) for each in found.details]


def test_each_change_is_told_with_both_values() -> None:
    legacy = '{"a":1.50,"b":"x","c":[1,2],"d":{},"e":null,"gone":{"k":1},"it\'s \\"q\\"/~":1}'
    modern = '{"a":1.51,"b":2,"c":[1,2,3],"d":[],"e":null,"new":true,"it\'s \\"q\\"/~":2}'

    assert details(legacy, modern) == [
        ("/a", "value", "1.50", "1.51"),
        ("/b", "type", '"x"', "2"),
        ("/c/2", "extra", "", "3"),
        ("/d", "type", "{}", "[]"),
        ("/gone", "missing", '{"k": 1}', ""),
        ('/it\'s "q"~1~0', "value", "1", "2"),
        ("/new", "extra", "", "true"),
    ]


def test_one_row_more_is_one_change() -> None:
    rows = [{"id": number, "name": f"n{number}"} for number in range(20)]

    found = explain(json.dumps(rows).encode(), json.dumps([{"id": 99, "name": "new"}, *rows]).encode())

    assert [each for each in found.details if each.change != "order"] == [
        Detail("/0", "extra", "", '{"id": 99, "name": "new"}')
    ]


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ("[1,2,2]", "[1,1,2]"),
        ("9007199254740993", "9007199254740992"),
        ("true", "1"),
        ('{"a":1}', '{"b":1}'),
        ("[[1],[2]]", "[[2],[1]]"),
    ],
)
def test_what_deepdiff_may_overlook_is_told(legacy: str, modern: str) -> None:
    assert details(legacy, modern)


@pytest.mark.parametrize(
    ("legacy", "modern"), [("1.0", "1"), ('{"a":1,"b":2}', '{"b":2.0,"a":1e0}'), ("\ufeff[]", "[]")]
)
def test_spelling_is_no_change(legacy: str, modern: str) -> None:
    assert explain(legacy.encode(), modern.encode()) == Explanation()


def test_what_is_no_json_is_told_line_by_line() -> None:
    page = explain(b"<ul><li>a</li><li>b</li></ul>", b"<ul><li>a</li><li>c</li></ul>")

    assert page.lines[-4:] == (" <li>a</li>", "-<li>b</li>", "+<li>c</li>", " </ul>")
    assert explain(b'{"a":1', b'{"a":1}').lines[-2:] == ('-{"a":1', '+{"a":1}')


@pytest.mark.parametrize("levels", [62, 300, 1500, 4000])
def test_what_is_nested_deeply_is_told_line_by_line(levels: int) -> None:
    legacy, modern = (b"[" * levels + inner + b"]" * levels for inner in (b"1", b"2"))

    found = explain(legacy, modern)

    assert (found.note, found.details) == ("", ())
    assert {line[0] for line in found.lines} == {"-", "+", "@"}


def test_what_is_left_out_is_said() -> None:
    many = explain(json.dumps(list(range(500))).encode(), json.dumps(list(range(1, 501))).encode())
    large = explain(json.dumps(list(range(9000))).encode(), json.dumps(list(range(1, 9001))).encode())
    huge = explain(b"a" * (1 << 20), b"b")

    assert (len(many.details), many.note) == (100, "400 more are left out")
    assert large.lines
    assert large.note == "only the first 2000 lines are looked at"
    assert huge.note.startswith("only bodies up to")
    assert explain(b"a\n" * 500, b"b\n" * 500).note == "more lines are left out"


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "id", "'\"", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES, TREES)
def test_any_two_documents_are_explained(one: Any, two: Any) -> None:
    legacy, modern = json.dumps(one).encode(), json.dumps(two).encode()

    found = explain(legacy, modern)

    assert explain(legacy, legacy) == Explanation()
    assert "could not say" not in found.note


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_two_bodies_are_explained(legacy: bytes, modern: bytes) -> None:
    assert isinstance(explain(legacy, modern), Explanation)


def test_what_counts_is_told_and_what_is_forgiven_folded() -> None:
    legacy = json.dumps({"a": "1.50", "b": {"c": 1, "d": "2"}, "e": [{"f": "1"}, {"f": "2"}]}).encode()
    modern = json.dumps({"a": 1.5, "b": {"c": 2, "d": 2}, "e": [{"f": 1}, {"f": 2}]}).encode()
    both = (answer(legacy), answer(modern))

    told = explain(legacy, modern, compare(*both, policy({"preset": "php"})))
    strict = explain(legacy, modern, compare(*both, policy()))

    assert [each.path for each in told.details] == ["/b/c"]
    assert told.note == "4 more places differ only in what is forgiven: numeric_string 4"
    assert [each.path for each in strict.details] == ["/a", "/b/c", "/b/d", "/e/0/f", "/e/1/f"]
    assert strict.note == ""
