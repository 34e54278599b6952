"""What needs an operator is found, the most urgent first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboards.views import (
    SOON,
    URGENT,
    BackendView,
    CheckView,
    RolledBackView,
    RouteView,
    StatusView,
    TargetView,
    VerdictView,
    attention,
)
from tests.support.views import route, view

BACK = RolledBackView("2026-11-21T03:00:00.000Z", "errors", "guard", None)


def found(*routes: RouteView, groups: tuple[dict[str, Any], ...] = (), **changes: Any) -> list[tuple[str, str]]:
    status: StatusView = replace(view(*routes), **changes)
    return [(each.level, each.what) for each in attention(status, groups)]


def test_nothing_needs_anybody_when_all_is_well():
    assert found(route(), route(name="other", stage="modern", effective=100.0)) == []


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"rolled_back": BACK, "stage": "rolled_back"}, URGENT, "profile is rolled back"),
        ({"compare": {"not_compared": {"failing": 7}}}, SOON, "profile: copies are thinned"),
        ({"verdict": VerdictView("bad", "errors", ())}, URGENT, "profile: modern breaks its limits"),
        ({"verdict": VerdictView("cannot_tell", "errors", ())}, SOON, "profile: the guard cannot tell"),
        ({"held": True}, SOON, "profile is held"),
        ({"waits_for": {"kind": "ask", "detail": ""}}, SOON, "profile waits for approval"),
        ({"equal": 5, "coverage": 0.2}, SOON, "profile is hardly compared"),
        ({"coverage": 0.0, "compare": {"coverage_reason": "session"}}, SOON, "profile: coverage: session"),
    ],
)
def test_a_route_that_needs_somebody_is_named(changes: dict[str, Any], level: str, what: str):
    assert found(route(**changes)) == [(level, what)]


def test_the_process_comes_with_its_routes_and_urgent_things_first():
    seen = found(route(held=True), error="proxy.yaml:1:1: broken", ready=False, reasons=("draining",), legacy_only=True)

    assert [level for level, _ in seen] == [URGENT, URGENT, URGENT, SOON]


def test_only_differences_that_nobody_judged_count():
    groups = ({"route": "profile", "known": None}, {"route": "profile", "known": {"reason": "x"}})

    assert found(route(), groups=groups) == [(SOON, "profile: 1 difference not judged yet")]


def test_the_guards_own_words_say_why():
    verdict = VerdictView("bad", "errors", (CheckView("errors", "bad", 0.4, 0.05, "8 of 20"),))

    (need,) = attention(view(route(verdict=verdict)))

    assert need.why == "8 of 20"


def backends(*states: bool | None) -> tuple[BackendView, ...]:
    targets = [TargetView(f"http://m{number}", up, last_error="refused") for number, up in enumerate(states, 1)]
    return (BackendView("modern", tuple(targets)),)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((True, True), []),
        ((None,), []),
        ((True, False), [(SOON, "modern: http://m2 is left out")]),
        ((False, False), [(URGENT, "No target of modern is up")]),
    ],
)
def test_a_target_that_is_down_needs_a_person_and_all_of_them_at_once(
    states: tuple[bool | None, ...], expected: list[tuple[str, str]]
):
    assert found(route(), backends=backends(*states)) == expected
