"""What an action makes of an override, or why it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control import override_changes
from proxy.control.errors import RefusedError
from rules.model import Override, Rollout, Step
from rules.routing.compiled_route import effective_weight
from tests.support.rollout_rig import NOON, a_route

PLAIN = a_route()
STEPPED = a_route(rollout=Rollout(steps=(Step(1.0, 60.0), Step(10.0, 60.0), Step(100.0))))
BACK = Override("profile", rolled_back=True, reason="errors", who="guard", at=1.0, revision=4, rollbacks=2)


def test_a_weight_replaces_what_was_set_and_forgets_how_often_modern_was_sent_back():
    before = Override("profile", weight=5.0, rollbacks=3, hold_off_until=NOON + 60, who="guard", text="old words")

    after = override_changes.weighted(PLAIN, before, 25, NOON)

    assert after == Override("profile", weight=25.0, at=NOON)


@pytest.mark.parametrize("percent", [-0.01, 100.01, 1.234, float("nan"), float("inf")])
def test_what_is_no_weight_is_refused(percent: float):
    with pytest.raises(RefusedError, match="weight must") as refused:
        override_changes.weighted(PLAIN, None, percent, NOON)

    assert refused.value.status == 422


def test_steps_are_entered_one_after_the_other():
    override, weights = None, []
    for _ in range(3):
        override = override_changes.advanced(STEPPED, override, NOON)
        weights.append(effective_weight(STEPPED, override))

    assert weights == [1.0, 10.0, 100.0]
    with pytest.raises(RefusedError, match="at its last step"):
        override_changes.advanced(STEPPED, override, NOON)


def test_a_weight_set_by_hand_ends_with_the_next_step():
    override = override_changes.weighted(STEPPED, Override("profile", step=1), 40, NOON)

    after = override_changes.advanced(STEPPED, override, NOON)

    assert (after.weight, after.step, after.step_since) == (None, 2, NOON)


@pytest.mark.parametrize("move", [override_changes.advanced, override_changes.held, override_changes.stepped_back])
def test_a_route_that_is_rolled_back_only_resumes(move):
    with pytest.raises(RefusedError, match="is rolled back: resume it first") as refused:
        move(STEPPED, BACK, NOON)

    assert refused.value.status == 409


def test_a_held_route_does_not_advance():
    with pytest.raises(RefusedError, match="is held"):
        override_changes.advanced(STEPPED, override_changes.held(STEPPED, None, NOON), NOON)


def test_a_rolled_back_route_resumes_at_the_files_weight_or_at_step_1():
    plain, stepped = (
        override_changes.resumed(PLAIN, BACK, NOON),
        override_changes.resumed(STEPPED, replace(BACK, step=3), NOON),
    )

    assert (effective_weight(PLAIN, plain), plain.rollbacks) == (50.0, 2)
    assert (effective_weight(STEPPED, stepped), stepped.step, stepped.step_since) == (1.0, 1, NOON)


def test_hold_off_outlives_a_resume():
    after = override_changes.resumed(STEPPED, replace(BACK, hold_off_until=NOON + 100), NOON)

    assert after.hold_off_until == NOON + 100


def test_a_held_route_goes_on_where_it_was_held():
    held = override_changes.held(STEPPED, Override("profile", step=2), NOON)

    after = override_changes.resumed(STEPPED, held, NOON + 5)

    assert (after.held, after.step, effective_weight(STEPPED, after)) == (False, 2, 10.0)


@pytest.mark.parametrize("first", ["weighted", "held"])
def test_a_held_route_returns_to_the_files_weight_whichever_was_set_at_run_time(first: str):
    if first == "weighted":
        held = override_changes.held(PLAIN, override_changes.weighted(PLAIN, None, 5, NOON), NOON)
    else:
        held = override_changes.weighted(PLAIN, override_changes.held(PLAIN, None, NOON), 5, NOON)

    after = override_changes.resumed(PLAIN, held, NOON + 5)

    assert effective_weight(PLAIN, held) == 5.0
    assert (after.held, effective_weight(PLAIN, after)) == (False, PLAIN.rollout.weight)


def test_a_held_route_stays_where_it_was_when_the_file_rises_and_follows_it_down():
    held = override_changes.held(PLAIN, None, NOON)
    raised, lowered = (a_route(rollout=Rollout(weight=weight)) for weight in (90.0, 5.0))

    assert (effective_weight(raised, held), effective_weight(lowered, held)) == (50.0, 5.0)
    assert effective_weight(raised, override_changes.resumed(raised, held, NOON)) == 90.0


def test_a_held_route_stays_where_it_was_when_its_step_means_more_than_before():
    held = override_changes.held(STEPPED, Override("profile", step=2), NOON)
    steeper = a_route(rollout=Rollout(steps=(Step(1.0), Step(60.0), Step(100.0))))

    assert effective_weight(steeper, held) == 10.0


def test_a_weight_set_by_hand_is_where_a_held_route_stays_from_then_on():
    held = override_changes.held(PLAIN, None, NOON)

    after = override_changes.weighted(PLAIN, held, 70, NOON)

    assert (after.held, effective_weight(PLAIN, after)) == (True, 70.0)


def test_a_hold_on_a_hold_does_not_go_up_again():
    lowered = a_route(rollout=Rollout(weight=5.0))

    again = override_changes.held(lowered, override_changes.held(PLAIN, None, NOON), NOON)

    assert effective_weight(PLAIN, again) == 5.0


def test_resuming_what_is_neither_held_nor_rolled_back_returns_to_the_files_weight():
    after = override_changes.resumed(PLAIN, Override("profile", weight=3.0), NOON)

    assert effective_weight(PLAIN, after) == 50.0
    with pytest.raises(RefusedError, match="is neither held nor rolled back"):
        override_changes.resumed(PLAIN, after, NOON)


def test_a_rollback_keeps_the_step_for_the_record_and_counts():
    after = override_changes.rolled_back(STEPPED, Override("profile", step=2, held=True), NOON, hold_off=300)

    assert effective_weight(STEPPED, after) == 0.0
    assert (after.step, after.held, after.rollbacks, after.hold_off_until) == (2, False, 1, NOON + 300)


def test_what_is_rolled_back_already_stays_as_it_is():
    assert override_changes.rolled_back(PLAIN, BACK, NOON) is BACK


def test_a_step_back_is_one_step_or_a_smaller_weight():
    stepped = override_changes.stepped_back(STEPPED, Override("profile", step=2), NOON, step=1, weight=1.0, hold_off=60)
    plain = override_changes.stepped_back(PLAIN, None, NOON, weight=5.0)

    assert (effective_weight(STEPPED, stepped), stepped.step, stepped.hold_off_until) == (1.0, 1, NOON + 60)
    assert effective_weight(PLAIN, plain) == 5.0
