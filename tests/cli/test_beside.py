"""Two bodies beside each other, a member a line, each literal as it was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cli.diffs import beside, pretty

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 2]))
def test_json_in_lines_is_the_same_json(value: Any, indent: int | None):
    text = json.dumps(value, indent=indent)

    assert json.loads("\n".join(pretty(text))) == value


def test_a_member_stands_on_its_line_with_its_number_as_it_was_spelled():
    assert pretty('{"total":10.50,"items":[{"id":1e3}],"none":{},"text":"a, b: {c}"}') == [
        "{",
        '  "total": 10.50,',
        '  "items": [',
        "    {",
        '      "id": 1e3',
        "    }",
        "  ],",
        '  "none": {},',
        '  "text": "a, b: {c}"',
        "}",
    ]


@pytest.mark.parametrize("body", ["{broken", "plain, text: [1", "", "[" * 100_000])
def test_what_is_no_json_stays_as_it_is(body: str):
    assert pretty(body) == body.splitlines()


def test_tags_stand_on_lines_of_their_own():
    assert pretty("<ul><li>1</li>\n  <li>2</li></ul>") == ["<ul>", "<li>1</li>", "<li>2</li>", "</ul>"]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_both_sides_fit_the_width_with_a_mark_where_they_differ(width: int):
    legacy = {"status": 200, "body": json.dumps({"name": "x" * 300, "total": 1, **{f"k{n}": n for n in range(20)}})}
    modern = {"status": 200, "body": legacy["body"].replace('"total": 1,', '"total": 2,')}

    lines = list(beside(legacy, modern, width))

    assert all(len(line) <= width - 2 for line in lines)
    (different,) = [line for line in lines if " ≠ " in line]
    assert different.split(" ≠ ")[0].strip() == '"total": 1,'
    assert different.endswith('"total": 2,')
    assert not any('"k19"' in line for line in lines)


def test_a_line_of_one_side_alone_points_at_it():
    lines = list(beside({"status": 200, "body": '{"a": 1}'}, {"status": 201, "body": '{"a": 1, "b": 2}'}, 80))

    assert lines[0].split() == ["legacy", "200", "modern", "201"]
    assert any(" > " in line and line.endswith('"b": 2') for line in lines)
