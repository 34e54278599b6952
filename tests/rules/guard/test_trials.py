"""What is slow is measured by what legacy usually takes; nothing is compared where it is not configured."""

from __future__ import annotations

import pytest

from rules.guard.sequential import Span, Trials
from rules.guard.window import PairTally
from tests.rules.seen import Minutes, side


def whole(trial) -> Span:
    found = trial.whole()
    assert found is not None
    return found


def test_without_a_comparative_policy_nothing_is_kept():
    trials = Minutes(worse=None).go(10)

    assert trials.errors.whole() is None
    assert trials.mark() is None


def test_the_mark_is_the_p95_of_legacy_before():
    minutes = Minutes()
    trials = minutes.go(60)

    assert trials.mark() == pytest.approx(0.0608 * 2.28, rel=0.1)


def test_too_few_answers_of_legacy_are_no_mark():
    trials = Trials(Minutes().trials.worse)
    trials.add_tallies(1, side(19), side(19))

    assert trials.mark() is None


def test_a_twentieth_of_an_equal_side_is_slow_and_hardly_any_is_far_slower():
    trials = Minutes().go(120)

    span = whole(trials.latency)
    assert span.modern.bad / span.modern.requests == pytest.approx(0.05, abs=0.02)
    assert span.far / span.modern.requests < 0.02


def test_a_legacy_that_gets_slower_moves_the_mark():
    trials = Minutes().trials
    for second in range(400):
        took = 0.05 if second < 200 else 0.5
        trials.add_tallies(second, side(50, latencies={took: 50}), side(50, latencies={took: 50}))

    assert trials.mark() == pytest.approx(0.5, rel=0.02)


def test_errors_4xx_and_pairs_are_counted_each_on_its_own():
    trials = Minutes().trials
    trials.add_tallies(1, side(20, 1, 2), side(20, 3, 4), PairTally(both_fine=6, modern_failed=5, legacy_failed=1))

    spans = [whole(trial) for trial in (trials.errors, trials.client_errors, trials.paired)]
    assert [(span.modern.bad, span.legacy.bad) for span in spans] == [(3, 1), (4, 2), (5, 1)]


def test_requests_that_fallback_rescued_are_no_pairs():
    trials = Minutes().trials
    trials.add_tallies(1, side(20), side(20, 20), PairTally(rescued=20))

    assert trials.paired.whole() is None


def test_legacys_answers_to_what_modern_failed_do_not_tell_the_tale_twice():
    trials = Minutes().trials
    trials.add_tallies(1, side(30, 4), side(20, 10), PairTally(rescued=7, lost=3))

    span = whole(trials.errors)
    assert (span.modern, span.legacy) == ((20, 10), (20, 1))


def test_rescues_that_are_told_a_second_late_do_no_harm():
    trials = Minutes().trials
    trials.add_tallies(1, side(5), side(20, 10), PairTally(rescued=7, lost=3))
    trials.add_tallies(2, side(30), side(20))

    span = whole(trials.errors)
    assert span.legacy == (30, 0)
