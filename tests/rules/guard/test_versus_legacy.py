"""Modern is accused only of what legacy does not do at the same time, and only beyond the policy's limits."""

from __future__ import annotations

import pytest

from rules.guard import versus_legacy
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Check
from rules.guard.window import PairTally
from rules.model import GuardPolicy, WorseThanLegacy
from tests.rules.seen import Minutes, evidence_of, policy

USUAL = GuardPolicy()


def check(trials, name: str, **seen: object) -> Check:
    return next(one for one in versus_legacy.checks(USUAL, evidence_of(trials, **seen)) if one.name == name)


def test_without_a_comparative_policy_nothing_is_asked():
    assert versus_legacy.checks(policy(worse_than_legacy=None), evidence_of(Minutes().go(5))) == ()


def test_equal_sides_are_good_at_everything():
    checks = versus_legacy.checks(USUAL, evidence_of(Minutes().go(120, (50, 0.01), (50, 0.01))))

    assert {one.name: one.outcome for one in checks} == {"worse_errors": GOOD, "worse_4xx": GOOD, "worse_p95": GOOD}


def test_a_modern_side_without_company_is_not_compared():
    checks = versus_legacy.checks(USUAL, evidence_of(Minutes().go(60, legacy=(0, 0.0))))

    assert {one.outcome for one in checks} == {TOO_LITTLE}


def test_more_errors_than_legacy_accuse_with_counts_and_chance():
    found = check(Minutes().go(60, (50, 0.005), (50, 0.04)), "worse_errors")

    assert found.outcome == BAD
    assert found.limit == 0.01
    assert "failed, on legacy" in found.detail
    assert "chance under no worse" in found.detail


def test_an_excess_that_the_policy_does_not_mind_is_good():
    tolerant = policy(worse_than_legacy=WorseThanLegacy(errors=0.2))
    trials = Minutes(tolerant.worse_than_legacy).go(60, (50, 0.005), (50, 0.1))

    assert {one.outcome for one in versus_legacy.checks(tolerant, evidence_of(trials))} == {GOOD}


def test_an_outage_of_both_sides_accuses_nobody():
    minutes = Minutes()
    minutes.go(60, (50, 0.005), (50, 0.005))

    assert check(minutes.go(60, (50, 0.95), (50, 0.95)), "worse_errors").outcome == GOOD


def test_a_modern_side_that_refuses_everybody_is_accused_without_a_single_error():
    found = check(Minutes().go(10, (50, 0.02), (50, 1.0), field="client_errors"), "worse_4xx")

    assert found.outcome == BAD


def test_one_second_of_refusals_does_not_accuse():
    minutes = Minutes()
    minutes.go(1, (50, 0.0), (50, 1.0), field="client_errors")

    assert check(minutes.go(1), "worse_4xx").outcome == GOOD


@pytest.mark.parametrize(("slower", "outcome"), [(1.0, GOOD), (1.3, GOOD), (2.5, BAD)])
def test_a_p95_is_worse_when_it_is_so_by_factor_and_floor(slower: float, outcome: str):
    minutes = Minutes()
    minutes.go(5)

    assert check(minutes.go(60, slower=slower), "worse_p95").outcome == outcome


def test_twice_as_slow_within_the_floor_is_good():
    generous = policy(worse_than_legacy=WorseThanLegacy(p95_floor=0.5))
    trials = Minutes(generous.worse_than_legacy).go(60, slower=2.0)

    assert {one.outcome for one in versus_legacy.checks(generous, evidence_of(trials))} == {GOOD}


def test_pairs_in_which_modern_alone_failed_accuse_it():
    minutes = Minutes()
    pairs = PairTally(both_fine=9, modern_failed=1)

    assert check(minutes.go(30, pairs=pairs), "worse_errors").outcome == BAD


def test_pairs_in_which_both_fail_or_take_turns_accuse_nobody():
    pairs = PairTally(both_fine=5, modern_failed=1, legacy_failed=1, both_failed=3)

    assert check(Minutes().go(60, pairs=pairs), "worse_errors").outcome == GOOD


def test_errors_that_legacy_has_for_the_same_requests_cannot_be_held_against_modern():
    trials = Minutes().go(60, (50, 0.005), (50, 0.05))

    assert check(trials, "worse_errors", pairs=PairTally(lost=20, rescued=3)).outcome == CANNOT_TELL
    assert check(trials, "worse_errors", pairs=PairTally(rescued=20, lost=3)).outcome == BAD
