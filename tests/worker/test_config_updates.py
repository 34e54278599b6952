"""A worker goes from one generation to the next without a gap, never backwards."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Applied, Commit, Effects, Message, Prepare, Prepared
from proxy.state.live import Configuration, Live, RunTime
from proxy.worker.config_updates import ConfigUpdates, build
from rules.model import Override
from rules.routing.decide import Generation
from tests.support import snapshots
from tests.support.waiting import until


def configuration(number: int, *names: str) -> Configuration:
    routes = [snapshots.route(f"/{name}", name=name) for name in names]
    backends = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
    return Configuration(number, snapshots.snapshot(backends, routes=routes))


class Stand:
    def __init__(self) -> None:
        self.live = Live(build(configuration(1, "old")))
        self.first = self.live.generation.snapshot
        self.refreshed: list[Generation] = []
        self.told: list[str] = []
        self.adopting = ConfigUpdates(self.live, lambda event, *_, **__: self.told.append(event), self.refreshed.append)
        ours, theirs = socket.socketpair()
        self.heard: list[Message] = []
        self.link = Channel(ours, WORKER, lambda *_: None, lambda _: None)
        self.far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)

    async def prepare(self, number: int, *names: str) -> None:
        await self.adopting.prepare(Prepare(number, configuration(number, *names).pack()), self.link)

    def commit(self, number: int) -> None:
        self.adopting.commit(Commit(number), self.link)

    def effects(self, number: int, *overrides: Override) -> None:
        self.adopting.apply_overrides(Effects(number, RunTime(number, overrides).pack()), self.link)

    def weight(self, route: str) -> float:
        compiled = self.live.generation.table.compiled_route_of(route)
        assert compiled is not None
        return compiled.weight

    @property
    def running(self) -> tuple[int, list[str]]:
        generation = self.live.generation
        return generation.number, [route.name for route in generation.snapshot.routes]

    def close(self) -> None:
        self.link.close()
        self.far.close()


@pytest.fixture
async def stand():
    stand = Stand()
    yield stand
    stand.close()


async def test_preparing_changes_nothing_and_committing_changes_all_at_once(stand: Stand):
    await stand.prepare(2, "new")
    before = stand.running
    stand.commit(2)

    assert before == (1, ["old"])
    assert stand.running == (2, ["new"])
    assert [generation.number for generation in stand.refreshed] == [2]
    await until(lambda: stand.heard == [Prepared(2, ""), Applied(2, 2)], "both answers")


async def test_a_commit_that_overtakes_its_preparation_waits_for_it(stand: Stand):
    stand.commit(2)
    still = stand.running
    await stand.prepare(2, "new")

    assert still == (1, ["old"])
    assert stand.running == (2, ["new"])


async def test_a_generation_that_cannot_be_built_leaves_the_old_one_and_says_why(stand: Stand):
    await stand.adopting.prepare(Prepare(2, b'{"number": "two"}'), stand.link)
    stand.commit(2)

    assert stand.running == (1, ["old"])
    assert stand.told == ["generation_refused"]
    await until(lambda: stand.heard, "the answer")
    (answer,) = stand.heard
    assert isinstance(answer, Prepared)
    assert "Configuration.number" in answer.error


async def test_a_worker_finds_what_it_could_not_bind_before_it_says_that_it_is_ready(stand: Stand):
    broken = configuration(2, "new")
    modern = replace(broken.snapshot.routes[0].modern, response_json="{a: b")
    routes = (replace(broken.snapshot.routes[0], modern=modern),)
    payload = replace(broken, snapshot=replace(broken.snapshot, routes=routes)).pack()

    await stand.adopting.prepare(Prepare(2, payload), stand.link)
    stand.commit(2)
    await until(lambda: stand.heard, "the answer")

    (answer,) = stand.heard
    assert isinstance(answer, Prepared)
    assert answer.error.startswith("`{a: b` is no JMESPath")
    assert stand.running == (1, ["old"])


async def test_generations_never_go_backwards(stand: Stand):
    await stand.prepare(5, "newest")
    stand.commit(5)
    await stand.prepare(4, "stale")
    stand.commit(4)

    assert stand.running == (5, ["newest"])


async def test_a_commit_for_another_number_is_not_taken_for_this_one(stand: Stand):
    await stand.prepare(2, "new")
    stand.commit(3)

    assert stand.running == (1, ["old"])


def back(route: str, revision: int = 1) -> Override:
    return Override(route, rolled_back=True, reason="errors", revision=revision)


def test_what_is_set_at_run_time_is_in_effect_at_once_on_the_file_that_runs(stand: Stand):
    stand.effects(2, back("old"))

    assert stand.running == (2, ["old"])
    assert stand.weight("old") == 0.0
    assert stand.live.generation.snapshot is stand.first


def test_older_words_about_the_run_time_change_nothing(stand: Stand):
    stand.effects(3, back("old"))

    stand.effects(2)

    assert (stand.running[0], stand.weight("old")) == (3, 0.0)


async def test_a_file_that_was_being_built_meanwhile_comes_with_what_was_set_since(stand: Stand):
    await stand.prepare(2, "old", "new")
    stand.effects(3, back("old"))

    stand.commit(2)

    assert stand.running == (3, ["old", "new"])
    assert (stand.weight("old"), stand.weight("new")) == (0.0, 100.0)


async def test_a_newer_file_brings_its_own_overrides(stand: Stand):
    stand.effects(2, back("old"))
    await stand.prepare(3, "old")

    stand.commit(3)

    assert (stand.running[0], stand.weight("old")) == (3, 100.0)


async def test_a_workers_own_trip_outlives_whatever_control_says_before_it_has_heard_of_it(stand: Stand):
    stand.adopting.roll_back_locally(back("old", revision=0))
    alone = stand.weight("old")
    stand.effects(2)
    unaware = stand.weight("old")
    await stand.prepare(3, "old", "new")
    stand.commit(3)

    assert (alone, unaware, stand.weight("old")) == (0.0, 0.0, 0.0)
    assert [trip.route for trip in stand.adopting.local_rollbacks] == ["old"]


async def test_a_file_that_cannot_be_bound_is_refused_and_overrides_still_take_effect(stand: Stand):
    """A follower that fails at the swap itself, as when a file of certificates has gone meanwhile."""

    def follower(_: Generation, new: Generation) -> None:
        if new.snapshot is not stand.first:
            raise OSError("gone meanwhile")

    stand.live.subscribe(follower)
    await stand.prepare(2, "old")
    stand.commit(2)
    refused = stand.running
    stand.effects(3, back("old"))

    assert refused == (1, ["old"])
    assert (stand.running, stand.weight("old")) == ((3, ["old"]), 0.0)
    assert stand.told == ["generation_refused"]
    await until(lambda: len(stand.heard) == 3, "all answers")
    assert stand.heard == [Prepared(2, ""), Prepared(2, "OSError('gone meanwhile')"), Applied(3, 1)]


async def test_a_commit_that_comes_again_is_confirmed_again(stand: Stand):
    await stand.prepare(2, "new")
    stand.commit(2)
    stand.commit(2)

    await until(lambda: stand.heard == [Prepared(2, ""), Applied(2, 2), Applied(2, 2)], "both confirmations")


def test_control_has_the_last_word_about_a_trip(stand: Stand):
    stand.adopting.roll_back_locally(back("old", revision=1))

    stand.effects(2, Override("old", revision=2))

    assert stand.weight("old") == 100.0
    assert stand.adopting.local_rollbacks == ()
