"""Sending users back never waits; sending them forward waits for the store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.control.errors import RefusedError
from proxy.control.route_actions import INCIDENT_GAP, sent_back_in_this_incident
from proxy.storage.store import MemoryStore, StoreError
from rules.model import Override, Rollout, Step
from tests.support.rollout_rig import RolloutRig, a_route
from tests.support.waiting import until

BACK = Override("profile", rolled_back=True, reason="errors", who="guard", at=1.0, revision=3)


class Sluggish(MemoryStore):
    """A store that answers when released, or fails when set to."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()
        self.down = False
        self.asked = 0

    async def put(self, override: Override, expected: int | None = None) -> Override:
        self.asked += 1
        await self.let.wait()
        if self.down:
            raise StoreError("gone")
        return await super().put(override, expected)


class Turnstile(MemoryStore):
    """A store that writes once for each `turn` that is released."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = Turns(0)
        self.asked = 0

    async def put(self, override: Override, expected: int | None = None) -> Override:
        self.asked += 1
        await self.turn.acquire()
        return await super().put(override, expected)


class Turns(asyncio.Semaphore):
    """A semaphore of which several places are given at once."""

    def release(self, many: int = 1) -> None:
        for _ in range(many):
            super().release()


async def test_who_and_why_are_kept_with_what_was_done(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)

    await rollout_rig.verbs.weight("profile", 12.5, "ann", "a try")
    event = (await rollout_rig.trail.since(-1, 1))[0]

    assert rollout_rig.weight() == 12.5
    assert (rollout_rig.override().who, rollout_rig.override().text) == ("ann", "a try")
    assert (event.event, event.route, event.who, event.reason) == ("weight", "profile", "ann", "a try")


async def test_a_rollback_is_in_effect_before_anybody_has_written_anything(tmp_path: Path):
    store = Sluggish()
    store.let.clear()
    rollout_rig = RolloutRig(tmp_path, store=store)

    rollout_rig.verbs.roll_back_now(("profile",), "guard", "errors", '{"a": 1}', cause="errors")

    assert rollout_rig.weight() == 0.0
    assert store.asked == 0
    assert (rollout_rig.override().reason, rollout_rig.override().evidence) == ("errors", '{"a": 1}')


async def test_a_rollback_is_written_again_and_again_until_it_is(tmp_path: Path):
    store = Sluggish()
    store.down = True
    rollout_rig = RolloutRig(tmp_path, store=store)
    writing = asyncio.create_task(rollout_rig.writer.run())
    await rollout_rig.verbs.roll_back("profile", "ann", "stop")

    await until(lambda: store.asked >= 2, "a second try")
    up_then = rollout_rig.writer.up
    store.down = False
    await until(lambda: not rollout_rig.writer.waiting, "the write")
    writing.cancel()

    assert (up_then, rollout_rig.writer.up) == (False, True)
    assert [kept.rolled_back for kept in await store.overrides()] == [True]
    assert [event.event for event in await store.events()] == ["rollback"]


async def test_nobody_is_sent_forward_while_the_store_does_not_answer(tmp_path: Path):
    store = Sluggish()
    store.down = True
    rollout_rig = RolloutRig(tmp_path, store=store)

    with pytest.raises(RefusedError) as refused:
        await rollout_rig.verbs.weight("profile", 60, "ann", "")

    assert (refused.value.status, rollout_rig.weight()) == (503, 50.0)
    assert await rollout_rig.events() == []


async def test_a_smaller_weight_or_a_hold_does_not_wait_for_the_store(tmp_path: Path):
    store = Sluggish()
    store.down = True
    rollout_rig = RolloutRig(tmp_path, store=store)

    await rollout_rig.verbs.weight("profile", 10, "ann", "")
    await rollout_rig.verbs.hold("profile", "ann", "")

    assert (rollout_rig.weight(), rollout_rig.override().held) == (10.0, True)
    assert rollout_rig.writer.waiting


async def test_a_rollback_that_comes_while_a_promotion_is_being_written_wins_here_as_in_the_store(tmp_path: Path):
    store = Sluggish()
    rollout_rig = RolloutRig(tmp_path, store=store)
    store.let.clear()
    promotion = asyncio.create_task(rollout_rig.verbs.weight("profile", 90, "ann", ""))
    await until(lambda: store.asked == 1, "the promotion's write")

    await rollout_rig.verbs.roll_back("profile", "bob", "stop")
    store.let.set()
    with pytest.raises(RefusedError) as refused:
        await promotion
    await rollout_rig.writer.flush()

    (kept,) = await store.overrides()
    assert refused.value.status == 409
    assert rollout_rig.weight() == 0.0
    assert (kept.rolled_back, kept.revision) == (True, rollout_rig.override().revision)


async def test_of_two_promotions_at_once_both_are_done_in_order(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)

    await asyncio.gather(
        rollout_rig.verbs.weight("profile", 60, "ann", ""), rollout_rig.verbs.weight("profile", 70, "bob", "")
    )

    (kept,) = await rollout_rig.writer.store.overrides()
    assert (rollout_rig.weight(), kept.weight, kept.revision) == (70.0, 70.0, 2)


async def test_what_another_instance_wrote_is_adopted_and_the_caller_told(tmp_path: Path):
    store = MemoryStore()
    rollout_rig = RolloutRig(tmp_path, store=store)
    await store.put(Override("profile", weight=7.0, who="elsewhere"))

    with pytest.raises(RefusedError, match="changed by somebody else") as refused:
        await rollout_rig.verbs.weight("profile", 90, "ann", "")

    assert (refused.value.status, rollout_rig.weight()) == (409, 7.0)


async def test_a_second_rollback_is_recorded_and_changes_nothing(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    first = await rollout_rig.verbs.roll_back("profile", "guard", "errors", cause="errors")

    second = await rollout_rig.verbs.roll_back("profile", "ann", "to be sure")

    assert second == first
    assert await rollout_rig.events() == ["rollback", "rollback"]


async def test_all_routes_are_rolled_back_in_one_swap(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, *(a_route(f"r{number}") for number in range(20)))

    made = await rollout_rig.verbs.roll_back_all("ann", "stop everything")

    assert len(made) == 20
    assert {rollout_rig.weight(f"r{number}") for number in range(20)} == {0.0}
    assert len(rollout_rig.effects) == 1


async def test_all_routes_are_resumed_in_one_swap_but_for_those_that_the_guard_sent_back(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, *(a_route(name) for name in ("one", "two", "bad", "held", "free")))
    rollout_rig.verbs.roll_back_now(("bad",), "guard", "too many errors", cause="errors")
    await rollout_rig.verbs.roll_back_all("ann", "stop everything")
    await rollout_rig.verbs.resume("held", "ann", "first")
    await rollout_rig.verbs.hold("held", "ann", "let me look")
    before = len(rollout_rig.effects)

    made = await rollout_rig.verbs.resume_all("bob", "the database is back")

    assert {override.route for override in made} == {"one", "two", "free"}
    assert {name: rollout_rig.weight(name) for name in ("one", "two", "bad", "free")} == {
        "one": 50.0,
        "two": 50.0,
        "bad": 0.0,
        "free": 50.0,
    }
    assert rollout_rig.override("held").held
    assert len(rollout_rig.effects) == before + 1
    kept = {override.route: override for override in await rollout_rig.writer.store.overrides()}
    assert not kept["one"].rolled_back
    last = (await rollout_rig.trail.since(-1, 3))[-3:]
    assert {(event.event, event.route, event.who, event.reason) for event in last} == {
        ("resume", name, "bob", "the database is back") for name in ("one", "two", "free")
    }


async def test_what_the_guard_sent_back_in_one_incident_is_resumed_at_once_and_nothing_older(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, *(a_route(name) for name in ("old", "first", "second", "hers")))
    for name, later in (("old", 0), ("first", 3 * INCIDENT_GAP), ("second", INCIDENT_GAP - 1)):
        rollout_rig.turn(later)
        rollout_rig.verbs.roll_back_now((name,), "guard", "too many errors", cause="errors")
    await rollout_rig.verbs.roll_back("hers", "ann", "I am looking at it")

    would = sent_back_in_this_incident(rollout_rig.reloader.current.generation)
    made = await rollout_rig.verbs.resume_all("bob", "the database is back", sent_back_in_this_incident)

    assert {one.route for one in would} == {one.route for one in made} == {"first", "second"}
    assert [rollout_rig.override(name).rolled_back for name in ("old", "hers")] == [True, True]


async def test_nothing_is_resumed_while_the_store_does_not_answer(tmp_path: Path):
    store = Sluggish()
    rollout_rig = RolloutRig(tmp_path, a_route("one"), a_route("two"), store=store)
    await rollout_rig.verbs.roll_back_all("ann", "stop everything")
    await rollout_rig.writer.flush()
    store.down = True

    with pytest.raises(RefusedError) as refused:
        await rollout_rig.verbs.resume_all("ann", "on we go")

    assert (refused.value.status, rollout_rig.weight("one"), rollout_rig.weight("two")) == (503, 0.0, 0.0)


async def test_a_rollback_that_comes_while_all_are_being_resumed_stands(tmp_path: Path):
    store = Sluggish()
    rollout_rig = RolloutRig(tmp_path, a_route("one"), a_route("two"), store=store)
    await rollout_rig.verbs.roll_back_all("ann", "stop everything")
    await rollout_rig.writer.flush()
    asked = store.asked
    store.let.clear()
    resuming = asyncio.create_task(rollout_rig.verbs.resume_all("ann", "on we go"))
    await until(lambda: store.asked == asked + 1, "the first write")

    rollout_rig.verbs.outvote("one")
    store.let.set()
    with pytest.raises(RefusedError) as refused:
        await resuming

    assert refused.value.status == 409
    assert (rollout_rig.weight("one"), rollout_rig.weight("two")) == (0.0, 0.0)


async def test_a_route_rolled_back_while_the_others_are_being_resumed_stays_so(tmp_path: Path):
    store = Turnstile()
    rollout_rig = RolloutRig(tmp_path, a_route("one"), a_route("two"), store=store)
    store.turn.release(2)
    await rollout_rig.verbs.roll_back_all("ann", "stop everything")
    await rollout_rig.writer.flush()
    resuming = asyncio.create_task(rollout_rig.verbs.resume_all("bob", "on we go"))
    store.turn.release()
    await until(lambda: store.asked == 4, "the write of the second")

    rolling = asyncio.create_task(rollout_rig.verbs.roll_back("one", "ann", "not this one"))
    await asyncio.sleep(0)
    store.turn.release(2)
    made = await resuming
    await rolling
    await rollout_rig.writer.flush()

    kept = {override.route: override.rolled_back for override in await store.overrides()}
    assert [override.route for override in made] == ["two"]
    assert (rollout_rig.weight("one"), rollout_rig.weight("two")) == (0.0, 50.0)
    assert kept == {"one": True, "two": False}


@pytest.mark.parametrize("everything", [False, True])
async def test_a_rollback_said_again_while_a_resume_is_being_written_stands(tmp_path: Path, *, everything: bool):
    store = Sluggish()
    rollout_rig = RolloutRig(tmp_path, store=store)
    await rollout_rig.verbs.roll_back("profile", "ann", "stop")
    await rollout_rig.writer.flush()
    store.let.clear()
    verbs = rollout_rig.verbs
    resuming = asyncio.create_task(
        verbs.resume_all("bob", "on we go") if everything else verbs.resume("profile", "bob", "on we go")
    )
    await until(lambda: store.asked == 2, "the resume's write")

    rolling = asyncio.create_task(verbs.roll_back("profile", "ann", "no, stay"))
    await asyncio.sleep(0)
    store.let.set()
    await rolling
    with pytest.raises(RefusedError) as refused:
        await resuming
    await rollout_rig.writer.flush()

    (kept,) = await store.overrides()
    assert refused.value.status == 409
    assert (rollout_rig.weight(), kept.rolled_back) == (0.0, True)


async def test_a_resume_begins_a_fresh_window(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, overrides=(BACK,))
    rollout_rig.saw(modern=10, errors=10, generation=1)

    await rollout_rig.verbs.resume("profile", "ann", "mended")
    rollout_rig.saw(modern=5, errors=5, generation=1)
    rollout_rig.saw(modern=3)

    assert rollout_rig.weight() == 50.0
    assert rollout_rig.figures.lately("profile", "modern", int(rollout_rig.clock())).requests == 3


async def test_a_weight_does_not_begin_a_fresh_window(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    rollout_rig.saw(modern=10)

    await rollout_rig.verbs.weight("profile", 60, "ann", "")
    rollout_rig.saw(modern=5, generation=1)

    assert rollout_rig.figures.lately("profile", "modern", int(rollout_rig.clock())).requests == 15


async def test_a_change_of_one_route_says_nothing_of_another(tmp_path: Path):
    steps = Rollout(steps=(Step(5.0, 60.0), Step(100.0)))
    rollout_rig = RolloutRig(tmp_path, a_route("one"), a_route("two", rollout=steps))

    await rollout_rig.verbs.advance("two", "ann", "")
    await rollout_rig.verbs.roll_back("one", "ann", "stop")

    assert (rollout_rig.weight("one"), rollout_rig.weight("two")) == (0.0, 5.0)


async def test_every_change_is_counted(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.verbs.weight("profile", 20, "ann", "")
    await rollout_rig.verbs.roll_back("profile", "guard", "p95", cause="p95")

    series = rollout_rig.rollout_controller.series()

    assert series["strangler_route_changes_total", ("profile", "weight")] == (1.0,)
    assert series["strangler_rollbacks_total", ("profile", "p95")] == (1.0,)
