"""Counts add up, percentiles are within one percent, merging is adding."""

from __future__ import annotations

import random
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.guard.window import ACCURACY, Tally, Window, above, merged

LATENCIES = st.lists(st.floats(1e-5, 500.0), min_size=1, max_size=200)


@given(LATENCIES, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_one_percent_of_the_true_one(latencies: list[float], share: float):
    tally = tally_of(*latencies)

    true = sorted(latencies)[max(1, ceil(share * len(latencies))) - 1]
    assert tally.percentile(share) == pytest.approx(true, rel=ACCURACY * 1.001)


@given(LATENCIES, LATENCIES)
def test_merging_two_tallies_is_the_same_as_adding_everything_to_one(left: list[float], right: list[float]):
    both = merged([tally_of(*left), tally_of(*right)])

    assert both.latencies == tally_of(*left, *right).latencies
    assert both.requests == len(left) + len(right)


def test_the_sketch_of_much_traffic_stays_small():
    draw = random.Random(7)

    tally = tally_of(*(draw.lognormvariate(-3, 1.2) for _ in range(50_000)))

    assert len(tally.latencies) < 600


def test_nothing_measured_has_no_percentile_and_no_errors():
    tally = Tally()

    assert (tally.percentile(0.95), tally.error_rate) == (None, 0.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9])
def test_a_latency_that_no_clock_could_measure_counts_as_a_microsecond(seconds: float):
    assert tally_of(seconds).percentile(0.5) == pytest.approx(1e-6, rel=0.02)


def test_a_window_forgets_what_is_older_than_it_keeps():
    window = Window(kept=10)
    for second in range(100, 120):
        window.add_tally(second, tally_of(0.1))

    assert window.last(5, now=119).requests == 5
    assert window.last(60, now=119).requests == 10
    assert window.totals.requests == 20


def test_two_workers_may_tell_of_the_same_second():
    window = Window(kept=10)
    window.add_tally(100, tally_of(0.1))
    window.add_tally(100, tally_of(0.3))
    window.add_tally(99, tally_of(0.2))

    assert window.last(1, now=100).requests == 2
    assert window.last(2, now=100).percentile(0.5) == pytest.approx(0.2, rel=0.01)


def test_time_that_passes_without_traffic_empties_the_window():
    window = Window(kept=10)
    window.add_tally(100, tally_of(0.1))

    assert window.last(5, now=104).requests == 1
    assert window.last(5, now=105).requests == 0


def test_a_restarted_window_has_seen_nothing_lately_but_keeps_its_totals():
    window = Window(kept=10)
    window.add_tally(100, tally_of(0.1))

    fresh = window.restarted(kept=20)

    assert fresh.last(10, now=100).requests == 0
    assert fresh.totals.requests == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from([3, 10, 30])), max_size=60))
def test_a_sum_that_is_kept_up_to_date_is_what_adding_up_anew_would_give(events: list[tuple[int, int, int]]):
    window = Window(kept=15)
    for second, now, seconds in events:
        window.add_tally(second, tally_of(0.1 + second / 100))

        anew = merged(tally for each, tally in window._seconds.items() if each > now - seconds)
        lately = window.last(seconds, now)
        assert (lately.requests, lately.latencies) == (anew.requests, anew.latencies)


def test_what_was_asked_for_is_the_askers_own():
    window = Window(kept=10)
    window.add_tally(100, tally_of(0.1))

    window.last(5, now=100).count_response(0.1)

    assert window.last(5, now=100).requests == 1


@pytest.mark.parametrize(("seconds", "longer"), [(0.1, 1), (0.2, 0), (0.19, 1), (1e-9, 2)])
def test_what_took_longer_is_counted(seconds: float, longer: int):
    assert above(tally_of(0.05, 0.2).latencies, seconds) == longer


def test_nothing_takes_longer_than_its_own_step():
    assert above(tally_of(0.2).latencies, 0.2) == 0
    assert above({}, 0.2) == 0


def tally_of(*latencies: float) -> Tally:
    tally = Tally()
    for seconds in latencies:
        tally.count_response(seconds)
    return tally
