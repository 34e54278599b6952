from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import text_compare
from comparators.literals import first_difference
from comparators.text_compare import around
from tests.comparators.bodies import PHP, Differences, held, kinds


def test_text_is_the_same_to_the_letter() -> None:
    assert kinds(held(text_compare.text_differences, "a\nb", "a\nb")) == []
    assert kinds(held(text_compare.text_differences, "a\r\nb", "a\nb")) == ["value"]
    assert kinds(held(text_compare.text_differences, "a b", "a  b")) == ["value"]


def test_each_line_that_differs_is_shown() -> None:
    findings = held(text_compare.text_differences, "one\ntwo\nthree", "ane\ntwo\ntree").findings

    assert [(each.legacy, each.modern) for each in findings] == [
        ("line 1: one", "line 1: ane"),
        ("line 3: three", "line 3: tree"),
    ]


def test_a_line_more_is_a_length() -> None:
    context = held(text_compare.text_differences, "one\ntwo", "one\nnew\ntwo")

    assert kinds(context) == ["length", "value"]
    assert context.findings[1].modern == "line 2: one\nnew\ntwo"


def test_lines_that_are_not_listed_are_not_forgotten() -> None:
    context = held(text_compare.text_differences, "a\n" * 50, "b\n" * 50)

    assert len(kinds(context)) == 9
    assert "not the last" in context.findings[-1].legacy


def test_a_pattern_may_reach_over_lines() -> None:
    pattern = {"ignore_text": [r"(?s)<made>.*</made>"]}

    assert kinds(held(text_compare.text_differences, "a\n<made>1\n2</made>", "a\n<made>3\n4</made>", pattern)) == []
    assert kinds(held(text_compare.text_differences, "a\n<made>1\n2</made>", "b\n<made>3\n4</made>", pattern)) != []


def test_what_the_operator_blanks_is_no_difference() -> None:
    context = held(text_compare.text_differences, "in 12ms, ok", "in 3ms, ok", {"ignore_text": [r"in \d+ms"]})

    assert kinds(context) == []
    assert context.forgiven == {"ignore_text": 1}


@pytest.mark.parametrize(
    ("pattern", "one", "two", "other"),
    [
        (r"(?s)<made>.*</made>", "a<made>1\n2</made>", "a", "b"),
        (r"<!-- cached [^>]* -->", "x<!-- cached 12:03 -->", "x", "y"),
        (r"\d+", "in 12 ms", "in  ms", "in  s"),
    ],
)
def test_what_a_pattern_blanks_may_be_on_one_side_alone(pattern: str, one: str, two: str, other: str) -> None:
    rules = {"ignore_text": [pattern]}

    for legacy, modern in ((one, two), (two, one)):
        assert kinds(held(text_compare.text_differences, legacy, modern, rules)) == []
    assert kinds(held(text_compare.text_differences, one, other, rules)) != []


def test_own_hosts_are_no_difference_with_the_preset() -> None:
    bodies = "see http://old.example/a", "see http://new.example:8000/a"

    assert kinds(held(text_compare.text_differences, *bodies, PHP)) == []
    assert kinds(held(text_compare.text_differences, *bodies)) == ["value"]


def test_a_byte_order_mark_is_forgiven_to_legacy_alone() -> None:
    assert held(text_compare.text_differences, "\ufeffa", "a", PHP).forgiven == {"bom_ws": 1}
    assert kinds(held(text_compare.text_differences, "a", "\ufeffa", PHP)) == ["value"]
    assert kinds(held(text_compare.text_differences, "\ufeffa", "a")) == ["value"]
    assert kinds(held(text_compare.text_differences, "\ufeffa", "\ufeffb", PHP)) == ["value"]


def test_one_letter_in_two_charsets_is_two_bodies() -> None:
    assert kinds(held(text_compare.text_differences, "café".encode("latin-1"), "café")) == ["value"]


def test_bytes_are_told_apart_at_the_first_byte() -> None:
    context = held(text_compare.bytes_differences, b"\x00\x01\xff", b"\x00\x01\xfe")

    assert kinds(context) == ["value"]
    assert (context.findings[0].legacy, context.findings[0].modern) == ("3 bytes, from 2: ff", "3 bytes, from 2: fe")
    assert kinds(held(text_compare.bytes_differences, b"abc", b"ab")) == ["length"]
    assert kinds(held(text_compare.bytes_differences, b"", b"ab")) == ["length"]


@given(st.text(max_size=200), st.text(max_size=200))
def test_two_texts_part_at_their_first_difference(one: str, two: str) -> None:
    at = first_difference(one, two)

    assert one[:at] == two[:at]
    assert one[at : at + 1] != two[at : at + 1] or one == two


def test_a_cut_text_says_so() -> None:
    assert around("short", 2) == "short"
    assert around("x" * 1000, 500) == f"…{'x' * 150}…"


@pytest.mark.parametrize("differences", [text_compare.text_differences, text_compare.bytes_differences])
@given(legacy=st.binary(max_size=80), modern=st.binary(max_size=80))
def test_any_two_bodies_are_the_same_only_when_they_are(differences: Differences, legacy: bytes, modern: bytes) -> None:
    assert bool(kinds(held(differences, legacy, modern))) == (legacy != modern)
    assert kinds(held(differences, legacy, legacy)) == []
