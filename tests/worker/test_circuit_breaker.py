"""A worker notices consecutive failures of modern by itself, even if control is slow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from proxy.state.live import Live
from proxy.telemetry.records import Attempt, Exchange
from proxy.worker.circuit_breaker import CircuitBreaker
from rules.model import GuardPolicy, Override
from rules.routing.decide import generation, with_overrides
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.exchanges import exchange

BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}


class Watched:
    """A worker's trip with a clock and timers turned by hand."""

    def __init__(self, **guard: object) -> None:
        policy = replace(GuardPolicy(), **guard)  # type: ignore[arg-type]
        routes = [snapshots.route(name="all", guard=policy)]
        self.live = Live(generation(1, snapshots.snapshot(BACKENDS, routes=routes)))
        self.tripped: list[tuple[str, dict]] = []
        self.timers: list[Callable[[], None]] = []
        self.clock = Clock()
        self.trip = CircuitBreaker(
            self.live,
            lambda route, detail: self.tripped.append((route, orjson.loads(detail))),
            clock=self.clock,
            later=lambda _, call: self.timers.append(call),
        )

    def sees(self, *attempts: Attempt, count: int = 1, **changes: object) -> None:
        made: Exchange = exchange(attempts=attempts, route="all", generation=1)
        for _ in range(count):
            self.trip.observe(made._replace(**changes))


def modern(status: int = 200, kind: str = "") -> Attempt:
    return Attempt("modern", "modern", "there", status, kind, 0.01)


def legacy(status: int = 200) -> Attempt:
    return Attempt("legacy", "legacy", "here", status, "", 0.01)


def test_modern_that_fails_so_often_in_a_row_while_legacy_answers_is_left_at_once():
    watched = Watched()

    watched.sees(modern(500), legacy(), count=4)
    before = list(watched.tripped)
    watched.sees(modern(500), legacy())

    assert before == []
    ((route, detail),) = watched.tripped
    assert route == "all"
    assert detail == {"failures": 5, "seconds": 0.0, "kinds": {"500": 5}, "legacy": {"answers": 4, "failed": 0}}


def test_a_request_that_modern_would_have_got_had_it_a_target_is_a_failure_of_modern():
    watched = Watched()

    watched.sees(modern(0, "connect"), legacy(), count=3)
    watched.sees(modern(0, "unhealthy"), legacy(), count=2, reason="unhealthy")

    assert watched.tripped[0][1]["kinds"] == {"connect": 3, "unhealthy": 2}


def test_waiting_for_a_connection_of_our_own_is_no_failure_and_ends_no_run_of_failures():
    watched = Watched()

    watched.sees(modern(0, "busy"), legacy(), count=50)
    never = list(watched.tripped)
    watched.sees(modern(500), legacy(), count=4)
    watched.sees(modern(0, "busy"), legacy(), count=50)
    still = list(watched.tripped)
    watched.sees(modern(500), modern(0, "busy"), legacy())

    assert (never, still) == ([], [])
    assert watched.tripped[0][1]["kinds"] == {"500": 5}


@pytest.mark.parametrize("kind", ["connect", "timeout", "reset", "broken", "truncated"])
def test_every_kind_of_failure_counts(kind: str):
    watched = Watched()

    watched.sees(modern(0, kind), legacy(), count=5)

    assert watched.tripped[0][1]["kinds"] == {kind: 5}


def test_one_good_answer_begins_the_count_anew():
    watched = Watched()

    for _ in range(3):
        watched.sees(modern(500), legacy(), count=4)
        watched.sees(modern())

    assert watched.tripped == []


def test_an_outage_that_hits_both_sides_is_no_reason_to_leave_one():
    watched = Watched()

    watched.sees(modern(500), legacy(500), count=50)

    assert watched.tripped == []


def test_once_legacy_is_back_and_modern_is_not_modern_is_left():
    watched = Watched()
    watched.sees(modern(500), legacy(500), count=20)

    watched.sees(modern(500), legacy(), count=100)

    assert len(watched.tripped) >= 1


