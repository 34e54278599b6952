"""A window restarts only when that route's own rules or backends change."""

from __future__ import annotations

from dataclasses import replace

from proxy.control.route_evidence import RouteWindows
from proxy.ipc.messages import Outcomes, SideOutcomes
from rules.model import GuardPolicy, Match, Rollout, Route, SidePolicy, Snapshot
from tests.support import snapshots


def route(name: str, **changes: object) -> Route:
    usual: dict = {
        "name": name,
        "match": Match(f"/{name}"),
        "rollout": Rollout(),
        "legacy": SidePolicy("legacy"),
        "modern": SidePolicy("modern"),
        "guard": GuardPolicy(window=10.0),
    }
    return Route(**{**usual, **changes})


def file(*routes: Route, modern: str = "http://127.0.0.1:2") -> Snapshot:
    return snapshots.snapshot({"legacy": ["http://127.0.0.1:1"], "modern": [modern]}, routes=routes)


def told(route_name: str, *, generation: int = 1, second: int = 100, requests: int = 5) -> Outcomes:
    return Outcomes(second, (SideOutcomes(route_name, "modern", generation, requests, 1, 0, ((0, requests),)),))


def seen(figures: RouteWindows, name: str) -> int:
    return figures.lately(name, "modern", 100).requests


def test_workers_add_up_and_old_seconds_fall_out():
    figures = RouteWindows(file(route("a")), 1)
    figures.record_outcomes(told("a"))
    figures.record_outcomes(told("a"))
    figures.record_outcomes(told("a", second=89))

    assert seen(figures, "a") == 10
    assert figures.totals("a", "modern").requests == 15


def test_a_change_elsewhere_in_the_file_restarts_nothing():
    figures = RouteWindows(file(route("a"), route("b")), 1)
    figures.record_outcomes(told("a"))

    figures.apply_snapshot(file(route("c"), route("a", line=77), route("b", match=Match("/other"))), 2)

    assert seen(figures, "a") == 5


def test_another_weight_restarts_nothing():
    figures = RouteWindows(file(route("a")), 1)
    figures.record_outcomes(told("a"))

    figures.apply_snapshot(file(route("a", rollout=Rollout(weight=50.0))), 2)

    assert seen(figures, "a") == 5


def test_the_routes_own_rules_restart_its_window_and_keep_its_totals():
    figures = RouteWindows(file(route("a")), 1)
    figures.record_outcomes(told("a"))

    figures.apply_snapshot(file(route("a", modern=SidePolicy("modern", path="/new"))), 2)

    assert seen(figures, "a") == 0
    assert figures.totals("a", "modern").requests == 5


def test_another_backend_restarts_every_route_that_uses_it():
    figures = RouteWindows(file(route("a")), 1)
    figures.record_outcomes(told("a"))

    figures.apply_snapshot(file(route("a"), modern="http://127.0.0.1:3"), 2)

    assert seen(figures, "a") == 0


def test_outcomes_decided_under_the_old_rules_are_not_counted_against_the_new():
    changed = route("a", modern=SidePolicy("modern", path="/new"))
    figures = RouteWindows(file(route("a"), route("b")), 1)
    figures.apply_snapshot(file(changed, route("b")), 2)

    figures.record_outcomes(told("a", generation=1))
    figures.record_outcomes(told("a", generation=2, requests=3))
    figures.record_outcomes(told("b", generation=1))

    assert seen(figures, "a") == 3
    assert seen(figures, "b") == 5


def test_a_route_that_left_is_not_kept_and_may_come_back_empty():
    figures = RouteWindows(file(route("a")), 1)
    figures.record_outcomes(told("a"))
    figures.apply_snapshot(file(), 2)
    figures.record_outcomes(told("a", generation=1))
    figures.apply_snapshot(file(route("a")), 3)

    assert seen(figures, "a") == 0


def test_a_longer_guard_window_looks_back_further():
    figures = RouteWindows(file(route("a", guard=replace(GuardPolicy(), window=30.0))), 1)
    figures.record_outcomes(told("a", second=75))

    assert seen(figures, "a") == 5


def test_what_a_side_does_with_copies_stands_apart_from_what_users_get():
    figures = RouteWindows(file(route("a")), 1)
    (live,) = told("a").sides
    figures.record_outcomes(Outcomes(100, (live, replace(live, role="shadow", requests=7, errors=3)), ()))

    copies = figures.copies("a", "modern", 100)
    assert (seen(figures, "a"), copies.requests, copies.errors) == (5, 7, 3)
    assert figures.totals("a", "modern").requests == 5

    figures.restart("a", 2)
    assert figures.copies("a", "modern", 100).requests == 0
