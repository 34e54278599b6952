"""Comparing JSON takes a work that grows with the bodies and no faster, whatever they hold: counted, not timed."""

from __future__ import annotations

import json
from cProfile import Profile
from typing import Any

import pytest

from bench.json_kinds import KINDS, KindOfPair, of_bytes
from comparators import Capture, Comparison, compare, json_compare
from tests.comparators.answers import answer, policy

IS_COMPILED = not str(json_compare.__file__).endswith(".py")
SIZES = (32 << 10, 128 << 10)
"""Of the larger bodies. Where other ways begin, or a search comes to its own cap, the step between two sizes is
steeper: then twice the work has to do above it."""


def worked(kind: KindOfPair, size: int) -> tuple[Comparison, int]:
    """The comparison of a pair with bodies of about that size, and how many functions it called, C's as well."""
    pair = of_bytes(kind, size)
    again = () if pair.again is None else (answer(pair.again),)
    return counted(answer(pair.legacy), answer(pair.modern), kind.mapping, *again)


def counted(legacy: Capture, modern: Capture, mapping: dict[str, Any], *again: Capture) -> tuple[Comparison, int]:
    """The comparison, and how many functions it called."""
    rules, profile = policy(mapping), Profile()
    profile.enable()
    comparison = compare(legacy, modern, rules, secondary=again)
    profile.disable()
    return comparison, sum(entry.callcount for entry in profile.getstats())


@pytest.mark.skipif(IS_COMPILED, reason="calls of compiled functions cannot be counted")
@pytest.mark.parametrize("name", KINDS)
def test_twice_the_body_is_twice_the_work(name: str):
    kind = KINDS[name]
    for size in SIZES:
        (_, once), (comparison, twice) = worked(kind, size // 2), worked(kind, size)
        assert (comparison.verdict, comparison.reason) == (kind.verdict, "")
        if twice <= 2.3 * once:
            return
    pytest.fail(f"{once} calls, then {twice}")


def nested(levels: int, leaf: Any) -> list[Any]:
    """Lists in lists, each with a number beside the next."""
    return [{"id": levels, "kids": nested(levels - 1, leaf)}] if levels else [1, leaf]


@pytest.mark.skipif(IS_COMPILED, reason="calls of compiled functions cannot be counted")
def test_what_fails_far_down_in_any_order_is_not_tried_again_at_every_level():
    spent = []
    for levels in (6, 12):
        legacy, modern = (answer(json.dumps(nested(levels, leaf)).encode()) for leaf in (2, 3))
        comparison, calls = counted(legacy, modern, {"unordered": ["/**"]})
        assert [(each.kind, each.legacy, each.modern) for each in comparison.findings] == [("value", "2", "3")]
        spent.append(calls)
    assert spent[1] < 5 * spent[0]


@pytest.mark.skipif(IS_COMPILED, reason="calls of compiled functions cannot be counted")
def test_twice_the_rows_that_legacy_shuffles_are_twice_the_work():
    spent = []
    for count in (400, 800):
        rows = [f"<li>item {at} of all</li>" for at in range(count)]
        pages = [
            answer(f"<ul>{''.join(rows[at:] + rows[:at])}</ul>", media="text/html")
            for at in (0, count // 3, count // 2)
        ]
        comparison, calls = counted(pages[0], pages[2], {"preset": "php"}, pages[1])
        assert comparison.verdict == "noise"
        spent.append(calls)
    assert spent[1] < 2.3 * spent[0]
