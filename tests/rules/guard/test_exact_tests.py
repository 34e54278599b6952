"""The tails are exact: equal to what counting every case gives."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.guard.exact_tests import binomial_tail, greatest_share, hypergeometric_tail, least_share


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([Fraction(1, 100), Fraction(1, 20), Fraction(7, 10)]))
def test_a_binomial_tail_is_the_sum_of_its_cases(count: int, trials: int, share: Fraction):
    true = sum(comb(trials, at) * share**at * (1 - share) ** (trials - at) for at in range(count, trials + 1))

    assert binomial_tail(count, trials, float(share)) == pytest.approx(float(true), rel=1e-9, abs=1e-300)


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 25), st.integers(0, 25))
def test_fishers_tail_is_the_sum_of_its_cases(count: int, fine: int, others_count: int, others_fine: int):
    drawn, others, failed = count + fine, others_count + others_fine, count + others_count
    ways = sum(comb(drawn, at) * comb(others, failed - at) for at in range(count, min(drawn, failed) + 1))

    true = ways / comb(drawn + others, failed)
    assert hypergeometric_tail(count, drawn, others_count, others) == pytest.approx(true, rel=1e-9)


def test_six_of_twenty_breach_five_percent_and_five_do_not():
    assert binomial_tail(6, 20, 0.05) < 0.001 < binomial_tail(5, 20, 0.05)


@pytest.mark.parametrize(("share", "trials"), [(0.0, 10), (1.0, 10)])
def test_certainty_has_no_tail_to_sum(share: float, trials: int):
    assert binomial_tail(1, trials, share) == share


def test_a_tail_of_millions_is_summed_without_overflow():
    assert binomial_tail(1_000_000, 20_000_000, 0.05) == pytest.approx(0.5, abs=0.01)
    assert 0 < binomial_tail(1_005_000, 20_000_000, 0.05) < 1e-6


@pytest.mark.parametrize("pairs", [60, 300, 3000])
def test_no_difference_in_n_pairs_leaves_about_three_in_n(pairs: int):
    assert greatest_share(0, pairs, 0.05) == pytest.approx(3 / pairs, rel=0.03)


@given(st.integers(1, 400), st.data())
def test_what_was_seen_lies_between_the_bounds(trials: int, data: st.DataObject):
    count = data.draw(st.integers(0, trials))

    assert least_share(count, trials, 0.01) <= count / trials <= greatest_share(count, trials, 0.01)


@pytest.mark.parametrize(("count", "trials"), [(3, 200), (40, 45)])
def test_a_bound_is_where_the_tail_has_the_doubt_that_was_asked_for(count: int, trials: int):
    assert binomial_tail(count, trials, least_share(count, trials, 0.001)) == pytest.approx(0.001, rel=1e-6)


def test_nothing_seen_bounds_nothing():
    assert greatest_share(0, 0, 0.05) == 1.0
