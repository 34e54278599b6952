"""What a call means for each side that took part in it."""

from __future__ import annotations

import pytest

from proxy.link.messages import SideOutcomes
from proxy.observe import Exchange
from proxy.state.windows import Outcomes, unpack
from tests.support.exchanges import attempt, exchange


def outcomes(*exchanges: Exchange) -> dict[str, SideOutcomes]:
    collected = Outcomes()
    for each in exchanges:
        collected.observe(each)
    return {each.side: each for each in collected.take()}


def test_a_rescued_request_is_one_error_of_modern_and_one_success_of_legacy():
    rescued = exchange(attempt("modern", 500), attempt("legacy"), fallback="status")

    sides = outcomes(rescued)

    assert (sides["modern"].requests, sides["modern"].errors) == (1, 1)
    assert (sides["legacy"].requests, sides["legacy"].errors) == (1, 0)


def test_a_side_that_answered_at_its_second_try_has_answered():
    sides = outcomes(exchange(attempt("modern", 0, "reset"), attempt("modern")))

    assert (sides["modern"].requests, sides["modern"].errors) == (1, 0)


def test_a_side_that_failed_twice_before_it_was_rescued_is_one_error():
    twice = exchange(attempt("modern", 0, "reset"), attempt("modern", 0, "timeout"), attempt("legacy"))

    assert outcomes(twice)["modern"].errors == 1


@pytest.mark.parametrize(
    ("status", "kind", "errors", "client_errors", "timed"),
    [
        (200, "", 0, 0, True),
        (404, "", 0, 1, True),
        (503, "", 1, 0, True),
        (0, "timeout", 1, 0, True),
        (0, "reset", 1, 0, True),
        (200, "truncated", 1, 0, True),
        (0, "connect", 1, 0, False),
        (0, "client", 0, 0, True),
        (200, "declined", 0, 0, False),
    ],
)
def test_what_counts_as_an_error_of_the_backend(status: int, kind: str, errors: int, client_errors: int, timed: bool):
    side = outcomes(exchange(attempt("modern", status, kind, wait=1.5)))["modern"]

    assert (side.requests, side.errors, side.client_errors) == (1, errors, client_errors)
    assert bool(side.latencies) == timed


def test_streams_and_tunnels_are_not_judged_by_latency():
    side = outcomes(exchange(attempt("modern", 101, wait=3600.0), tunnel=True))["modern"]

    assert (side.requests, side.latencies) == (1, ())


def test_outcomes_keep_the_generation_they_were_decided_under():
    collected = Outcomes()
    collected.observe(exchange(generation=1))
    collected.observe(exchange(generation=2))

    assert sorted(each.generation for each in collected.take()) == [1, 2]
    assert collected.take() == ()


def test_a_tally_survives_the_link():
    (packed,) = outcomes(exchange(attempt("modern", wait=0.5)), exchange(attempt("modern", 404, wait=0.1))).values()

    tally = unpack(packed)

    assert (tally.requests, tally.client_errors) == (2, 1)
    assert tally.percentile(1.0) == pytest.approx(0.5, rel=0.01)
