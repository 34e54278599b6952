"""Rates that limit copies and re-checks."""

from __future__ import annotations

from rules.token_bucket import TokenBucket


def test_an_allowance_is_spent_then_refilled_evenly():
    allowance = TokenBucket(2, 10.0)

    at_once = [allowance.spend(1000.0) for _ in range(3)]
    after = [allowance.spend(1004.9), allowance.spend(1005.0), allowance.spend(1005.1)]
    much_later = [allowance.spend(2000.0) for _ in range(3)]

    assert at_once == [True, True, False]
    assert after == [False, True, False]
    assert much_later == [True, True, False]
