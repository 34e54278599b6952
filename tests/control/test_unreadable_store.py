"""Actions while the store cannot be read stay in effect when it can be read again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.control.override_changes import cautious
from proxy.storage.store import MemoryStore, StoreError
from rules.model import Override
from tests.support import snapshots
from tests.support.rollout_rig import RolloutRig, a_route
from tests.support.waiting import until

SET = Override("profile", weight=80.0, who="ann", text="last week", at=1.0, revision=5)


class Unreadable(MemoryStore):
    """A store that answers from `there` on."""

    there = False

    async def overrides(self) -> tuple[Override, ...]:
        self._look()
        return await super().overrides()

    async def put(self, override: Override, expected: int | None = None) -> Override:
        self._look()
        return await super().put(override, expected)

    def _look(self) -> None:
        if not self.there:
            raise StoreError("gone")


async def begun(folder: Path, kept: tuple[Override, ...]) -> tuple[RolloutRig, Unreadable, list[asyncio.Task[None]]]:
    """A proxy that began without its store: all users are on legacy until it answers."""
    store = Unreadable(kept)
    blank = snapshots.snapshot({"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}, routes=[a_route()])
    rollout_rig = RolloutRig(folder, overrides=tuple(cautious(blank)), store=store)
    tasks: list[asyncio.Task[None]] = []
    rollout_rig.rollout_controller.begin(lambda work, _: tasks.append(asyncio.create_task(work())))
    await until(lambda: not rollout_rig.writer.up, "a store that is down")
    return rollout_rig, store, tasks


async def stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kept", [(), (SET,)], ids=["nothing-kept", "a-weight-kept"])
async def test_a_rollback_that_somebody_asked_for_meanwhile_stays(tmp_path: Path, kept: tuple[Override, ...]):
    rollout_rig, store, tasks = await begun(tmp_path, kept)
    await rollout_rig.verbs.roll_back("profile", "ann", "I do not trust it")
    store.there = True
    await until(lambda: rollout_rig.writer.up and not rollout_rig.writer.waiting, "everything written")
    await stopped(tasks)
    (found,) = await store.overrides()

    assert rollout_rig.weight() == 0.0
    assert (rollout_rig.override().reason, rollout_rig.override().text) == ("manual", "I do not trust it")
    assert (found.rolled_back, found.reason, found.text) == (True, "manual", "I do not trust it")


async def test_what_only_waited_for_the_store_is_as_the_store_has_it(tmp_path: Path):
    rollout_rig, store, tasks = await begun(tmp_path, (SET,))
    before = rollout_rig.weight()
    store.there = True
    await until(lambda: rollout_rig.weight() > 0, "the weight of last week")
    await stopped(tasks)

    assert (before, rollout_rig.weight()) == (0.0, 80.0)
