"""A route advances only when all evidence is for it, and goes back as soon as some is against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Check, Verdict
from rules.guard.rollout import (
    FIRST_HOLD_OFF,
    LONGEST_HOLD_OFF,
    RolloutAction,
    Volume,
    hold_off,
    next_move,
    readiness,
    step_of,
)
from rules.guard.window import ComparedTally
from rules.model import GuardPolicy, Match, Override, Rollout, Route, ShadowPolicy, SidePolicy, Step
from tests.rules.seen import policy

NOW = 10_000.0
STEPS = (Step(1.0, 600.0, 200), Step(50.0, 3600.0, manual=True), Step(100.0))
PLENTY = Volume(1000, 1000)
READY = readiness(ComparedTally(equal=1000, eligible=1000), 0.01)


def route(steps: tuple[Step, ...] = STEPS, guard: GuardPolicy | None = None, **rollout: object) -> Route:
    return Route(
        name="profile",
        match=Match("/api/me"),
        rollout=Rollout(steps=steps, **rollout),  # type: ignore[arg-type]
        legacy=SidePolicy("legacy"),
        modern=SidePolicy("modern"),
        guard=guard or GuardPolicy(),
    )


def on(step: int, since: float = 0.0, **more: object) -> Override:
    return Override("profile", step=step, step_since=since, at=since, **more)  # type: ignore[arg-type]


def found(outcome: str = GOOD, reason: str = "") -> Verdict:
    return Verdict(outcome, reason, (Check(reason or "errors", outcome, detail="so it is"),), 60.0, NOW)


def move(
    override: Override | None,
    verdict: Verdict | None = None,
    ready=READY,
    volume: Volume = PLENTY,
    now: float = NOW,
    of: Route | None = None,
) -> RolloutAction:
    return next_move(of or route(), override, verdict or found(), ready, now, volume)


# ── progress ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_that_baked_with_enough_seen_leads_to_the_next():
    taken = move(on(1))

    assert (taken.kind, taken.weight, taken.step) == ("advance", 50.0, 2)
    assert taken.detail == "1000 requests on modern in this step; 1000 pairs compared, at most 0.30% differ"


@pytest.mark.parametrize(
    ("now", "kind"), [(599.0, "stay"), (600.0, "advance")], ids=["a-second-too-early", "to-the-second"]
)
def test_a_step_bakes_its_time(now: float, kind: str):
    assert move(on(1), now=now).kind == kind


def test_a_step_that_was_entered_before_a_restart_goes_on_baking_where_it_was():
    assert move(on(1, since=9_500.0)).detail == "500 of 600 s"


@pytest.mark.parametrize(
    ("volume", "detail"),
    [
        (Volume(199, 1000), "199 of 200 requests on modern in this step"),
        (Volume(1000, 19), "19 of 20 compared pairs in this step"),
    ],
)
def test_time_alone_does_not_advance(volume: Volume, detail: str):
    taken = move(on(1), volume=volume)

    assert (taken.kind, taken.reason, taken.detail) == ("stay", "too_little", detail)


def test_a_step_without_a_number_needs_what_the_guard_needs():
    bare = route((Step(1.0), Step(100.0)))

    assert move(on(1), volume=Volume(19, 100), of=bare).reason == "too_little"
    assert move(on(1), volume=Volume(20, 100), of=bare).kind == "advance"


def test_a_route_that_is_not_ready_waits_with_the_reason():
    taken = move(on(1), ready=readiness(ComparedTally(equal=100, eligible=100), 0.01))

    assert (taken.kind, taken.reason) == ("stay", "not_ready")
    assert "2.95%" in taken.detail


@pytest.mark.parametrize("ready", [None, readiness(ComparedTally(), 0.01)], ids=["not-mirrored", "nothing-to-mirror"])
def test_where_nothing_can_be_compared_requests_are_enough(ready):
    assert move(on(1), ready=ready, volume=Volume(200, 0)).kind == "advance"


@pytest.mark.parametrize(
    ("methods", "kind"),
    [((), "stay"), (("GET", "POST"), "stay"), (("POST",), "advance")],
    ids=["all", "reads", "writes"],
)
def test_a_step_that_only_mirrors_does_not_end_without_a_request_unless_none_can_be_mirrored(
    methods: tuple[str, ...], kind: str
):
    mirroring = route((Step(0.0, 600.0), Step(10.0)))
    asked = replace(mirroring, match=Match("/api/me", methods=methods), shadow=ShadowPolicy(sample=1.0))

    taken = move(on(1), found(TOO_LITTLE), readiness(ComparedTally(), 0.01), Volume(), of=asked)

    assert taken.kind == kind
    assert taken.detail == "0 of 20 compared pairs in this step" or kind == "advance"


def test_a_step_that_asks_for_approval_waits_for_a_person_once_it_is_done():
    assert move(on(2), now=3_000.0).reason == "baking"
    assert move(on(2)) == RolloutAction("ask", 50.0, 2, "approval", "step 3 (100 %) waits for a person")


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (None, "waiting"),
        (Override("profile"), "waiting"),
        (Override("profile", step=0), "waiting"),
        (on(3), "last_step"),
        (on(9), "last_step"),
        (Override("profile", weight=7.0), "weight"),
        (on(1, weight=7.0), "weight"),
        (on(1, held=True), "held"),
        (on(1, rolled_back=True), "rolled_back"),
        (on(1, hold_off_until=NOW + 60), "hold_off"),
    ],
)
def test_a_route_stays_where_there_is_no_step_to_take(override: Override | None, reason: str):
    taken = move(override)

    assert (taken.kind, taken.reason) == ("stay", reason)


def test_a_plain_weight_stays():
    assert move(None, of=route((), weight=10.0)) == RolloutAction("stay", 10.0, 0, "weight")


def test_too_little_data_is_no_content():
    assert move(on(1), found(TOO_LITTLE)).reason == "too_little"


def test_what_cannot_be_told_pauses_until_it_can():
    assert move(on(1), found(CANNOT_TELL, "errors")) == RolloutAction("hold", 1.0, 1, "errors", "so it is")
    assert move(on(1)).kind == "advance"


def test_without_a_guard_time_is_enough():
    unguarded = replace(route((Step(1.0, 60.0), Step(100.0))), guard=None)

    assert next_move(unguarded, on(1), None, None, NOW).kind == "advance"


def test_a_step_of_nobody_needs_pairs_instead_of_requests():
    phases = route((Step(0.0, 60.0, 500), Step(10.0)))
    nobody = found(TOO_LITTLE)

    assert move(on(1), nobody, volume=Volume(0, 499), of=phases).detail == "499 of 500 compared pairs in this step"
    assert move(on(1), nobody, volume=Volume(0, 500), of=phases).kind == "advance"


# ── retreat ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bad_verdict_rolls_back_at_once_with_its_reason():
    taken = move(on(2), found(BAD, "errors"), now=1.0)

    assert (taken.kind, taken.weight, taken.reason, taken.detail) == ("roll_back", 0.0, "errors", "so it is")
    assert taken.fresh


def test_the_guard_keeps_watching_at_a_hundred_percent_and_on_a_held_route():
    for override in (on(3), on(2, held=True), Override("profile", weight=100.0)):
        assert move(override, found(BAD, "p95")).kind == "roll_back"


def test_the_hold_off_grows_with_every_time():
    again = [move(on(1, rollbacks=times), found(BAD, "errors")).hold_off for times in range(3)]

    assert again == [FIRST_HOLD_OFF, FIRST_HOLD_OFF * 2, FIRST_HOLD_OFF * 4]
    assert hold_off(1_000_000) == LONGEST_HOLD_OFF


@pytest.mark.parametrize(
    ("step", "reason", "kind", "weight"),
    [(3, "p95", "step_back", 50.0), (1, "p95", "roll_back", 0.0), (3, "invariant", "roll_back", 0.0)],
    ids=["a-step", "from-the-first", "broken-rule"],
)
def test_step_back_goes_one_step_down(step: int, reason: str, kind: str, weight: float):
    taken = move(on(step), found(BAD, reason), of=route(guard=policy(on_breach="step_back")))

    assert (taken.kind, taken.weight) == (kind, weight)
    assert taken.hold_off == FIRST_HOLD_OFF


def test_observe_reports_without_acting():
    taken = move(on(2), found(BAD, "errors"), of=route(guard=policy(on_breach="observe")))

    assert (taken.kind, taken.weight, taken.reason, taken.detail) == ("stay", 50.0, "errors", "so it is")


def test_where_rolling_back_is_forbidden_a_route_is_held_for_a_person():
    forbidden = route(guard=policy(rollback="forbidden"))

    taken = move(on(2), found(BAD, "errors"), of=forbidden)
    assert (taken.kind, taken.weight, taken.latch) == ("hold", 50.0, True)
    assert move(on(2, held=True), found(BAD, "errors"), of=forbidden).kind == "stay"


def test_a_route_without_users_on_modern_is_not_rolled_back_for_what_its_copies_do():
    shadowed = route((), weight=0.0)

    assert move(None, found(BAD, "mismatch"), of=shadowed) == RolloutAction("stay", 0.0, 0, "mismatch", "so it is")
    assert move(None, found(BAD, "mismatch"), of=route((), include=("42",))).kind == "roll_back"


def test_a_rolled_back_route_waits_for_a_person_whatever_the_judge_says():
    assert move(on(2, rolled_back=True), found(BAD, "errors")) == RolloutAction("stay", 0.0, 2, "rolled_back")


@pytest.mark.parametrize(
    ("override", "step"), [(None, 0), (Override("profile"), 0), (on(2), 2), (on(9), 3), (on(2, weight=5.0), 0)]
)
def test_a_route_knows_its_step(override: Override | None, step: int):
    assert step_of(route(), override) == step
