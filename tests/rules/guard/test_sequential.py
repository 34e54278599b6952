"""The running comparison accuses a sound side no oftener than it promises, however often it is evaluated."""

from __future__ import annotations

from math import log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.guard.sequential import EPOCH, NOTHING_FOUND, Counts, Span, Trial

ALPHA = 0.05


def anything(_span: Span) -> bool:
    return True


def draws(draw: Random, requests: int, chance: float) -> Counts:
    return Counts(requests, sum(draw.random() < chance for _ in range(requests)))


def greatest(trial: Trial, draw: Random, seconds: int, modern: int, legacy: int, chance: float) -> float:
    """Return the greatest evidence of all looks while both sides are equally bad, with outages now and then."""
    found = float("-inf")
    for second in range(seconds):
        bad = 0.9 if second % 50 > 45 else chance
        trial.add_counts(second, draws(draw, modern, bad), draws(draw, legacy, bad))
        found = max(found, trial.finding(anything).evidence)
    return found


@pytest.mark.parametrize(("modern", "legacy"), [(1, 40), (10, 10), (40, 2)])
def test_of_equal_sides_few_are_ever_accused_outages_or_not(modern: int, legacy: int):
    draw = Random(7)
    runs = [greatest(Trial(), draw, 150, modern, legacy, 0.03) for _ in range(60)]

    assert sum(evidence >= log(1 / ALPHA) for evidence in runs) <= ALPHA * len(runs)


def test_a_side_that_is_worse_is_found():
    trial, draw = Trial(), Random(7)
    for second in range(60):
        trial.add_counts(second, draws(draw, 20, 0.1), draws(draw, 20, 0.01))

    found = trial.finding(anything)
    assert found.evidence > log(1 / ALPHA)
    assert found.span is not None
    assert found.span.excess == pytest.approx(0.09, abs=0.03)


def test_a_side_that_is_better_never_is():
    trial, draw = Trial(), Random(7)
    for second in range(300):
        trial.add_counts(second, draws(draw, 20, 0.02), draws(draw, 20, 0.1))

        assert trial.finding(anything).evidence < 0


def test_a_fresh_fault_is_found_soon_after_hours_of_health():
    trial, draw = Trial(), Random(7)
    for second in range(0, 4 * 3600, 2):
        trial.add_counts(second, draws(draw, 5, 0.005), draws(draw, 5, 0.005))

    needed = next(
        second
        for second in range(600)
        if trial.add_counts(4 * 3600 + second, draws(draw, 20, 0.2), draws(draw, 20, 0.005))
        or trial.finding(anything).evidence > log(1 / ALPHA)
    )
    assert needed < 20


def test_what_is_not_worth_acting_on_is_no_finding():
    trial = Trial()
    for second in range(60):
        trial.add_counts(second, Counts(10, 5), Counts(10, 0))

    assert trial.finding(lambda span: span.excess > 0.6) == NOTHING_FOUND


def test_errors_on_one_side_alone_tell_nothing_while_the_other_has_no_traffic():
    trial = Trial()
    for second in range(600):
        trial.add_counts(second, Counts(50, 50), Counts(0, 0))

    assert trial.finding(anything) == NOTHING_FOUND
    assert trial.whole() is None


def test_requests_that_waited_too_long_for_the_other_side_are_not_its_contemporaries():
    trial = Trial()
    trial.add_counts(0, Counts(100, 100), Counts(0, 0))
    trial.add_counts(1000, Counts(5, 0), Counts(5, 0))

    whole = trial.whole()
    assert whole is not None
    assert (whole.modern, whole.legacy) == (Counts(5, 0), Counts(5, 0))


def test_a_share_that_grows_while_everything_gets_worse_fakes_no_excess():
    trial, draw = Trial(), Random(7)
    for second in range(200):
        late = second >= 100
        trial.add_counts(
            second,
            draws(draw, 90 if late else 10, 0.2 if late else 0.01),
            draws(draw, 10 if late else 90, 0.2 if late else 0.01),
        )

    whole = trial.whole()
    assert whole is not None
    assert whole.modern.bad / whole.modern.requests - whole.legacy.bad / whole.legacy.requests > 0.1
    assert abs(whole.excess) < 0.03


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=30), st.integers(0, 29))
def test_workers_may_tell_of_a_second_one_after_the_other(seconds: list[tuple[int, int]], parted: int):
    whole, parts = Trial(), Trial()
    for second, (modern, legacy) in enumerate(seconds):
        mine, yours = min(parted, modern), min(parted, legacy)
        whole.add_counts(second, Counts(modern, modern // 2), Counts(legacy, legacy // 3))
        parts.add_counts(second, Counts(mine, 0), Counts(yours, 0))
        parts.add_counts(second, Counts(modern - mine, modern // 2), Counts(legacy - yours, legacy // 3))
    for trial in (whole, parts):
        trial.add_counts(len(seconds), Counts(30, 1), Counts(30, 0))

    one, other = whole.whole(), parts.whole()
    assert one is not None
    assert other is not None
    assert (one.modern, one.legacy, one.seconds) == (other.modern, other.legacy, other.seconds)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40), st.integers(0, 39))
def test_one_more_error_is_never_weaker_evidence(seconds: list[tuple[int, int]], at: int):
    fewer, more = Trial(), Trial()
    for second, (modern_bad, legacy_bad) in enumerate(seconds):
        fewer.add_counts(second, Counts(30, modern_bad), Counts(30, legacy_bad))
        more.add_counts(second, Counts(30, modern_bad + (second == at)), Counts(30, legacy_bad))

    assert more.finding(anything).evidence >= fewer.finding(anything).evidence - 1e-9


def test_seconds_with_bad_requests_are_counted_once_each():
    trial = Trial()
    for second in (1, 1, 2, 3):
        trial.add_counts(second, Counts(10, 2 if second < 3 else 0), Counts(10, 0))

    whole = trial.whole()
    assert whole is not None
    assert whole.seconds == 2


def test_months_of_traffic_are_kept_in_a_few_beginnings():
    trial = Trial()
    for minute in range(5000):
        trial.add_counts(minute * EPOCH, Counts(10, 0), Counts(10, 0))

    numbers = [number for number, _ in trial._beginnings]
    assert len(numbers) <= 20
    assert numbers[0] == 1
    assert numbers[-4:] == list(range(numbers[-1] - 3, numbers[-1] + 1))
