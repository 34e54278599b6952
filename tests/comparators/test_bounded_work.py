"""Comparing JSON takes a work that grows with the bodies and no faster, whatever they hold: counted, not timed."""

from __future__ import annotations

from cProfile import Profile

import pytest

from bench.json_kinds import KINDS, KindOfPair, of_bytes
from comparators import Comparison, compare, json_compare
from tests.comparators.answers import answer, policy

IS_COMPILED = not str(json_compare.__file__).endswith(".py")
SIZES = (32 << 10, 128 << 10)
"""Of the larger bodies. Where other ways begin, or a search comes to its own cap, the step between two sizes is
steeper: then twice the work has to do above it."""


def worked(kind: KindOfPair, size: int) -> tuple[Comparison, int]:
    """The comparison of a pair with bodies of about that size, and how many functions it called, C's as well."""
    pair = of_bytes(kind, size)
    legacy, modern = answer(pair.legacy), answer(pair.modern)
    again = () if pair.again is None else (answer(pair.again),)
    rules, profile = policy(kind.mapping), Profile()
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
