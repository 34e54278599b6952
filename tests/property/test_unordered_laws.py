"""Laws of lists whose order does not matter: short lists in rows, that pair by their keys, and long ones, searched."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from comparators.row_walk import FEW
from tests.comparators.answers import held

SETTINGS = {"preset": "php", "unordered": ["", "/*"]}
MANY = [{"further": at} for at in range(FEW)]
LEAVES = st.sampled_from([0, 1, 2, "0", "1", "2", "2.0", 1.5, "a", "", None, True, False, "2024-01-02 00:00:00"])
ROWS = st.dictionaries(st.sampled_from(["a", "b"]), LEAVES, min_size=1, max_size=2) | LEAVES


@st.composite
def rows_and_others(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """A few rows, and those in another order and perhaps spelling, one of them perhaps another."""
    rows = draw(st.lists(ROWS, min_size=1, max_size=5))
    others = draw(st.permutations([draw(st.sampled_from([row, as_numbers(row)])) for row in rows]))
    if draw(st.booleans()):
        others = [draw(ROWS | st.just(emptied(others[0]))), *others[1:]]
    return rows, others


def emptied(row: Any) -> Any:
    """The row with empty texts for nulls, which rows are not told apart by."""
    if isinstance(row, dict):
        return {name: emptied(each) for name, each in row.items()}
    return "" if row is None else row


def as_numbers(row: Any) -> Any:
    """The row with the texts of whole numbers as numbers."""
    if isinstance(row, dict):
        return {name: as_numbers(each) for name, each in row.items()}
    return int(row) if isinstance(row, str) and row.isdigit() else row


@given(rows_and_others())
@example(([{"a": "1"}, {"a": "2", "b": None}], [{"a": 1}, {"a": 2, "b": ""}]))
@example(([{"a": "1", "b": None}, {"a": "2"}], [{"a": 2}, {"a": 1, "b": ""}]))
def test_a_few_rows_in_a_row_are_compared_as_they_are_among_many(pair: tuple[list[Any], list[Any]]):
    legacy, modern = pair
    few = held(json.dumps([legacy, [MANY[0]]]), json.dumps([[MANY[0]], modern]), SETTINGS)
    many = held(json.dumps([legacy + MANY, [MANY[0]]]), json.dumps([[MANY[0]], modern + MANY]), SETTINGS)

    assert few.verdict == many.verdict
    assert dict(few.forgiven) == dict(many.forgiven) or few.verdict == "different"
    assert found(few) == found(many)


def found(comparison: Any) -> Counter[tuple[str, str, str]]:
    """What was found, wherever it stands."""
    return Counter((each.kind, each.legacy, each.modern) for each in comparison.findings)