@pytest.mark.parametrize("attempt", [modern(0, "client"), modern(404), modern(501, "declined")])
def test_what_is_not_moderns_failure_never_trips(attempt: Attempt):
    watched = Watched()

    watched.sees(attempt, count=20)

    assert (watched.tripped, watched.timers) == ([], [])


def test_a_user_who_leaves_does_not_hide_that_modern_fails():
    watched = Watched()

    watched.sees(modern(500), legacy(), count=4)
    watched.sees(modern(0, "client"))
    watched.sees(modern(500), legacy())

    assert len(watched.tripped) == 1


def test_a_forced_request_is_not_judged():
    watched = Watched()

    watched.sees(modern(500), legacy(), count=20, reason="force")

    assert watched.tripped == []


def test_when_nobody_asks_legacy_the_clock_decides_in_half_a_second():
    watched = Watched()
    watched.sees(modern(500), count=7)

    (timer,) = watched.timers
    timer()
    too_early = list(watched.tripped)
    watched.clock.turn(0.6)
    timer()

    assert too_early == []
    assert watched.tripped[0][1]["legacy"] == {"answers": 0, "failed": 0}


@pytest.mark.parametrize("policy", [{"consecutive_failures": 0}])
def test_a_limit_of_0_never_trips(policy: dict):
    watched = Watched(**policy)

    watched.sees(modern(500), legacy(), count=50)

    assert watched.tripped == []


def test_what_was_decided_before_a_resume_does_not_count_after_it():
    watched = Watched()
    back = with_overrides(watched.live.generation, 2, {"all": Override("all", rolled_back=True)})
    watched.live.swap(back)
    watched.live.swap(with_overrides(back, 3, {}))

    watched.sees(modern(500), legacy(), count=20, generation=2)
    late = list(watched.tripped)
    watched.sees(modern(500), legacy(), count=5, generation=3)

    assert late == []
    assert len(watched.tripped) == 1


def test_a_route_that_is_rolled_back_already_does_not_trip_again():
    watched = Watched()
    watched.live.swap(with_overrides(watched.live.generation, 2, {"all": Override("all", rolled_back=True)}))

    watched.sees(modern(500), legacy(), count=20, generation=2)

    assert watched.tripped == []


def test_nothing_is_kept_of_a_route_that_has_been_well_for_a_while():
    watched = Watched()

    watched.sees(modern(), count=10)
    never_failed = dict(watched.trip._watched)
    watched.sees(modern(500), legacy())
    watched.clock.turn(61)
    watched.sees(modern())

    assert never_failed == watched.trip._watched == {}


def test_where_nobody_acts_on_it_a_trip_is_told_once_a_minute_however_many_requests_fail():
    watched = Watched(on_breach="observe")

    watched.sees(modern(500), legacy(), count=500)
    at_once = len(watched.tripped)
    watched.clock.turn(59)
    watched.sees(modern(500), legacy(), count=50)
    within = len(watched.tripped)
    watched.clock.turn(1)
    watched.sees(modern(500), legacy(), count=50)

    assert (at_once, within, len(watched.tripped)) == (1, 1, 2)


def test_failures_before_a_step_back_do_not_trip_the_step_below():
    watched = Watched(on_breach="step_back")
    watched.live.swap(with_overrides(watched.live.generation, 2, {"all": Override("all", weight=50.0, revision=1)}))
    watched.sees(modern(500), legacy(), count=9, generation=2)
    watched.live.swap(with_overrides(watched.live.generation, 3, {"all": Override("all", weight=10.0, revision=2)}))

    watched.sees(modern(500), legacy(), count=20, generation=2)
    before = len(watched.tripped)
    watched.sees(modern(500), legacy(), count=4, generation=3)
    few = len(watched.tripped)
    watched.sees(modern(500), legacy(), generation=3)

    assert (before, few, len(watched.tripped)) == (1, 1, 2)
