"""What legacy varies inside a script's or an attribute's JSON is told value by value; its own timings are one place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Comparison, compare
from tests.comparators.answers import answer, policy

HTML = "text/html; charset=UTF-8"
FORMS = {
    "a script": lambda value: f"<p>a</p><script>window.config = {json.dumps(value)};</script>",
    "an attribute": lambda value: f"<p data-config='{json.dumps(value)}'>a</p>",
}


def page_of(form: str, *values: Any) -> Comparison:
    """Legacy's answer, its second one, modern's: pages that hold these values."""
    legacy, again, modern = (answer(FORMS[form](value), media=HTML) for value in values)
    return compare(legacy, modern, policy({"preset": "php"}), secondary=(again,))


def body_of(*values: Any) -> Comparison:
    legacy, again, modern = (answer(json.dumps(value)) for value in values)
    return compare(legacy, modern, policy({"preset": "php"}), secondary=(again,))


def ids(at: int) -> dict[str, Any]:
    made = ["27ce6be69b5c68588ff1634c", "0157af1b387564e296debf83", "a593931abdd8be258ac29452"]
    return {"requestId": made[at], "user": 5, "page": "Tools"}


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_value_beside_a_noisy_one_is_the_only_finding(form: str):
    comparison = page_of(form, ids(0), ids(1), ids(2) | {"user": 6})

    assert comparison.verdict == "different"
    assert [each.legacy.rpartition(" ")[2] for each in comparison.findings] == ["5"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", ["", "none", None, 7, "27ce6be69b5c68588ff1634", "27ce6be69b5c68588ff1634z"])
def test_a_noisy_value_of_another_form_counts(form: str, wrong: Any):
    assert page_of(form, ids(0), ids(1), ids(2) | {"requestId": wrong}).verdict == "different"


@pytest.mark.parametrize("form", FORMS)
def test_money_inside_is_never_noise(form: str):
    assert page_of(form, {"total": 5}, {"total": 6}, {"total": 7}).verdict == "different"


def timings(cpu: Any, wall: Any, **more: Any) -> dict[str, Any]:
    return {"report": {"cputime": cpu, "walltime": wall}, **more}


@pytest.mark.parametrize(
    ("first", "again", "modern", "noise"),
    [
        (timings("0.001", "0.004"), timings("0.001", "0.005"), timings("0.002", "0.049"), True),
        (timings(0.001, 0.004), timings(0.001, 0.005), timings(0.002, 0.049), True),
        (timings(3, 4), timings(3, 5), timings(0, 40), True),
        (timings("0.001", "0.004"), timings("0.001", "0.005"), timings("0.001", "4"), False),
        (timings("0.001", "0.004"), timings("0.001", "0.005"), timings("0.001", "-0.004"), False),
        (timings("0.001", "0.004"), timings("0.001", "0.005"), timings("0.001", ""), False),
        (timings("0.001", "0.004"), timings("0.001", "0.005"), timings("0.001", None), False),
        (timings("0.001", "0.004"), timings("0.001", "0.004"), timings("0.002", "0.004"), False),
        (timings(1767261600, 4), timings(1767261601, 5), timings(1767265200, 4), False),
        (timings(3, 4, duration=15), timings(3, 5, duration=15), timings(3, 4, duration=20), False),
        (timings(3, 4, cook_time=15), timings(3, 5, cook_time=15), timings(3, 4, cook_time=20), False),
    ],
)
def test_how_long_an_answer_took_is_one_place(first: Any, again: Any, modern: Any, noise: bool):
    expected = "noise" if noise else "different"

    assert body_of(first, again, modern).verdict == expected
    assert [page_of(form, first, again, modern).verdict for form in FORMS] == [expected, expected]
