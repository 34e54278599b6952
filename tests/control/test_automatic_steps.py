"""Steps advance by themselves where nothing withholds them; the clock is turned by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxy.storage.store import MemoryStore, StoreError
from rules.model import Override, Rollout, Step
from tests.support.rollout_rig import RolloutRig, a_route

FIVE = Rollout(
    steps=(Step(0.0, 60.0), Step(10.0, 60.0, 100), Step(50.0, 60.0), Step(90.0, 60.0, manual=True), Step(100.0))
)
"""The classic phases."""
FINE: dict[str, Any] = {"modern": 50, "legacy": 50}


async def test_the_five_phases_go_by_themselves_but_for_the_one_that_a_person_approves(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=FIVE))
    await rollout_rig.verbs.advance("profile", "ann", "begin")
    weights = []
    for _ in range(400):
        await rollout_rig.second(**FINE)
        if rollout_rig.weight() not in weights:
            weights.append(rollout_rig.weight())
    waits = rollout_rig.guard.moves["profile"]

    await rollout_rig.verbs.advance("profile", "ann", "approved")

    assert weights == [0.0, 10.0, 50.0, 90.0]
    assert (waits.kind, waits.reason) == ("ask", "approval")
    assert rollout_rig.weight() == 100.0


async def test_a_step_takes_its_time_and_its_requests(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=FIVE))
    await rollout_rig.verbs.advance("profile", "ann", "")
    await rollout_rig.verbs.advance("profile", "ann", "")

    await rollout_rig.seconds(59, modern=1, legacy=50)
    early = rollout_rig.guard.moves["profile"].reason
    await rollout_rig.seconds(30, modern=1, legacy=50)
    few = rollout_rig.guard.moves["profile"].reason
    await rollout_rig.seconds(3, modern=50, legacy=50)

    assert (early, few) == ("baking", "too_little")
    assert rollout_rig.weight() == 50.0


async def test_no_traffic_is_no_pass(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=FIVE))
    await rollout_rig.verbs.advance("profile", "ann", "")
    await rollout_rig.verbs.advance("profile", "ann", "")

    await rollout_rig.seconds(300)

    assert rollout_rig.override().step == 2
    assert rollout_rig.guard.moves["profile"].reason == "too_little"


async def test_a_held_route_takes_no_step_and_goes_on_after_a_resume(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=FIVE))
    for _ in range(2):
        await rollout_rig.verbs.advance("profile", "ann", "")
    await rollout_rig.verbs.hold("profile", "ann", "lunch")
    await rollout_rig.seconds(100, **FINE)
    during = rollout_rig.weight()

    await rollout_rig.verbs.resume("profile", "ann", "back")
    await rollout_rig.seconds(62, **FINE)

    assert (during, rollout_rig.weight()) == (10.0, 50.0)


async def test_steps_go_on_where_they_were_after_a_restart(tmp_path: Path):
    first = RolloutRig(tmp_path, a_route(rollout=FIVE))
    for _ in range(2):
        await first.verbs.advance("profile", "ann", "")
    await first.seconds(40, **FINE)

    second = RolloutRig(tmp_path, a_route(rollout=FIVE), overrides=(first.override(),))
    second.wall.turn(40)
    await second.seconds(21, **FINE)

    assert second.weight() == 50.0


async def test_a_step_that_the_store_does_not_take_is_not_taken_and_tried_again(tmp_path: Path):
    class Down(MemoryStore):
        down = False

        async def put(self, override: Override, expected: int | None = None) -> Override:
            if self.down:
                raise StoreError("gone")
            return await super().put(override, expected)

    store = Down()
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=FIVE), store=store)
    for _ in range(2):
        await rollout_rig.verbs.advance("profile", "ann", "")
    await rollout_rig.writer.flush()
    store.down = True
    await rollout_rig.seconds(70, **FINE)
    during = rollout_rig.weight()

    store.down = False
    await rollout_rig.seconds(2, **FINE)

    assert (during, rollout_rig.weight()) == (10.0, 50.0)


async def test_whoever_has_to_approve_is_told_once_however_long_it_takes_and_again_at_the_next_step(tmp_path: Path):
    patient = Rollout(steps=(Step(10.0, 5.0, manual=True), Step(50.0, 5.0, manual=True), Step(100.0)))
    rollout_rig = RolloutRig(tmp_path, a_route(rollout=patient))
    await rollout_rig.verbs.advance("profile", "ann", "begin")
    await rollout_rig.seconds(10, **FINE)
    for _ in range(20):
        rollout_rig.turn(700)
        await rollout_rig.seconds(6, **FINE)
    over_night = await rollout_rig.events()

    await rollout_rig.verbs.advance("profile", "ann", "good morning")
    await rollout_rig.seconds(10, **FINE)

    assert over_night == ["advance", "hold"]
    assert await rollout_rig.events() == ["advance", "hold", "advance", "hold"]
