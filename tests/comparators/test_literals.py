"""What a finding shows of long literals is never the same on both sides."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import compare
from comparators.literals import apart, cut_apart, is_cut
from comparators.model import LONGEST_LITERAL
from tests.comparators.answers import answer, held, policy

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


def test_a_long_place_never_pushes_the_difference_out_of_sight():
    place = "main > div#" + "x" * 300

    left, right = cut_apart("@body", f"{place}: {LONG}one", f"{place}: {LONG}two")

    assert (left[-3:], right[-3:]) == ("one", "two")


@pytest.mark.parametrize("more", [["zz"], ["a"], ["f30x"], ["x" * 400]])
def test_many_refused_fields_are_shown_from_where_they_part(more: list[str]):
    fields = [f"f{number:02d}" for number in range(60)] + ["x" * 399]
    bodies = [
        json.dumps({"message": "x", "errors": {name: ["x"] for name in each}}) for each in (fields, fields + more)
    ]

    (finding,) = compare(
        *(answer(body, 422) for body in bodies), policy({"errors": "laravel"})
    ).findings  # fmt: skip

    assert (finding.path, finding.kind) == ("/errors", "extra")
    assert finding.legacy != finding.modern
    assert (more[0] in finding.modern) == (len(more[0]) < 100)


@pytest.mark.parametrize("at", [0, 90, 255, 300, 700])
def test_two_long_elements_of_two_lists_are_shown_from_where_they_part(at: int):
    texts = [f"{LONG[:at]}{each}{LONG[at:]}" for each in "#+"]

    left, right = apart(["a", texts[0]], ["a", texts[1]], lambda value, _: json.dumps(value)[:LONGEST_LITERAL])

    assert ("#" in left, "+" in right) == (True, True)


TEXTS = st.text('ab…"{: ', max_size=600) | st.integers(0, 600).map("a".__mul__)


PLACES = st.just("") | TEXTS.map("{}: ".format)


@given(PLACES, TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(["/a", "@body"]), st.sampled_from([LONGEST_LITERAL, 100]))
def test_two_literals_that_differ_are_shown_otherwise(
    place: str, head: str, one: str, two: str, tail: str, path: str, longest: int
):
    legacy, modern = place + head + one + tail, place + head + two + tail

    left, right = cut_apart(path, legacy, modern, longest)
    again = cut_apart(path, left, right, 100)

    assert (left == right) == (legacy == modern)
    assert (again[0] == again[1]) == (legacy == modern)
    assert max(len(left), len(right)) <= longest


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


@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
def test_a_body_that_is_cut_at_its_end_is_shown_there(media: str):
    whole = '{"a":"' + "x" * 400 + '"}'

    (found,) = compare(answer(whole, media=media), answer(whole[:-1], media=media), policy()).findings

    assert found.kind == "parse"
    assert found.legacy.endswith('"}')
    assert found.modern.endswith('"')
