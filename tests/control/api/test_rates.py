"""A client above its rate waits; no other does."""

from __future__ import annotations

from proxy.control.api.http import Rates
from tests.support.clock import Clock


def test_a_burst_is_welcome_then_the_rate_is_what_counts():
    clock = Clock()
    rates = Rates(2.0, 3, clock=clock)

    assert [rates.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert [rates.wait("a"), rates.wait("b")] == [0, 0]
    assert rates.wait("a") == 0.5


def test_whoever_keeps_asking_does_not_wait_longer_for_it():
    clock = Clock()
    rates = Rates(1.0, 1, clock=clock)
    rates.wait("a")

    waits = [rates.wait("a") for _ in range(50)]

    assert waits == [1.0] * 50


def test_only_so_many_askers_are_remembered():
    rates = Rates(1.0, 1, kept=10, clock=Clock())

    for number in range(1000):
        rates.wait(str(number))

    assert len(rates._buckets) == 10
