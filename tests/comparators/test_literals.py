"""What a finding shows of long literals is never the same on both sides."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators.literals import cut_apart, is_cut
from comparators.model import LONGEST_LITERAL
from tests.comparators.answers import held

LONG = "lorem ipsum dolor " * 60


@pytest.mark.parametrize("at", [0, 100, 254, 255, 256, 300, 700, len(LONG) - 1])
def test_both_literals_are_cut_around_the_first_difference(at: int):
    other = f"{LONG[:at]}#{LONG[at + 1 :]}"

    (finding,) = held(json.dumps({"a": LONG}), json.dumps({"a": other})).findings

    assert "#" in finding.modern
    assert "#" not in finding.legacy
    assert is_cut(finding.legacy)
    assert is_cut(finding.modern)
    assert finding.legacy[0] == '"'


def test_a_long_object_against_another_type_shows_what_it_is():
    (finding,) = held(json.dumps({"a": {"b": LONG}}), '{"a": 1}').findings

    assert finding.legacy.startswith('{"b":"lorem')
    assert is_cut(finding.legacy)
    assert finding.modern == "1"


def test_the_place_in_a_page_stays_whatever_its_length():
    place = "main > div#" + "x" * 300

    left, right = cut_apart("@body", f"{place}: one", f"{place}: two")

    assert left.partition(": ")[0] == right.partition(": ")[0]
    assert (left[-5:], right[-5:]) == (": one", ": two")


TEXTS = st.text('ab…"{:', max_size=600) | st.integers(0, 600).map("a".__mul__)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(["/a", "@body"]))
def test_two_literals_that_differ_are_shown_otherwise(head: str, one: str, two: str, tail: str, path: str):
    legacy, modern = head + one + tail, head + two + tail

    left, right = cut_apart(path, legacy, modern)

    assert (left == right) == (legacy == modern)
    assert max(len(left), len(right)) <= LONGEST_LITERAL
    assert all(is_cut(cut) for cut, whole in ((left, legacy), (right, modern)) if cut != whole)


@given(st.text(max_size=600), st.text(max_size=600), st.text(max_size=600))
def test_two_long_texts_are_shown_from_where_they_part(head: str, one: str, two: str):
    findings = held(json.dumps({"a": head + one}), json.dumps({"a": head + two})).findings

    assert [each.legacy == each.modern for each in findings] == [False] * (one != two)


def test_two_long_lists_in_another_order_are_shown_from_where_they_part():
    rows = [f"row {number}" for number in range(100)]

    (finding,) = held(json.dumps(rows), json.dumps([*rows[:-2], rows[-1], rows[-2]])).findings

    assert (finding.kind, finding.legacy, finding.modern) == (
        "order", '[…"row 98","row 99"]', '[…"row 99","row 98"]',
    )  # fmt: skip
