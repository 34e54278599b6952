from __future__ import annotations

import pytest

from rules.model import Match, Override, Rollout, Route, SidePolicy, Step
from rules.routing.compiled_route import effective_weight, intended_weight

STEPS = (Step(1.0), Step(50.0), Step(100.0))


def _route(weight: float = 0.0, steps: tuple[Step, ...] = ()) -> Route:
    rollout = Rollout(weight=weight, steps=steps)
    return Route("a", Match("/a"), rollout, SidePolicy("legacy"), SidePolicy("modern"))


@pytest.mark.parametrize(
    ("route", "override", "weight"),
    [
        (_route(10), None, 10),
        (_route(10), Override("a"), 10),
        (_route(10), Override("a", weight=0.0), 0),
        (_route(10), Override("a", weight=25), 25),
        (_route(10), Override("a", weight=25, rolled_back=True), 0),
        (_route(10), Override("a", held=True), 10),
        (_route(60), Override("a", held=True, at_most=10.0), 10),
        (_route(5), Override("a", held=True, at_most=10.0), 5),
        (_route(60), Override("a", weight=30.0, held=True, at_most=30.0), 30),
        (_route(60), Override("a", at_most=10.0), 60),
        (_route(60), Override("a", rolled_back=True, held=True, at_most=10.0), 0),
        (_route(10), Override("a", step=2), 10),
        (_route(steps=STEPS), None, 0),
        (_route(steps=STEPS), Override("a"), 0),
        (_route(steps=STEPS), Override("a", step=0), 0),
        (_route(steps=STEPS), Override("a", step=1), 1),
        (_route(steps=STEPS), Override("a", step=3), 100),
        (_route(steps=STEPS), Override("a", step=2, held=True, at_most=20.0), 20),
        (_route(steps=STEPS), Override("a", step=9), 100),
        (_route(steps=STEPS), Override("a", step=2, weight=7), 7),
        (_route(steps=STEPS), Override("a", step=2, rolled_back=True), 0),
    ],
)
def test_the_weight_in_effect_is_the_file_under_what_was_set(
    route: Route, override: Override | None, weight: float
) -> None:
    assert effective_weight(route, override) == weight


@pytest.mark.parametrize(
    ("route", "override", "weight"),
    [
        (_route(10), None, 10),
        (_route(10), Override("a", weight=25), 10),
        (_route(10), Override("a", rolled_back=True), 10),
        (_route(steps=STEPS), None, 0),
        (_route(steps=STEPS), Override("a", step=2), 50),
        (_route(steps=STEPS), Override("a", step=2, rolled_back=True), 50),
        (_route(steps=STEPS), Override("a", step=2, weight=7.0), 50),
        (_route(steps=STEPS), Override("a", step=9), 100),
    ],
)
def test_what_the_file_means_is_not_changed_by_what_was_set(
    route: Route, override: Override | None, weight: float
) -> None:
    assert intended_weight(route, override) == weight
