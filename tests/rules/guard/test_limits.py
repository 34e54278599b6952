"""A limit is exceeded when the count would be improbable at it, unless legacy exceeds it no less."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.guard import limits
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Evidence
from rules.guard.window import PairTally
from rules.model import GuardPolicy
from tests.rules.seen import badness, burst, policy, side, waiting

USUAL = GuardPolicy()


@pytest.mark.parametrize(
    ("requests", "errors", "outcome"),
    [
        (0, 0, TOO_LITTLE),
        (19, 19, TOO_LITTLE),
        (20, 5, GOOD),
        (20, 6, BAD),
        (1000, 60, GOOD),
        (1000, 80, BAD),
        (100_000, 5_100, GOOD),
        (100_000, 5_300, BAD),
    ],
)
def test_errors_are_judged_by_chance_not_by_their_bare_share(requests: int, errors: int, outcome: str):
    check = limits.errors(USUAL, Evidence(modern=side(requests, errors)))

    assert check.outcome == outcome
    assert check.limit == 0.05


def test_no_traffic_is_said():
    check = limits.errors(USUAL, Evidence(legacy=side(10_000)))

    assert (check.outcome, check.value, check.detail) == (TOO_LITTLE, None, "no traffic on modern")


def test_a_check_tells_counts_beside_the_rate():
    check = limits.errors(USUAL, Evidence(modern=side(20, 6)))

    assert (check.value, check.detail) == (0.3, "6 of 20 failed")


@pytest.mark.parametrize(
    ("legacy", "modern", "outcome"),
    [
        (side(3000, 2700), side(3000, 2750), CANNOT_TELL),
        (side(3000, 180), side(3000, 200), CANNOT_TELL),
        (side(3000, 148), side(3000, 190), CANNOT_TELL),
        (side(3000, 180), side(3000, 1500), BAD),
        (side(3000, 15), side(3000, 200), BAD),
        (side(19, 19), side(3000, 2700), BAD),
        (side(20, 0), side(20, 6), BAD),
    ],
    ids=["gone", "chronic", "just-below", "both-but-modern-worse", "modern-alone", "too-few", "few-but-well"],
)
def test_an_outage_of_both_sides_accuses_nobody(legacy, modern, outcome: str):
    assert limits.errors(USUAL, Evidence(legacy=legacy, modern=modern)).outcome == outcome


def test_what_is_held_back_says_that_legacy_fails_as_well():
    check = limits.errors(USUAL, Evidence(legacy=side(100, 50), modern=side(100, 60)))

    assert check.detail == "60 of 100 failed; legacy as well: 50 of 100"


@pytest.mark.parametrize(
    ("pairs", "outcome"),
    [
        (PairTally(both_failed=50, modern_failed=2), CANNOT_TELL),
        (PairTally(lost=50, rescued=2), CANNOT_TELL),
        (PairTally(both_failed=2, modern_failed=50), BAD),
        (PairTally(rescued=100), BAD),
        (PairTally(both_failed=4), BAD),
        (PairTally(both_fine=100), BAD),
    ],
)
def test_failures_that_legacy_had_for_the_same_requests_are_not_moderns(pairs: PairTally, outcome: str):
    assert limits.errors(USUAL, Evidence(modern=side(1000, 100), pairs=pairs)).outcome == outcome


def test_a_side_that_just_died_is_known_before_it_has_spoilt_its_whole_window():
    modern = side(3000, 45)
    last = burst(side(250), side(250, 45))

    assert limits.errors(USUAL, Evidence(legacy=side(3000), modern=modern)).outcome == GOOD
    check = limits.errors(USUAL, Evidence(legacy=side(3000), modern=modern, burst=last))
    assert (check.outcome, check.detail) == (BAD, "45 of 250 within the last 5 s")


def test_without_legacy_traffic_the_last_seconds_still_count():
    last = burst(side(0), side(250, 45))

    assert limits.errors(USUAL, Evidence(modern=side(3000, 45), burst=last)).outcome == BAD


def test_an_outage_of_both_sides_that_just_began_accuses_nobody():
    last = burst(side(250, 40), side(250, 45))

    check = limits.errors(USUAL, Evidence(legacy=side(3000, 40), modern=side(3000, 45), burst=last))
    assert check.outcome == CANNOT_TELL


def test_a_few_seconds_with_hardly_any_legacy_traffic_do_not_accuse():
    last = burst(side(3, 0), side(300, 60))

    assert limits.errors(USUAL, Evidence(legacy=side(30), modern=side(3000, 60), burst=last)).outcome == GOOD


@pytest.mark.parametrize(
    ("slow", "outcome"), [(0, GOOD), (5, GOOD), (20, BAD)], ids=["none", "five-percent", "twenty-percent"]
)
def test_a_p95_is_breached_when_more_than_a_twentieth_is_slower_beyond_chance(slow: int, outcome: str):
    modern = side(100, latencies={0.05: 100 - slow, 1.5: slow})

    check = limits.latency(USUAL, Evidence(modern=modern))
    assert (check.outcome, check.limit) == (outcome, 1.0)
    assert check.value == pytest.approx(1.5 if slow > 5 else 0.05, rel=0.01)


def test_requests_that_still_wait_are_slow_once_they_have_waited_too_long():
    modern = side(30)
    hanging = waiting({0.4: 500, 3.0: 25})

    check = limits.latency(USUAL, Evidence(modern=modern, modern_waiting=hanging))
    assert (check.outcome, check.detail) == (BAD, "25 of 55 took longer")
    assert check.value == pytest.approx(3.0, rel=0.01)


def test_slowness_of_both_sides_accuses_nobody():
    slow = {0.05: 50, 2.0: 50}

    check = limits.latency(USUAL, Evidence(legacy=side(100, latencies=slow), modern=side(100, latencies=slow)))
    assert check.outcome == CANNOT_TELL


def test_requests_that_wait_on_both_sides_accuse_nobody():
    hanging = waiting({3.0: 40})
    evidence = Evidence(legacy=side(50), modern=side(50), legacy_waiting=hanging, modern_waiting=hanging)

    assert limits.latency(USUAL, evidence).outcome == CANNOT_TELL


def test_a_ceiling_of_no_errors_is_breached_by_one():
    assert limits.errors(policy(error_rate=0.0), Evidence(modern=side(20, 1))).outcome == BAD


@settings(max_examples=200, deadline=None)
@given(st.integers(20, 400), st.integers(0, 400), st.integers(0, 60), st.data())
def test_more_errors_are_never_better(requests: int, legacy: int, worse_by: int, data: st.DataObject):
    errors = data.draw(st.integers(0, requests))
    legacy_errors = data.draw(st.integers(0, legacy))
    more = min(requests, errors + worse_by)

    fewer = limits.errors(USUAL, Evidence(legacy=side(legacy, legacy_errors), modern=side(requests, errors)))
    worse = limits.errors(USUAL, Evidence(legacy=side(legacy, legacy_errors), modern=side(requests, more)))
    assert badness(fewer.outcome) <= badness(worse.outcome)
