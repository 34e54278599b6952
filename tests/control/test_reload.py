"""A reload never undoes what was set at run time, not even what is set in the middle of it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from proxy.control.reload import SETTLED_WITHIN, settled
from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import GREETED, Applied, Ask, Commit, Effects, Hello, Message, Prepare, Prepared
from proxy.state.live import unpack, unpack_effects
from rules.model import Rollout
from tests.support.rollout_rig import RolloutRig, a_route
from tests.support.running import config
from tests.support.waiting import until


class Builder:
    """A worker that takes its time to build: `meanwhile` happens before its first answer."""

    def __init__(self, rollout_rig: RolloutRig, meanwhile) -> None:
        self.heard: list[Message] = []
        self._meanwhile = meanwhile
        ours, theirs = socket.socketpair()
        self.channel = Channel(theirs, WORKER, self._hear, lambda _: None)
        rollout_rig.workers.attach((0, 1), ours)
        self.channel.send(Hello(0, 1, 1, 1))

    def _hear(self, message: Message, _: tuple[int, ...]) -> None:
        if message == Ask(GREETED):
            return
        self.heard.append(message)
        match message:
            case Prepare():
                meanwhile, self._meanwhile = self._meanwhile, lambda: None
                meanwhile()
                self.channel.send(Prepared(message.generation, ""))
            case Commit() | Effects():
                self.channel.send(Applied(message.generation))

    @property
    def kinds(self) -> list[str]:
        return [type(message).__name__ for message in self.heard]


async def test_a_rollback_in_the_middle_of_a_reload_is_in_effect_before_it_as_after_it(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    (tmp_path / "proxy.yaml").write_text(config("http://127.0.0.1:1", weight=100))
    builder = Builder(
        rollout_rig, lambda: rollout_rig.verbs.roll_back_now(("profile",), "guard", "errors", cause="errors")
    )
    await until(lambda: rollout_rig.workers.running(0) == 1, "the worker")

    outcome = await rollout_rig.reloader.reload("test")
    builder.channel.close()
    rollout_rig.workers.close()

    numbers = [message.generation for message in builder.heard if not isinstance(message, Commit)]
    last = [message for message in builder.heard if isinstance(message, Prepare)][-1]
    (effects,) = [message for message in builder.heard if isinstance(message, Effects)]
    assert outcome.changed
    assert builder.kinds == ["Prepare", "Effects", "Prepare", "Commit"]
    assert numbers == sorted(set(numbers))
    assert [override.rolled_back for override in unpack_effects(effects.payload).overrides] == [True]
    assert [override.rolled_back for override in unpack(last.payload).overrides] == [True]
    assert rollout_rig.weight() == 0.0
    assert outcome.current.configuration.snapshot.routes[0].rollout.weight == 100.0
    assert rollout_rig.reloader.current.configuration.number == last.generation


async def test_a_file_that_is_refused_changes_nothing_of_what_is_set(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.verbs.weight("profile", 20, "ann", "")
    (tmp_path / "proxy.yaml").write_text("version: 7\n")

    outcome = await rollout_rig.reloader.reload("test")

    assert not outcome.ok
    assert rollout_rig.weight() == 20.0


async def test_a_held_route_stays_where_it_is_when_the_file_says_more_and_follows_it_down(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path)
    await rollout_rig.verbs.hold("profile", "ann", "let me look")
    weights = []
    for weight in (90, 5, 90):
        (tmp_path / "proxy.yaml").write_text(config("http://127.0.0.1:1", weight=weight))
        await rollout_rig.reloader.reload("test")
        weights.append(rollout_rig.weight())

    await rollout_rig.verbs.resume("profile", "ann", "looked")

    assert weights == [50.0, 5.0, 50.0]
    assert rollout_rig.weight() == 90.0


async def test_a_start_under_a_file_that_says_more_leaves_a_held_route_where_it_was(tmp_path: Path):
    before = RolloutRig(tmp_path, a_route(rollout=Rollout(weight=20.0)))
    await before.verbs.hold("profile", "ann", "let me look")
    await before.writer.flush()

    kept = await before.writer.store.overrides()
    after = RolloutRig(tmp_path, a_route(rollout=Rollout(weight=90.0)), overrides=kept)

    assert after.weight() == 20.0


async def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path):
    path = tmp_path / "proxy.yaml"
    pieces = ["version: 1\n", "backends: {}\n", "routes: []\n"]
    path.write_text("")
    left = list(pieces)

    async def pause(_: float) -> None:
        if left:
            with path.open("a") as file:
                file.write(left.pop(0))

    await settled(path, pause)

    assert path.read_text() == "".join(pieces)


async def test_a_file_that_is_written_for_ever_and_one_that_is_gone_are_read_all_the_same(tmp_path: Path):
    path = tmp_path / "proxy.yaml"
    waited = []

    async def write(seconds: float) -> None:
        waited.append(seconds)
        path.write_text("#" * len(waited))

    async def nothing(_: float) -> None:
        waited.append(0)

    await settled(path, write)
    assert sum(waited) == pytest.approx(SETTLED_WITHIN)

    path.unlink()
    waited.clear()
    await settled(path, nothing)
    assert waited == [0]
