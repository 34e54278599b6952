"""A worker goes from one generation to the next without a gap, never backwards."""

from __future__ import annotations

import socket

import pytest

from proxy.app.adopting import Adopting, build
from proxy.link.channel import Channel
from proxy.link.messages import Applied, Commit, Message, Prepare, Prepared
from proxy.link.wires import WORKER
from proxy.state.configuration import Configuration
from proxy.state.live import Live
from rules.model import Generation
from tests.support import snapshots
from tests.support.waiting import until


def configuration(number: int, *names: str) -> Configuration:
    routes = [snapshots.route(f"/{name}", name=name) for name in names]
    backends = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
    return Configuration(number, snapshots.snapshot(backends, routes=routes))


class Stand:
    def __init__(self) -> None:
        self.live = Live(build(configuration(1, "old")))
        self.refreshed: list[Generation] = []
        self.told: list[str] = []
        self.adopting = Adopting(self.live, lambda event, *_, **__: self.told.append(event), self.refreshed.append)
        ours, theirs = socket.socketpair()
        self.heard: list[Message] = []
        self.link = Channel(ours, WORKER, lambda *_: None, lambda _: None)
        self.far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)

    async def prepare(self, number: int, *names: str) -> None:
        await self.adopting.prepare(Prepare(number, configuration(number, *names).pack()), self.link)

    def commit(self, number: int) -> None:
        self.adopting.commit(Commit(number), self.link)

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
    await until(lambda: stand.heard == [Prepared(2, ""), Applied(2)], "both answers")


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
