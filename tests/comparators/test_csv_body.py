from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import text_compare
from comparators.text_compare import rows
from tests.comparators.bodies import PHP, held, kinds

SAME = [
    ('"John Smith",1\n', "John Smith,1\r\n"),
    ("a,b\n1,2\n", "a,b\r1,2"),
    ('a;b\n"1,5";2\n', '"a";"b"\n"1,5";2\n'),
    ("a\tb\n", "a\tb"),
    ('a,"say ""hi"""\n', 'a,"say ""hi"""'),
    ('a,"two\nlines"\n', 'a,"two\nlines"\r\n'),
    ('a,""\n', "a,\n"),
    ("", "\n"),
]
DIFFERENT = [
    ("a,1.10\n", "a,1.1\n", "value"),
    ("a, 1\n", "a,1\n", "value"),
    ("a,b\n", "a;b\n", "value"),
    ("a\n1\n2\n", "a\n2\n1\n", "order"),
    ("a,b\n", "b,a\n", "value"),
    ("a,b\n1\n", "a,b\n1,2\n", "extra"),
    ("a,b,c\n", "a,b\n", "missing"),
    ("a\n1\n", "a\n", "length"),
    ('a,"two\nlines"\n', 'a,"two\r\nlines"\n', "value"),
    ("a\n\nb\n", "a\nb\n", "length"),
]


@pytest.mark.parametrize(("legacy", "modern"), SAME)
def test_one_table_written_in_two_ways_is_one_table(legacy: str, modern: str) -> None:
    assert kinds(held(text_compare.csv_differences, legacy, modern)) == []
    assert kinds(held(text_compare.csv_differences, modern, legacy)) == []


@pytest.mark.parametrize(("legacy", "modern", "kind"), DIFFERENT)
def test_cells_their_order_and_the_delimiter_count(legacy: str, modern: str, kind: str) -> None:
    assert kinds(held(text_compare.csv_differences, legacy, modern))[0] == kind
    assert kinds(held(text_compare.csv_differences, modern, legacy)) != []
    assert kinds(held(text_compare.csv_differences, legacy, modern, PHP)) != []


def test_a_cell_is_named_by_row_and_column() -> None:
    finding = held(text_compare.csv_differences, "id,price\n1,10.50\n", "id,price\n1,10.5\n").findings[0]

    assert (finding.legacy, finding.modern) == ("row 2, column 2: 10.50", "row 2, column 2: 10.5")


def test_a_table_that_differs_everywhere_shows_a_few_cells() -> None:
    legacy = "".join(f"{number},a\n" for number in range(100))

    assert len(kinds(held(text_compare.csv_differences, legacy, legacy.replace("a", "b")))) == 6
    assert kinds(held(text_compare.csv_differences, legacy, "new,x\n" + legacy)) == ["length", "value"]


def test_cells_are_text_for_the_operators_patterns_and_own_hosts() -> None:
    legacy, modern = "url,made\nhttp://old.example/a,at 10:01\n", "url,made\nhttp://new.example:8000/a,at 10:02\n"

    assert kinds(held(text_compare.csv_differences, legacy, modern, {**PHP, "ignore_text": [r"at [\d:]+"]})) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a"b,c', [['a"b', "c"]]),
        ('"a"b,c', [['"a"b', "c"]]),
        ('"open,c\nd', [['"open', "c"], ["d"]]),
        ('"', [['"']]),
        ('"a""', [['"a""']]),
    ],
)
def test_broken_quotes_are_plain_characters(text: str, expected: list[list[str]]) -> None:
    assert rows(text, ",") == expected


CELLS = st.text(st.sampled_from('ab",;\n\r \t'), max_size=5)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=4), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
def test_a_table_reads_as_it_was_written(table: list[list[str]], quoting: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting).writerows(table)

    assert rows(text.getvalue(), ",") == table


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_tables_are_compared_whatever_they_hold(legacy: bytes, modern: bytes) -> None:
    held(text_compare.csv_differences, legacy, modern)

    assert kinds(held(text_compare.csv_differences, legacy, legacy)) == []
