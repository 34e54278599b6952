"""A route is ready when compared pairs show it, not when nothing was seen."""

from __future__ import annotations

import pytest

from rules.guard.rollout import pairs_needed, readiness, slow_copies
from rules.guard.window import ComparedTally, Tally
from rules.model import GuardPolicy


@pytest.mark.parametrize(
    ("equal", "different", "ready"), [(0, 0, False), (250, 0, False), (300, 0, True), (300, 1, False), (600, 1, True)]
)
def test_a_route_is_ready_when_the_bound_is_within_the_limit(equal: int, different: int, ready: bool):
    found = readiness(ComparedTally(equal=equal, different=different), 0.01)

    assert found.ready is ready
    assert bool(found.wanting) is not ready


def test_no_difference_in_three_hundred_pairs_shows_one_percent():
    found = readiness(ComparedTally(equal=300, eligible=400), 0.01)

    assert found.upper_bound == pytest.approx(0.01, rel=0.01)
    assert (found.compared, found.different, found.coverage, found.eligible) == (300, 0, 0.75, 400)


def test_nothing_compared_is_said():
    found = readiness(ComparedTally(eligible=50), 0.01)

    assert (found.upper_bound, found.wanting) == (1.0, ("nothing has been compared",))


def test_what_is_wanting_says_how_many_pairs_would_show_it():
    found = readiness(ComparedTally(equal=100), 0.01)

    told = "0 of 100 differ: up to 2.95% may, 1.00% are allowed (shown by 299 pairs without a difference)"
    assert found.wanting == (told,)


def test_open_groups_and_kinds_never_compared_are_told_without_holding_back():
    never = {"GET /orders/* 4xx", "DELETE /orders/* 2xx"}
    found = readiness(ComparedTally(equal=1000), 0.01, open_groups=2, never_compared=never)

    assert (found.ready, found.open_groups, found.never_compared) == (True, 2, tuple(sorted(never)))


@pytest.mark.parametrize(("limit", "pairs"), [(0.01, 299), (0.05, 59), (0.0, 0), (1.0, 0)])
def test_so_many_pairs_show_a_limit(limit: float, pairs: int):
    assert pairs_needed(limit) == pairs


@pytest.mark.parametrize(("sessions", "ready"), [(300, True), (301, False)])
def test_a_route_of_which_most_pairs_need_a_session_is_not_ready_and_is_told_the_cure(sessions: int, ready: bool):
    seen = ComparedTally(equal=300, not_compared={"session": sessions}, eligible=600)

    found = readiness(seen, 0.01)

    assert found.ready is ready
    assert [told.startswith("coverage: session: 301 of 600") for told in found.wanting] == [True] * (not ready)
    assert all("session: share" in told for told in found.wanting)


def test_copies_that_modern_failed_once_keep_a_route_from_being_ready_without_being_mismatches():
    seen = ComparedTally(equal=300, transient=5, eligible=305, failed_once=5)

    found = readiness(seen, 0.01)

    assert (found.ready, found.different, seen.mismatch_rate) == (False, 0, 0.0)
    assert "5 copies were answered 5xx" in found.wanting[0]


def answered(seconds: float, requests: int = 100) -> Tally:
    tally = Tally()
    for _ in range(requests):
        tally.count_response(seconds)
    return tally


@pytest.mark.parametrize(
    ("copies", "legacy", "why"),
    [
        (answered(0.1), answered(0.1), []),
        (answered(2.0), answered(1.9), [" ms, 1000 ms are allowed"]),
        (answered(0.5), answered(0.2), ["that of legacy's users"]),
        (answered(2.0), answered(0.2), [" ms, 1000 ms are allowed", "that of legacy's users"]),
        (answered(0.5), answered(0.45), []),
        (answered(0.5), Tally(), []),
        (answered(2.0, 19), answered(0.1), []),
        (Tally(), answered(0.1), []),
    ],
    ids=["alike", "over the limit", "worse than legacy", "both", "as slow as legacy", "no legacy", "too few", "none"],
)
def test_slow_copies_keep_a_route_from_being_ready(copies: Tally, legacy: Tally, why: list[str]):
    slow = tuple(slow_copies(GuardPolicy(p95=1.0), copies, legacy))

    found = readiness(ComparedTally(equal=300), 0.01, slow=slow)

    assert [word in told for told, word in zip(found.wanting, why, strict=True)] == [True] * len(why)
    assert found.ready is (not why)
