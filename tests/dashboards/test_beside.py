"""Two bodies beside each other show where they differ."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.difference import ALIKE, GAP, MARKED, OTHER, SAME, Row, rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def test_the_place_that_was_found_is_marked_among_its_neighbours():
    legacy, modern = '{"id": 7, "items": [{"amount": 10.50}]}', '{"items": [{"amount": 10.49}], "id": 7}'

    laid = rows(legacy, modern, ["/items/0/amount"])

    assert [row for row in laid if row.kind != SAME] == [
        Row(MARKED, '      "amount": 10.50', '      "amount": 10.49'),
    ]


def test_a_number_keeps_its_spelling():
    assert Row(SAME, "[", "[") in rows("[1.10, 12345678901234567890.0]", "[1.1, 12345678901234567890.0]")
    assert Row(ALIKE, "  1.10", "  1.1") in rows("[1.10]", "[1.1]")


@pytest.mark.parametrize(
    ("legacy", "modern", "kind"),
    [
        ('"35.00"', "35.0", ALIKE),
        ('"2024-02-08 08:40:19"', '"2024-02-08T08:40:19Z"', ALIKE),
        ('"8.06"', "8.05", OTHER),
        ('"2024-02-08 08:40:19"', '"2024-02-08T09:40:19Z"', OTHER),
        ('"NaN"', "1", OTHER),
        ('"a b"', '"ab"', OTHER),
        ("null", '""', OTHER),
    ],
)
def test_another_spelling_of_a_value_does_not_cry_out(legacy: str, modern: str, kind: str):
    assert rows(legacy, modern)[0].kind == kind


def test_what_one_side_alone_has_stands_alone():
    assert Row(OTHER, None, '  "new": {') in rows("{}", '{"new": {"a": 1}}')


def test_long_stretches_that_are_equal_are_left_out():
    body = {str(number): number for number in range(100)}

    laid = rows(json.dumps(body), json.dumps({**body, "50": "x"}), ["/50"])

    assert [row.kind for row in laid] == [GAP, *[SAME] * 3, MARKED, *[SAME] * 3, GAP]


def test_other_spellings_are_left_out_with_what_is_equal():
    legacy, modern = [f"{number}.00" for number in range(50)], [*range(49), "x"]

    laid = rows(json.dumps(legacy), json.dumps(modern), ["/49"])

    assert [row.kind for row in laid] == [GAP, *[ALIKE] * 3, MARKED, SAME]
    assert laid[0].left == "47 lines that are alike"


def test_what_is_not_json_is_laid_out_by_its_lines():
    laid = rows("<p>\na\n</p>", "<p>\nb\n</p>")

    assert laid == (Row(SAME, "<p>", "<p>"), Row(MARKED, "a", "b"), Row(SAME, "</p>", "</p>"))


@given(JSON, JSON)
def test_equal_bodies_have_no_difference_and_other_ones_have_one(one: object, other: object):
    laid = rows(json.dumps(one), json.dumps(other))

    assert all(row.kind in (SAME, GAP) for row in rows(json.dumps(one), json.dumps(one)))
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        assert any(row.kind in (OTHER, ALIKE) for row in laid)


@pytest.mark.parametrize("levels", [61, 257, 1500, 5000])
def test_a_deep_body_is_not_laid_out_for_ever(levels: int):
    one, other = ("[" * levels + inner + "]" * levels for inner in ("1", "2"))

    assert rows(one, one)
    assert {row.kind for row in rows(one, other)} & {OTHER, MARKED}
    assert rows(one, "[]")
