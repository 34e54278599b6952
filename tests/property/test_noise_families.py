"""What legacy makes anew in each of many rows: chance makes no false alarm, what is not made as they are counts."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparators import Comparison, compare
from comparators.noise_families import MANY, family_of
from tests.comparators.answers import answer, policy

LARGE, FEWER, SMALL = 26_000, 3_300, 10
MAKERS: dict[str, Callable[[Random], Any]] = {
    "hexadecimal": lambda draw: draw.randbytes(9).hex(),
    "base64": lambda draw: b64encode(draw.randbytes(16)).decode(),
    "UUIDs": lambda draw: str(UUID(bytes=draw.randbytes(16), version=4)),
    "decimals": lambda draw: f"{draw.random() * 1000:.6f}",
    "with a name before": lambda draw: f"sess_{draw.randbytes(10).hex()}",
}
TEXTS = ["", "undefined", "null", "[object Object]", "0"]
SEEDS = st.integers(0, 2**32)


def truncated(text: str) -> str:
    return text[: len(text) // 2]


def foreign(text: str) -> str:
    return f"{text[:5]}!{text[6:]}"


def rows(make: Callable[[Random], Any], count: int, seed: int) -> list[dict[str, Any]]:
    draw = Random(seed)
    return [{"id": at, "ref": make(draw)} for at in range(count)]


def judged(legacy: Any, modern: Any, again: Any) -> Comparison:
    one, two, three = (answer(json.dumps(each)) for each in (legacy, modern, again))
    return compare(one, two, policy({"preset": "php"}), secondary=(three,))


def wrong(form: str, value: str) -> list[Any]:
    """What may stand for a value by a fault: of decimals half of one is one as well."""
    if form == "decimals":
        return [None, *TEXTS[:-1], "NaN", f"-{value}", f"{value}e9", [value], True]
    return [None, *TEXTS, truncated(value), foreign(value), value.upper() + "Z", 17, [value], True]


@pytest.mark.parametrize(("form", "count"), [("hexadecimal", LARGE), *((form, FEWER) for form in MAKERS)])
def test_among_many_rows_every_fault_is_found_and_nothing_by_chance(form: str, count: int):
    legacy, modern, again = (rows(MAKERS[form], count, seed) for seed in (1, 2, 3))
    faults = wrong(form, modern[0]["ref"])
    places = [at * (count // len(faults)) + 11 for at in range(len(faults))]
    for at, fault in zip(places, faults, strict=True):
        modern[at]["ref"] = fault
    comparison = judged(legacy, modern, again)

    assert comparison.verdict == "different"
    assert [each.path for each in comparison.findings] == [f"/{at}/ref" for at in places]


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(sorted(MAKERS)), st.data())
def test_a_fault_in_ten_rows_is_found_and_nothing_else(seed: int, form: str, data: st.DataObject) -> None:
    legacy, modern, again = (rows(MAKERS[form], SMALL, seed + each) for each in range(3))

    assert judged(legacy, modern, again).verdict == "noise"

    at = data.draw(st.integers(0, SMALL - 1))
    modern[at]["ref"] = data.draw(st.sampled_from(wrong(form, modern[at]["ref"])))

    assert [each.path for each in judged(legacy, modern, again).findings] == [f"/{at}/ref"]


@pytest.mark.parametrize("count", [SMALL, FEWER])
def test_a_row_keeps_what_legacy_says_of_it_in_both_answers(count: int):
    def links(seed: int) -> list[dict[str, Any]]:
        return [
            {"url": f"/file/{at}?sig={row['ref']}"} for at, row in enumerate(rows(MAKERS["hexadecimal"], count, seed))
        ]

    legacy, modern, again = links(1), links(2), links(3)
    modern[5]["url"] = modern[5]["url"].replace("/file/5?", "/file/6?")

    assert [each.path for each in judged(legacy, modern, again).findings] == ["/5/url"]


@pytest.mark.parametrize("count", [SMALL, FEWER])
def test_a_number_that_a_row_counts_on_is_not_another_rows(count: int):
    legacy, again = ([{"views": at * at * 40 + 3 + more} for at in range(count)] for more in (0, 1))
    modern = [{"views": each["views"] + 1} for each in again]
    modern[1]["views"] = legacy[-1]["views"]

    assert [each.path for each in judged(legacy, modern, again).findings] == ["/1/views"]


@given(SEEDS, st.sampled_from(sorted(MAKERS)))
def test_a_family_is_of_many_rows_and_holds_what_is_made_as_they_are(seed: int, form: str) -> None:
    draw = Random(seed)

    def pairs(count: int) -> Sequence[tuple[str, str]]:
        return [(MAKERS[form](draw), MAKERS[form](draw)) for _ in range(count)]

    family = family_of(pairs(60))

    assert family_of(pairs(MANY - 1)) is None
    assert family is not None
    assert not any(family.holds("a1b2c3d4e5f6", "b9c8d7e6f5a4", each) for each in TEXTS[:-1])
