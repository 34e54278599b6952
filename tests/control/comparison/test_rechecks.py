"""A difference is re-checked, as often as the budget allows."""

from __future__ import annotations

import pytest

from proxy.control.comparison import rechecks as module
from proxy.control.comparison.pair_pipeline import CoolDown
from proxy.control.comparison.rechecks import ENOUGH, GRACE, IN_VAIN, MOST_PENDING, REMEMBERED, Rechecks
from proxy.ipc.judge_messages import Found, Opinion
from tests.support.clock import Clock
from tests.support.pairs import a_pair

OPINION = Opinion(1, "different")


def test_a_route_has_its_number_a_minute_and_no_more():
    clock = Clock()
    made = Rechecks(clock)

    at_once = [made.may("profile", 3, violated=False) for _ in range(5)]
    clock.turn(20)
    later = [made.may("profile", 3, violated=False) for _ in range(2)]

    assert at_once == [True, True, True, False, False]
    assert later == [True, False]


def test_violations_have_a_budget_of_their_own_and_so_has_every_route():
    made = Rechecks(Clock())
    while made.may("profile", 3, violated=False):
        pass

    assert made.may("profile", 3, violated=True)
    assert made.may("credits", 3, violated=False)


def test_a_third_of_the_budget_is_for_differences_that_are_not_known_to_vanish():
    known, new = (Found(name, "/at", "/at", "value", "1", "2") for name in ("known", "new"))
    made = Rechecks(Clock())
    made.vanished("known")

    often = [made.may("profile", 6, violated=False, found=(known,)) for _ in range(6)]
    then = [made.may("profile", 6, violated=False, found=(known, new)) for _ in range(3)]

    assert often == [True] * 4 + [False] * 2
    assert then == [True, True, False]


def test_no_limit_is_no_limit():
    made = Rechecks(Clock())

    assert all(made.may("profile", 0, violated=False) for _ in range(1000))


def test_another_budget_in_the_file_holds_at_once():
    made = Rechecks(Clock())
    while made.may("profile", 3, violated=False):
        pass

    assert made.may("profile", 5, violated=False)


def test_so_many_may_wait_for_their_second_answers():
    made = Rechecks(Clock())
    for number in range(MOST_PENDING):
        made.begin(a_pair(id=f"p{number}"), OPINION, 1.0)

    assert not made.may("profile", 0, violated=False)
    assert made.end("p7") is not None
    assert made.may("profile", 0, violated=False)


def test_what_waits_is_bounded_in_bytes_and_holds_no_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    made = Rechecks(Clock())
    made.begin(a_pair(bytes(5000), bytes(5000), id="a"), Opinion(1, "different", payload=bytes(1000)), 1.0)
    full = made.may("profile", 0, violated=True)

    asked = made.end("a")

    assert not full
    assert asked is not None
    assert asked.pair.legacy.body == asked.pair.modern.body == b""
    assert made.may("profile", 0, violated=True)


def test_a_worker_that_never_answers_is_not_waited_for_for_ever():
    clock = Clock()
    made = Rechecks(clock)
    made.begin(a_pair(id="a"), OPINION, 1.0)
    made.begin(a_pair(id="b"), OPINION, 100.0)

    clock.turn(1.0 + GRACE + 0.1)
    late = made.overdue()

    assert [asked.pair.id for asked in late] == ["a"]
    assert made.end("a") is None
    assert made.end("b") is not None


def test_a_group_looks_like_a_race_while_its_latest_second_look_found_nothing():
    clock = Clock()
    made = Rechecks(clock)
    before = made.looks_like_a_race("g")
    made.vanished("g")
    vanished = made.looks_like_a_race("g")
    clock.turn(61)
    long_ago = made.looks_like_a_race("g")
    made.vanished("g")
    made.stayed("g")

    assert (before, vanished, long_ago, made.looks_like_a_race("g")) == (False, True, False, False)


def test_only_the_latest_groups_are_remembered():
    made = Rechecks(Clock())
    for number in range(REMEMBERED + 1):
        made.vanished(str(number))

    assert not made.looks_like_a_race("0")
    assert made.looks_like_a_race("1")


def test_a_route_that_costs_judges_rests_longer_each_time_up_to_a_limit():
    clock = Clock()
    made = CoolDown(clock)
    rests = []
    for _ in range(12):
        rests.append(made.cost_a_judge("profile"))
        clock.turn(rests[-1])

    assert rests[:5] == [0, 1, 2, 4, 8]
    assert max(rests) == 300
    assert made.cost_a_judge("credits") == 0


def test_a_route_that_was_quiet_for_long_begins_with_a_short_rest():
    clock = Clock()
    made = CoolDown(clock)
    for _ in range(6):
        made.cost_a_judge("profile")
    clock.turn(2000)

    assert [made.cost_a_judge("profile") for _ in range(2)] == [0, 1]


def test_second_looks_that_come_to_nothing_do_not_end_the_wait_for_those_that_tell():
    """That a user is back in a session says nothing of a route's differences; where many do so, the wait ends."""
    made = Rechecks(Clock())
    for number in range(IN_VAIN + ENOUGH):
        made.begin(a_pair(id=f"p{number}"), OPINION, 1.0)
    told = []

    for _ in range(IN_VAIN):
        told.append(made.may_tell("profile"))
        made.ended("profile", stayed=None)

    assert (told, made.may_tell("profile")) == ([True] * IN_VAIN, False)


def test_second_looks_that_tell_end_the_wait():
    made = Rechecks(Clock())
    for number in range(2 * ENOUGH):
        made.begin(a_pair(id=f"p{number}"), OPINION, 1.0)
    made.ended("profile", stayed=None)
    for _ in range(ENOUGH):
        before = made.may_tell("profile")
        made.ended("profile", stayed=False)

    assert (before, made.may_tell("profile")) == (True, False)
