from __future__ import annotations

from typing import Any

import pytest

import rules
from rules.model import Override
from tests.rules.asking import facts, generation, route
from tests.support.tables import cases


@pytest.mark.parametrize("case", cases("decisions"))
def test_a_request_goes_where_the_table_says(case: dict[str, Any]) -> None:
    override = [Override("a", **case["set"])] if "set" in case else []
    running = generation(
        route(rollout=case["rollout"]), set_at_run_time=override, legacy_only=case.get("legacy_only", False)
    )
    headers = {"X-Strangler-Force": case["forced"]} if "forced" in case else {}
    asked = facts(
        headers=headers,
        user=case.get("user"),
        trusted=case.get("trusted", False),
        unhealthy=case.get("unhealthy", ()),
    )

    decision = rules.decide(running, asked, case.get("draw", 0.5))

    assert f"{decision.side} by {decision.reason}" == case["expect"]


def test_a_decision_tells_bucket_weight_user_and_names() -> None:
    running = generation(route("/users/{id}", rollout={"weight": 10}))

    decision = rules.decide(running, facts(target="/users/7", user="in"), 0.5)

    assert decision.bucket == rules.bucket("a", "in")
    assert (decision.weight, decision.user, dict(decision.names)) == (10.0, "in", {"id": "7"})


def test_a_draw_is_told_as_the_bucket() -> None:
    running = generation(route(rollout={"weight": 10, "by": "request"}))

    decision = rules.decide(running, facts(user="in"), 0.25)

    assert decision.bucket == 0.25


@pytest.mark.parametrize("rollout", [{"weight": 0}, {"weight": 10, "by": "request"}, {"steps": [{"weight": 10}]}])
def test_nobody_is_asked_for_a_name_that_does_not_matter(rollout: dict[str, Any]) -> None:
    asked: list[str] = []
    running = generation(route(rollout=rollout))
    question = facts()._replace(user=lambda: asked.append("asked") or "in")

    rules.decide(running, question, 0.5)

    assert asked == []


def test_a_name_is_asked_for_once() -> None:
    asked: list[str] = []
    running = generation(route(rollout={"weight": 10, "include": ["x"]}))
    question = facts()._replace(user=lambda: asked.append("asked") or "in")

    rules.decide(running, question, 0.5)

    assert asked == ["asked"]


def test_what_no_route_takes_is_decided_by_default() -> None:
    running = generation(route(rollout={"weight": 100}))

    decision = rules.decide(
        running, facts(target="/x", user="in", trusted=True, headers={"X-Strangler-Force": "modern"}), 0.0
    )

    assert (decision.side, decision.reason, decision.route.name) == ("legacy", "default", "_default")


def test_a_rolled_back_route_has_the_weight_0() -> None:
    running = generation(route(rollout={"weight": 50}), set_at_run_time=[Override("a", rolled_back=True, weight=50)])

    decision = rules.decide(running, facts(user="in"), 0.5)

    assert decision.weight == 0.0


def test_an_override_of_a_route_that_is_gone_is_ignored() -> None:
    running = generation(route(rollout={"weight": 100}), set_at_run_time=[Override("gone", rolled_back=True)])

    assert rules.decide(running, facts(user="in"), 0.5).side == "modern"


def test_a_generation_keeps_the_overrides_it_was_made_with() -> None:
    overrides = {"a": Override("a", weight=100)}
    file = generation(route()).snapshot

    running = rules.generation(7, file, overrides)
    overrides.clear()

    assert (running.number, set(running.overrides), running.legacy_only) == (7, {"a"}, False)
