"""The history of routes is kept, bounded, cheap for quiet ones."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.control.history import FINE_KEPT, History
from proxy.ipc.messages import Outcomes, SideOutcomes

NO_WEIGHTS: Mapping[str, float] = {}
NOW = 10_000.0


def outcomes(route: str = "profile", side: str = "modern", requests: int = 5, errors: int = 0) -> Outcomes:
    return Outcomes(1, (SideOutcomes(route, side, 1, requests, errors, 0, ((0, requests),)),))


def no_pairs(_: str) -> tuple[int, int, int]:
    return 0, 0, 0


def history(*routes: str) -> History:
    made = History(NOW)
    made.apply_routes(routes or ("profile",))
    return made


def test_a_moment_holds_what_all_workers_told_since_the_last_one():
    remembered = history()
    remembered.record_outcomes(outcomes(requests=5, errors=1))
    remembered.record_outcomes(outcomes(requests=7))

    remembered.tick(NOW + 10, NO_WEIGHTS, lambda _: (40, 2, 50))
    remembered.tick(NOW + 20, NO_WEIGHTS, lambda _: (41, 2, 52))

    first, second = remembered.moments("profile", NOW, NOW + 20)
    assert (first.modern.requests, first.modern.errors, first.compared, first.different) == (12, 1, 40, 2)
    assert (second.modern.requests, second.compared, second.eligible) == (0, 1, 2)


def test_traffic_falls_to_zero_once_and_rises_from_it():
    remembered = history()
    for tick in range(1, 11):
        if tick in (1, 9):
            remembered.record_outcomes(outcomes())
        remembered.tick(NOW + 10 * tick, NO_WEIGHTS, no_pairs)

    seen = [(moment.at - NOW, moment.modern.requests) for moment in remembered.moments("profile", NOW, NOW + 100)]

    assert seen == [(10, 5), (20, 0), (80, 0), (90, 5), (100, 0)]


def test_a_quiet_route_costs_nothing():
    remembered = history("profile", "quiet")

    for tick in range(1000):
        remembered.tick(NOW + 10 * tick, NO_WEIGHTS, no_pairs)

    assert not remembered.moments("quiet", 0.0, NOW)


def test_an_hour_is_fine_and_a_day_is_coarse():
    remembered = history()
    for tick in range(1, 2 * FINE_KEPT):
        remembered.record_outcomes(outcomes(requests=1))
        remembered.tick(NOW + 10 * tick, NO_WEIGHTS, no_pairs)
    end = NOW + 20 * FINE_KEPT

    fine = remembered.moments("profile", end - 3600, end)
    coarse = remembered.moments("profile", end - 86400, end)

    assert len(fine) == FINE_KEPT
    assert {moment.span for moment in fine} == {10.0}
    assert {(moment.span, moment.modern.requests) for moment in coarse} == {(60.0, 6)}


def test_however_many_routes_there_are_the_memory_is_bounded():
    remembered = History(NOW)
    names = [f"r{number}" for number in range(5000)]
    remembered.apply_routes(names)

    kept = remembered._routes["r0"].fine.moments.maxlen

    assert kept is not None
    assert kept * len(names) <= 400_000


def test_weights_are_noted_when_they_change_and_outlive_a_reload():
    remembered = history()
    remembered.weigh(NOW, {"profile": 10.0})
    remembered.tick(NOW + 10, {"profile": 10.0}, no_pairs)
    remembered.apply_routes(("profile", "new"))
    remembered.weigh(NOW + 15, {"profile": 0.0})

    assert remembered.weights("profile") == ((NOW, 10.0), (NOW + 15, 0.0))
    assert remembered.weights("gone") == ()


def test_shadows_are_not_users():
    remembered = history()
    shadow = SideOutcomes("profile", "modern", 1, 9, 9, 0, ((0, 9),), role="shadow")

    remembered.record_outcomes(Outcomes(1, (shadow,)))

    assert remembered.ever("profile", "modern").requests == 0


def test_routes_that_are_gone_are_forgotten_and_unknown_ones_ignored():
    remembered = history()
    remembered.record_outcomes(outcomes("other"))
    remembered.record_outcomes(outcomes())
    remembered.apply_routes(("other",))

    assert remembered.ever("profile", "modern").requests == 0
    assert remembered.moments("profile", 0.0, NOW) == ()
