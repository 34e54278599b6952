"""What legacy says in one of its answers modern may say as well; what it says in none is never hidden by that."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from comparators import compare
from tests.comparators.answers import answer, policy

PHP = policy({"preset": "php", "noise": "learn"})
NAMES = st.sampled_from(["alpha", "beta", "rows", "items", "text", "note"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 99),
    st.sampled_from(["ann", "bob", "at 5", "2026-11-30", "a3f81c9e77b2", ""]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)
SECRET = {"password": "hunter2"}


def verdict(first: Any, again: Any, modern: Any) -> str:
    legacy, secondary = (answer(json.dumps(each)) for each in (first, again))
    return compare(legacy, answer(json.dumps(modern, indent=1)), PHP, secondary=(secondary,)).verdict


@given(DOCUMENTS, DOCUMENTS)
def test_either_answer_of_legacy_is_right(first: Any, again: Any):
    assert verdict(first, again, first) == "equal"
    assert verdict(first, again, again) in ("equal", "noise")


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_whatever_legacy_varies_a_secret_of_modern_alone_is_a_difference(first: Any, again: Any, modern: Any):
    assert verdict(first, again, {**modern, "extra": SECRET}) == "different"
    assert verdict({**first, "list": [1]}, {**again, "list": [1, 2]}, {**modern, "list": [SECRET, 2, 3]}) == "different"


@given(DOCUMENTS, DOCUMENTS, st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True))
def test_whatever_legacy_varies_a_sum_that_is_in_none_of_its_answers_is_a_difference(
    first: Any, again: Any, sums: list[int]
):
    rows = [{"id": number, "amount": each} for number, each in enumerate(sums)]
    wrong = [*rows[:-1], {**rows[-1], "amount": 1000}]

    assert verdict({**first, "all": rows}, {**again, "all": [*rows, *rows[:1]]}, {**again, "all": wrong}) == "different"
    assert verdict({**first, "all": rows[1:]}, {**again, "all": rows}, {**again, "all": wrong}) == "different"
