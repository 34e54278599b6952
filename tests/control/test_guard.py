"""The guard evaluates each second and acts; the clock is turned by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.control.route_evidence import NothingJudged
from proxy.ipc.messages import PairCounts, Trip
from rules.guard.evidence import Violation
from rules.guard.excuses import Excused
from rules.guard.window import ComparedTally
from rules.model import Override, Rollout, ShadowPolicy, Step
from tests.support import snapshots
from tests.support.rollout_rig import NOON, RolloutRig, a_route

STEPPED = Rollout(steps=(Step(0.0, 60.0), Step(10.0, 60.0), Step(50.0, 60.0), Step(100.0)))
FINE: dict[str, Any] = {"modern": 50, "legacy": 50}


class Compared(NothingJudged):
    """A comparison whose results a test decides."""

    def __init__(self) -> None:
        self.tally = ComparedTally()
        self.broken: tuple[Violation, ...] = ()
        self.groups = 0

    def counts(self, _route: str) -> ComparedTally:
        return self.tally

    def totals(self, _route: str) -> ComparedTally:
        return self.tally

    def open_groups(self, _route: str) -> int:
        return self.groups

    def never_compared(self, _route: str) -> frozenset[str]:
        return frozenset(["DELETE /profile 2xx"]) if self.groups else frozenset()

    def violations(self, _route: str) -> tuple[Violation, ...]:
        return self.broken


# ── sending back ──


async def test_errors_above_the_ceiling_send_everybody_back_with_the_verdict_as_evidence(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.seconds(5, **FINE)

    await rollout_rig.seconds(3, modern=50, errors=25, legacy=50)

    evidence = orjson.loads(rollout_rig.override().evidence)
    checks = {check["name"]: check["outcome"] for check in evidence["checks"]}
    assert rollout_rig.weight() == 0.0
    assert rollout_rig.override().reason in ("errors", "worse_errors")
    assert rollout_rig.override().who == "guard"
    assert evidence["outcome"] == "bad"
    assert "bad" in (checks["errors"], checks["worse_errors"])
    assert await rollout_rig.events() == ["rollback"]


async def test_an_outage_of_both_sides_sends_nobody_anywhere_and_a_person_is_told_once(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.seconds(5, **FINE)

    await rollout_rig.seconds(20, modern=50, errors=25, legacy=50, legacy_errors=25)

    alerts = [fields for event, fields in rollout_rig.told if event == "alert"]
    assert rollout_rig.weight() == 50.0
    assert await rollout_rig.events() == ["hold"]
    assert len(alerts) == 1


@pytest.mark.parametrize(
    ("excused", "weight", "event"), [(0, 0.0, "rollback"), (20, 0.0, "rollback"), (50, 50.0, "hold")]
)
async def test_differences_at_places_where_legacy_differs_from_itself_hold_instead_of_rolling_back(
    tmp_path: Path, excused: int, weight: float, event: str
):
    compared = Compared()
    route = snapshots.route("/profile", name="profile", rollout=Rollout(weight=50.0), shadow=ShadowPolicy(sample=1.0))
    rollout_rig = RolloutRig(tmp_path, route, judged=compared)
    await rollout_rig.seconds(3, **FINE)

    places = ("@body title",) if excused else ()
    compared.tally = ComparedTally(equal=100, different=50, eligible=150, excused=Excused(excused, places))
    await rollout_rig.seconds(2, **FINE)

    alerts = [str(fields["detail"]) for name, fields in rollout_rig.told if name == "alert"]
    assert rollout_rig.weight() == weight
    assert await rollout_rig.events() == [event]
    assert any("@body title" in told and "noise: learn" in told for told in alerts) is (event == "hold")


async def test_a_handful_of_requests_proves_nothing(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)

    await rollout_rig.seconds(2, modern=2, errors=1, legacy=2)

    assert rollout_rig.weight() == 50.0
    assert rollout_rig.guard.seen["profile"].verdict.outcome == "too_little"


async def test_observing_reports_and_does_nothing(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(on_breach="observe"))

    await rollout_rig.seconds(5, modern=50, errors=25, legacy=50)

    assert rollout_rig.weight() == 50.0
    assert rollout_rig.guard.seen["profile"].verdict.outcome == "bad"
    assert sum(event == "alert" for event, _ in rollout_rig.told) == 1


async def test_where_a_rollback_is_forbidden_the_route_is_held_and_a_person_told(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollback="forbidden"))

    await rollout_rig.seconds(5, modern=50, errors=25, legacy=50)

    assert (rollout_rig.weight(), rollout_rig.override().held) == (50.0, True)
    assert await rollout_rig.events() == ["hold"]


async def test_a_lossy_rollback_tells_how_many_writes_legacy_has_not_seen(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollback="lossy"))
    rollout_rig.workers.totals.report((0, 1), [("strangler_modern_writes_total", ("profile",), (7.0,))])

    await rollout_rig.seconds(5, modern=50, errors=25, legacy=50)

    assert orjson.loads(rollout_rig.override().evidence)["writes_legacy_has_not_seen"] == 7


async def test_stepping_back_goes_one_step_and_not_down_the_whole_stair(tmp_path: Path):
    route = a_route(rollout=STEPPED, on_breach="step_back")
    rollout_rig = RolloutRig(
        tmp_path, route, overrides=(Override("profile", step=3, at=NOON, step_since=NOON, revision=1),)
    )
    await rollout_rig.seconds(5, **FINE)

    while rollout_rig.weight() == 50.0:
        await rollout_rig.seconds(1, modern=50, errors=25, legacy=50)
    await rollout_rig.seconds(5, **FINE, generation=1)
    await rollout_rig.seconds(5, **FINE)

    assert (rollout_rig.override().step, rollout_rig.weight()) == (2, 10.0)
    assert await rollout_rig.events() == ["step_back"]
    assert rollout_rig.override().hold_off_until > rollout_rig.wall()


async def test_only_the_instance_that_leads_advances_but_each_sends_users_back(tmp_path: Path):
    under = (Override("profile", step=2, at=NOON, step_since=NOON, revision=1),)
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=STEPPED), overrides=under)
    rollout_rig.leads = False
    await rollout_rig.seconds(90, **FINE)
    led = rollout_rig.weight()
    rollout_rig.leads = True
    await rollout_rig.seconds(2, **FINE)
    leading = rollout_rig.weight()
    rollout_rig.leads = False

    await rollout_rig.seconds(20, modern=50, errors=50, legacy=50)

    assert (led, leading) == (10.0, 50.0)
    assert rollout_rig.override().rolled_back


async def test_a_step_waits_for_the_data_behind_the_route_and_a_person_is_told_once(tmp_path: Path):
    under = (Override("profile", step=2, at=NOON, step_since=NOON, revision=1),)
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=STEPPED), overrides=under)
    reasons = ["table users differs"]
    rollout_rig.verbs.withheld = lambda _route: "".join(reasons)
    await rollout_rig.seconds(90, **FINE)
    waiting, told = rollout_rig.weight(), [fields for event, fields in rollout_rig.told if event == "alert"]
    reasons.clear()

    await rollout_rig.seconds(2, **FINE)

    assert (waiting, rollout_rig.weight()) == (10.0, 50.0)
    assert [(one["reason"], one["detail"]) for one in told] == [("data", "table users differs")]


async def test_what_older_generations_did_does_not_count_after_a_resume(tmp_path: Path):
    back = Override("profile", rolled_back=True, reason="errors", at=1.0, revision=1)
    rollout_rig = RolloutRig(tmp_path, overrides=(back,))
    await rollout_rig.verbs.resume("profile", "ann", "mended")

    await rollout_rig.seconds(5, modern=50, errors=50, generation=1)

    assert rollout_rig.weight() == 50.0


async def test_the_guard_keeps_watching_when_everybody_is_on_modern(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=Rollout(weight=100.0)))
    await rollout_rig.seconds(5, modern=100)

    await rollout_rig.seconds(4, modern=100, errors=50)

    assert rollout_rig.weight() == 0.0


async def test_a_broken_invariant_acts_as_soon_as_it_is_confirmed(tmp_path: Path):
    judged = Compared()
    route = snapshots.route("/profile", name="profile", rollout=Rollout(weight=50.0), shadow=ShadowPolicy(sample=1.0))
    rollout_rig = RolloutRig(tmp_path, route, judged=judged)
    judged.broken = (Violation("totals", "rollback", 1, "10.00 is not 10.01"),)

    for _ in range(3):
        rollout_rig.rollout_controller.violated("profile", "totals", "rollback", "10.00 is not 10.01", "pair-1")

    assert (rollout_rig.weight(), rollout_rig.override().reason) == (0.0, "invariant")
    assert await rollout_rig.events() == ["invariant", "rollback"]


async def test_answers_that_differ_too_often_send_everybody_back(tmp_path: Path):
    judged = Compared()
    route = snapshots.route("/profile", name="profile", rollout=Rollout(weight=50.0), shadow=ShadowPolicy(sample=1.0))
    rollout_rig = RolloutRig(tmp_path, route, judged=judged)
    judged.tally = ComparedTally(equal=400, different=40, eligible=440)

    await rollout_rig.seconds(2, **FINE)

    assert (rollout_rig.weight(), rollout_rig.override().reason) == (0.0, "mismatch")


async def test_the_status_tells_how_ready_a_mirrored_route_is_with_what_is_not_explained(tmp_path: Path):
    judged = Compared()
    route = snapshots.route("/profile", name="profile", rollout=Rollout(weight=50.0), shadow=ShadowPolicy(sample=1.0))
    rollout_rig = RolloutRig(tmp_path, route, judged=judged)
    judged.tally, judged.groups = ComparedTally(equal=1000, eligible=1250), 3

    await rollout_rig.seconds(2, **FINE)

    told = rollout_rig.rollout_controller.standing("profile")["readiness"]
    assert (told["compared"], told["coverage"], told["open_groups"]) == (1000, 0.8, 3)
    assert told["never_compared"] == ("DELETE /profile 2xx",)


async def test_pairs_where_only_modern_failed_accuse_it(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=Rollout(weight=50.0)))
    pairs = PairCounts("profile", 1, both_fine=20, modern_failed=10)

    await rollout_rig.seconds(5, modern=30, errors=10, legacy=30, pairs=pairs)

    assert rollout_rig.weight() == 0.0


async def test_a_fault_with_one_route_is_told_once_and_does_not_leave_the_others_alone(tmp_path: Path):
    class Clumsy(NothingJudged):
        def counts(self, route: str) -> ComparedTally:
            if route == "broken":
                raise KeyError(route)
            return ComparedTally()

    rollout_rig = RolloutRig(tmp_path, a_route("broken"), a_route("profile"), judged=Clumsy())

    await rollout_rig.seconds(5, modern=50, errors=25, legacy=50)

    assert (rollout_rig.weight("broken"), rollout_rig.weight("profile")) == (50.0, 0.0)
    assert [fields["where"] for event, fields in rollout_rig.told if event == "unexpected"] == ["guard of broken"]


# ── a worker's own trip ──


async def test_a_trip_of_one_worker_sends_everybody_back(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)

    rollout_rig.guard.apply_local_rollback(3, Trip("profile", 1, 1.0, '{"failures": 5}'))

    assert (rollout_rig.weight(), rollout_rig.override().reason) == (0.0, "consecutive")
    assert await rollout_rig.events() == ["trip", "rollback"]


async def test_what_a_worker_saw_is_told_in_words(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    saw = '{"failures": 5, "seconds": 0.03, "kinds": {"500": 4, "reset": 1}, "legacy": {"answers": 7, "failed": 0}}'

    rollout_rig.guard.apply_local_rollback(3, Trip("profile", 1, 1.0, saw))

    said = "5 failures in a row within 0.03 s (500 x 4, reset x 1); legacy failed 0 of 7 meanwhile"
    assert orjson.loads(rollout_rig.override().evidence)["detail"] == said


async def test_a_trip_on_which_no_worker_has_acted_changes_nothing_that_is_only_observed(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(on_breach="observe"))

    rollout_rig.guard.apply_local_rollback(3, Trip("profile", 1, 1.0, "{}", acted=False))

    assert rollout_rig.verbs.override("profile") is None
    assert (rollout_rig.effects, await rollout_rig.events()) == ([], ["trip"])


async def test_a_trip_that_the_policy_does_not_want_is_taken_back_by_a_newer_revision(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(on_breach="observe"))

    rollout_rig.guard.apply_local_rollback(3, Trip("profile", 1, 1.0, "{}"))

    assert (rollout_rig.weight(), rollout_rig.override().revision) == (50.0, 1)
    assert len(rollout_rig.effects) == 1


async def test_a_trip_from_before_the_last_change_is_no_news(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.verbs.weight("profile", 40, "ann", "")

    rollout_rig.guard.apply_local_rollback(3, Trip("profile", 1, 1.0, "{}", revision=0))

    assert rollout_rig.weight() == 40.0
