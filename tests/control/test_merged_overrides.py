"""Of two independent changes the more cautious one wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control.override_changes import afresh, agreement, settled
from rules.model import Override, Rollout, Step
from rules.routing.compiled_route import effective_weight
from tests.support import snapshots

ROUTE = snapshots.route("/a", name="a", rollout=Rollout(weight=50.0))
STEPPED = snapshots.route("/a", name="a", rollout=Rollout(steps=(Step(1.0, 60.0), Step(10.0, 60.0), Step(100.0))))
BACK = Override("a", rolled_back=True, reason="errors", revision=5)
LOW = Override("a", 5.0, revision=5)
HIGH = Override("a", 20.0, revision=5)
HELD = Override("a", 20.0, held=True, revision=5)


@pytest.mark.parametrize(
    ("ours", "theirs", "right"),
    [
        (BACK, HIGH, BACK),
        (HIGH, BACK, BACK),
        (BACK, replace(BACK, reason="p95"), replace(BACK, reason="p95")),
        (LOW, HIGH, LOW),
        (HIGH, LOW, LOW),
        (HELD, HIGH, replace(HIGH, held=True, at_most=20.0)),
        (HIGH, HELD, HELD),
        (LOW, HELD, replace(LOW, held=True, at_most=5.0)),
        (HIGH, HIGH, HIGH),
    ],
)
def test_the_more_cautious_of_two_changes_is_right(ours: Override, theirs: Override, right: Override):
    assert settled(ROUTE, ours, theirs) == right


def test_a_hold_that_comes_with_the_other_change_keeps_the_smaller_weight():
    held = Override("a", held=True, at_most=30.0, revision=5)

    right = settled(ROUTE, LOW, held)

    raised = snapshots.route("/a", name="a", rollout=Rollout(weight=90.0))
    assert right.held
    assert effective_weight(raised, right) == 5.0
    assert effective_weight(raised, settled(ROUTE, held, HIGH)) == 20.0
    assert effective_weight(raised, settled(ROUTE, Override("a", revision=5), held)) == 30.0


def test_what_is_kept_needs_no_writing_where_nothing_is_added_to_it():
    assert settled(ROUTE, HIGH, LOW) is LOW
    assert settled(None, LOW, HIGH) is HIGH


def test_steps_are_compared_by_the_share_of_users_they_mean():
    assert settled(STEPPED, Override("a", step=1), Override("a", step=2)).step == 1


def test_what_others_set_later_is_adopted_and_what_the_store_lost_is_written_again():
    ours = {"old": Override("old", 1.0, revision=1), "lost": Override("lost", 2.0, revision=4), "gone": BACK}
    kept = {"old": Override("old", 3.0, revision=2), "lost": Override("lost", 1.0, revision=3), "new": LOW}

    found = agreement({}, ours, kept, ())

    assert found.adopt == (LOW, kept["old"])
    assert found.untold == (BACK, ours["lost"])


def test_what_waits_to_be_written_is_left_for_the_writing():
    found = agreement({"a": ROUTE}, {"a": BACK}, {"a": replace(HIGH, revision=9)}, {"a"})

    assert (found.adopt, found.untold) == ((), ())


@pytest.mark.parametrize(("kept", "doubted"), [(HIGH, ()), (replace(HIGH, revision=7), {"a"})])
def test_a_store_that_lost_a_rollback_does_not_undo_it(kept: Override, doubted: set[str]):
    found = agreement({"a": ROUTE}, {"a": BACK}, {"a": kept}, (), doubted)

    assert (found.adopt, found.untold) == ((), (BACK,))


def test_a_later_revision_of_a_sound_store_is_believed_even_where_it_lifts_a_rollback():
    lifted = Override("a", revision=6)

    assert agreement({"a": ROUTE}, {"a": BACK}, {"a": lifted}, ()).adopt == (lifted,)


def test_windows_begin_anew_where_users_were_sent_back_or_a_rollback_was_lifted():
    assert afresh(None, BACK)
    assert afresh(HIGH, BACK)
    assert afresh(BACK, HIGH)
    assert afresh(Override("a", step=3), Override("a", step=2))
    assert not afresh(Override("a", step=2), Override("a", step=3))
    assert not afresh(HIGH, LOW)
    assert not afresh(None, HIGH)
