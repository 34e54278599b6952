"""What of legacy may be deleted is reported once modern has served everything long enough, restarts included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from proxy.control.retirement import Retirements
from proxy.storage.store import MemoryStore, Store, StoreError
from rules.model import Fallback, Rollout
from tests.support.rollout_rig import RolloutRig, a_route

DAY = 86_400.0
ALL = replace(a_route(rollout=Rollout(weight=100.0)), fallback=Fallback("none"))


def retiring(rollout_rig: RolloutRig, store: Store, groups: int = 0) -> Retirements:
    return Retirements(
        lambda: rollout_rig.reloader.current, rollout_rig.figures, lambda _: groups, store, rollout_rig.wall
    )


async def told(rollout_rig: RolloutRig, store: Store, **more: Any) -> dict[str, Any]:
    made = retiring(rollout_rig, store, **more)
    await made.remember()
    found = made.document("profile")
    assert found is not None
    return found


async def test_a_week_with_traffic_and_without_a_difference_is_enough_across_a_restart(tmp_path: Path):
    store = MemoryStore(())
    first = RolloutRig(tmp_path, ALL)
    begun = await told(first, store)

    second = RolloutRig(tmp_path, ALL)
    second.turn(8 * DAY)
    made = retiring(second, store)
    await made.remember()
    second.saw(modern=5000)
    after = made.document("profile")

    assert begun["safe"] is False
    assert "7.0 more quiet days" in begun["waits_for"]
    assert after is not None
    assert (after["safe"], round(after["quiet_days"]), after["since"]) == (True, 8, begun["since"])


async def test_what_legacy_answered_before_does_not_count_and_what_it_answers_since_does(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, replace(ALL, rollout=Rollout(weight=50.0)))
    made = retiring(rollout_rig, MemoryStore(()))
    rollout_rig.saw(legacy=300, modern=300)
    made.look()
    before = made.document("profile")
    await rollout_rig.verbs.weight("profile", 100.0, "ann", "all")
    made.look()
    moved = made.document("profile")
    rollout_rig.turn(1)
    rollout_rig.saw(legacy=2)
    after = made.document("profile")

    assert before is None
    assert moved is not None
    assert not [why for why in moved["waits_for"] if "legacy" in why]
    assert after is not None
    assert "legacy still answered 2 requests of it" in after["waits_for"]


async def test_a_way_back_begins_the_wait_anew(tmp_path: Path):
    rollout_rig, store = RolloutRig(tmp_path, ALL), MemoryStore(())
    await told(rollout_rig, store)
    rollout_rig.turn(6 * DAY)
    await rollout_rig.verbs.roll_back("profile", "ann", "odd")
    made = retiring(rollout_rig, store)
    await made.remember()
    during = made.document("profile")
    await rollout_rig.verbs.resume("profile", "ann", "mended")
    again = await told(rollout_rig, store)

    assert during is None
    assert again["quiet_days"] == 0.0


async def test_differences_nobody_explained_are_waited_for(tmp_path: Path):
    found = await told(RolloutRig(tmp_path, ALL), MemoryStore(()), groups=3)

    assert "3 groups of differences are not explained" in found["waits_for"]


async def test_a_store_that_is_down_is_asked_again(tmp_path: Path):
    class Down(MemoryStore):
        down = True

        async def value(self, name: str) -> str | None:
            if self.down:
                raise StoreError("gone")
            return await super().value(name)

    store = Down(())
    await store.keep("all_modern_since", '{"profile": 5}')
    made = retiring(RolloutRig(tmp_path, ALL), store)
    await made.remember()
    made.look()
    blind = made.document("profile")
    store.down = False
    await made.remember()
    found = made.document("profile")

    assert blind is not None
    assert blind["quiet_days"] == 0.0
    assert found is not None
    assert found["since"] == "1970-01-01T00:00:05.000Z"
