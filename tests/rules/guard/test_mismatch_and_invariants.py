"""Responses must agree, as far as chance allows; business rules must hold."""

from __future__ import annotations

import pytest

from rules.guard import limits
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Evidence, Violation
from rules.guard.window import ComparedTally
from rules.model import GuardPolicy

USUAL = GuardPolicy()


def mismatch(**counts: object):
    return limits.mismatch(USUAL, Evidence(mirrored=True, compared=ComparedTally(**counts)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("equal", "different", "outcome"),
    [
        (0, 0, TOO_LITTLE),
        (0, 19, TOO_LITTLE),
        (17, 3, GOOD),
        (16, 4, BAD),
        (990, 10, GOOD),
        (979, 21, GOOD),
        (970, 30, BAD),
    ],
)
def test_a_mismatch_rate_is_breached_when_even_its_lower_bound_is_above(equal: int, different: int, outcome: str):
    assert mismatch(equal=equal, different=different).outcome == outcome


def test_noise_counts_as_compared_and_not_as_different():
    check = mismatch(equal=50, noise=50)

    assert (check.outcome, check.value) == (GOOD, 0.0)


def test_pairs_that_nobody_could_compare_prove_nothing():
    check = mismatch(eligible=200, not_compared={"body_cap": 150, "time": 50})

    assert (check.outcome, check.detail) == (CANNOT_TELL, "none of 200 compared: body_cap 150, time 50")


def test_a_breach_tells_what_the_rate_is_at_the_least():
    assert mismatch(equal=90, different=10).detail == "10 of 100 differ, a rate of at least 3.05%"


def test_one_broken_rule_is_enough():
    broken = Evidence(violations=(Violation("credit_loss", "rollback", 1, "12.30 <= 0"),))

    check = limits.invariants(broken)
    assert (check.outcome, check.detail) == (BAD, "credit_loss broken 1x 12.30 <= 0")


def test_a_rule_that_is_only_observed_is_told_and_accuses_nobody():
    observed = Evidence(violations=(Violation("totals", "observe", 3),))

    check = limits.invariants(observed)
    assert (check.outcome, check.value, check.detail) == (GOOD, 3.0, "totals broken 3x")


def test_coverage_is_compared_of_eligible():
    seen = ComparedTally(equal=40, different=5, noise=5, transient=3, eligible=200)

    assert (seen.compared, seen.coverage, seen.mismatch_rate) == (50, 0.25, 0.1)
    assert (ComparedTally().coverage, ComparedTally().mismatch_rate) == (0.0, None)
