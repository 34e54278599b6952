"""The outcome of a request for each side that took part in it."""

from __future__ import annotations

import pytest

from proxy.ipc.messages import SideOutcomes
from proxy.state.request_outcomes import Outcomes, unpack, waiting
from proxy.telemetry.records import Exchange, Shadowed
from tests.support.exchanges import attempt, exchange


def outcomes(*exchanges: Exchange) -> dict[str, SideOutcomes]:
    collected = Outcomes()
    for each in exchanges:
        collected.observe(each)
    return {each.side: each for each in collected.drain_counts()}


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


def test_a_request_that_modern_would_have_got_had_it_a_target_is_an_error_of_modern():
    sides = outcomes(exchange(attempt("modern", 0, "unhealthy"), attempt("legacy"), reason="unhealthy"))

    assert (sides["modern"].requests, sides["modern"].errors, sides["modern"].latencies) == (1, 1, ())
    assert (sides["legacy"].requests, sides["legacy"].errors) == (1, 0)


def test_waiting_for_a_connection_of_our_own_says_nothing_about_a_side():
    waited = exchange(attempt("modern", 0, "busy"), attempt("legacy"), fallback="connect")
    after_all = exchange(attempt("modern", 0, "reset"), attempt("modern", 0, "busy"), attempt("legacy"))

    assert list(outcomes(waited)) == ["legacy"]
    assert outcomes(waited, exchange(attempt("modern", 0, "busy"))).keys() == {"legacy"}
    assert (outcomes(after_all)["modern"].requests, outcomes(after_all)["modern"].errors) == (1, 1)


def test_a_forced_request_is_not_judged():
    assert outcomes(exchange(attempt("modern", 500), reason="force"), exchange(attempt("modern"), reason="force")) == {}


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

    assert sorted(each.generation for each in collected.drain_counts()) == [1, 2]
    assert collected.drain_counts() == ()


def test_a_tally_survives_the_link():
    (packed,) = outcomes(exchange(attempt("modern", wait=0.5)), exchange(attempt("modern", 404, wait=0.1))).values()

    tally = unpack(packed)

    assert (tally.requests, tally.client_errors) == (2, 1)
    assert tally.percentile(1.0) == pytest.approx(0.5, rel=0.01)


def test_copies_stand_apart_from_what_users_wait_for():
    collected = Outcomes()
    collected.observe(exchange(attempt("modern")))
    copies = ((attempt("modern", 500, wait=0.2), 0.3), (attempt("modern", 0, "timeout", wait=5.0), 5.0))
    collected.observe_shadow(Shadowed("profile", 1, "modern", "sent", "status", copies, (True, False)))

    live, shadow = collected.drain_counts()

    assert (live.role, live.requests, live.errors) == ("live", 1, 0)
    assert (shadow.role, shadow.side, shadow.requests, shadow.errors) == ("shadow", "modern", 2, 2)


def test_who_waits_is_told_even_where_nobody_was_answered():
    ages = waiting([("profile", "modern", 1, 3.0), ("profile", "modern", 1, 4.0), ("other", "legacy", 1, 2.0)])

    sides = {each.route: each for each in Outcomes().drain_counts(ages)}

    assert sides["profile"].requests == 0
    assert sum(count for _, count in sides["profile"].waiting) == 2
    assert len(sides["other"].waiting) == 1
