"""A child that crashes repeatedly is started after growing waits."""

from __future__ import annotations

from proxy.ipc.child_process import Backoff


def test_the_first_death_costs_nothing_and_later_ones_more_and_more():
    backoff = Backoff()

    waits = [backoff.after(1.0) for _ in range(9)]

    assert waits == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_half_a_minute_of_health_is_a_fresh_start():
    backoff = Backoff()
    for _ in range(6):
        backoff.after(1.0)

    assert [backoff.after(30.0), backoff.after(1.0)] == [0.0, 0.1]


def test_a_child_that_dies_for_years_still_gets_a_number():
    backoff = Backoff()

    assert {backoff.after(0.0) for _ in range(5000)} >= {5.0}
