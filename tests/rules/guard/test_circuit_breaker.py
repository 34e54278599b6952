"""A circuit breaker opens at the first run of failures that legacy does not share."""

from __future__ import annotations

from random import Random

import pytest

from rules.guard.circuit_breaker import PATIENCE, REMEMBERED, FailureRun


def told(run: FailureRun, answers: str, now: float = 0.0, gap: float = 0.01) -> list[bool]:
    """Feed a run with responses: `m` modern failed, `M` answered; `l` legacy failed, `L` answered."""
    found = []
    for at, answer in enumerate(answers):
        say = run.modern if answer in "mM" else run.legacy
        found.append(say(failed=answer.islower(), now=now + at * gap))
    return found


def test_five_failures_in_a_row_trip_at_once_where_fallback_finds_legacy_well():
    assert told(FailureRun(5), "mLmLmLmLmL") == [False] * 8 + [True, True]


def test_a_success_between_begins_a_new_run():
    assert not any(told(FailureRun(5), "mLmLmLmLMLmLmLmLmL"))


def test_legacys_own_failures_forgive_moderns():
    assert not any(told(FailureRun(5), "mlmlmlmlml" * 20))


def test_one_lucky_answer_of_legacy_in_an_outage_does_not_trip():
    assert not any(told(FailureRun(5), "lmlmlmlmlmllMlmmLmmm"))


def test_a_legacy_that_nobody_asks_is_waited_for_only_a_moment():
    run = FailureRun(5)

    assert not any(told(run, "mmmmmm"))
    assert not run.opens(PATIENCE - 0.1)
    assert run.opens(PATIENCE)


def test_the_answer_that_was_waited_for_trips():
    run = FailureRun(5)
    told(run, "LLLLLLLLLLmmmmm")

    assert told(run, "LLLL", now=0.2) == [False, False, False, True]


@pytest.mark.parametrize("limit", [1, 2, 3, 8])
def test_other_limits_trip_at_that_many(limit: int):
    found = told(FailureRun(limit), "LLLLLLLL" + "mL" * limit)

    assert not any(found[: 8 + 2 * (limit - 1)])
    assert found[-1]


def test_a_limit_of_none_never_trips():
    assert not any(told(FailureRun(0), "mL" * 100))


@pytest.mark.parametrize("failing", [1.0, 0.9, 0.3])
def test_an_outage_of_both_sides_trips_nobody(failing: float):
    draw = Random(3)
    run = FailureRun(5)
    answers = "ML" * 50 + "".join(letter.lower() if draw.random() < failing else letter for letter in ("M", "L") * 3000)

    assert not any(told(run, answers))


@pytest.mark.parametrize(("failing", "at_most"), [(0.5, 2), (0.8, 8)])
def test_outages_that_take_both_sides_from_one_moment_to_the_next_trip_hardly_ever(failing: float, at_most: int):
    draw = Random(5)
    tripped = 0
    for _ in range(100):
        run = FailureRun(5)
        told(run, "ML" * 50)
        sides = "".join(draw.choice("MMMMMMMMML") for _ in range(1000))
        tripped += any(told(run, "".join(each.lower() if draw.random() < failing else each for each in sides), 1.0))

    assert tripped <= at_most


def test_a_run_is_over_when_modern_was_well_for_a_minute():
    run = FailureRun(5)
    told(run, "mm")
    assert not run.is_over(1000.0)

    run.modern(failed=False, now=1.0)
    assert not run.is_over(30.0)
    assert run.is_over(REMEMBERED + 1.0)
