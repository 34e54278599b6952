"""A worker that does not run what was set gets it again, then is replaced; the status shows effective weights."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from proxy.control.confirmation import Confirmation
from proxy.control.effective import Effective
from proxy.control.reload import Current, current
from proxy.control.worker_links import Workers
from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Applied, Ask, Census, Commit, Effects, Hello, Message, Prepare, Prepared, WorkerState
from proxy.state.live import Configuration
from proxy.telemetry.aggregation import Worker
from rules.model import Override, Rollout
from rules.routing.decide import with_overrides
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.waiting import until


class Stand:
    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.replaced: list[Worker] = []
        self.workers = Workers(Prepare(1, b"one"), lambda _: None, self._emit, clock=self.clock)
        self.confirmation = Confirmation(self.workers, self.replaced.append, self._emit, self.clock)
        self.heard: list[Message] = []
        ours, theirs = socket.socketpair()
        self.channel = Channel(theirs, WORKER, lambda message, _: self._hear(message), lambda _: None)
        self.workers.attach((0, 1), ours)
        self.workers.take_census(Census((WorkerState(0, 1, 99, accepting=True),), 0, 0))

    def _hear(self, message: Message) -> None:
        if not isinstance(message, Ask):
            self.heard.append(message)

    def _emit(self, event: str, _level: str = "info", /, **_: object) -> None:
        self.told.append(event)

    def pass_by(self, seconds: float) -> None:
        """Time passes, with a look every half second."""
        for _ in range(int(seconds * 2)):
            self.clock.turn(0.5)
            self.confirmation.tick()

    def close(self) -> None:
        self.channel.close()
        self.workers.close()


@pytest.fixture
async def stand():
    stand = Stand()
    yield stand
    stand.close()


async def test_a_worker_that_runs_what_was_set_is_left_alone(stand: Stand):
    stand.channel.send(Hello(0, 1, 99, 1, 1))
    await until(lambda: stand.workers.behind() == (), "its hello")

    stand.pass_by(60)

    assert (stand.confirmation.missing, stand.replaced, stand.heard) == ((), [], [])


async def test_one_that_says_much_but_not_that_it_runs_a_rollback_is_asked_again_and_replaced(stand: Stand):
    stand.channel.send(Hello(0, 1, 99, 1, 1))
    await until(lambda: stand.workers.behind() == (), "its hello")
    applied = stand.workers.effect(Effects(2, b"back"))
    stand.confirmation.tick()

    stand.pass_by(1.5)
    early = stand.confirmation.missing
    stand.pass_by(1)
    missing = stand.confirmation.missing
    stand.pass_by(3)
    applied.cancel()
    await until(lambda: len(stand.heard) >= 3, "being asked again")

    assert (early, missing) == ((), (0,))
    assert stand.replaced == [(0, 1)]
    assert set(stand.heard) == {Effects(2, b"back")}
    assert "worker_replaced" in stand.told


async def test_one_that_refuses_a_file_but_obeys_is_asked_again_and_never_replaced(stand: Stand):
    stand.channel.send(Hello(0, 1, 99, 1, 1))
    await until(lambda: stand.workers.behind() == (), "its hello")
    work = Prepare(2, b"two")
    stand.channel.send(Prepared(2, "no"))
    stand.workers._current = work  # what the others run
    stand.workers._effects = Effects(3, b"back")
    stand.channel.send(Applied(3, 1))
    await until(lambda: stand.workers.run_by() == {(3, 1)}, "its words")

    for _ in range(12):
        stand.workers._links[0, 1].received_at = stand.clock()  # it reports all the time
        stand.pass_by(1)
    await until(lambda: len(stand.heard) >= 4, "being asked again")

    assert stand.confirmation.missing == (0,)
    assert stand.replaced == []
    assert stand.heard == [work, Commit(2)] * 2


async def test_one_that_serves_without_a_connection_to_control_is_replaced(stand: Stand):
    stand.channel.close()
    await until(lambda: not stand.workers._links, "the loss")
    stand.confirmation.tick()

    stand.pass_by(5)

    assert stand.replaced == [(0, 1)]


async def test_one_that_is_only_starting_is_not_behind(stand: Stand):
    stand.workers.take_census(Census((WorkerState(0, 2, 0, accepting=False),), 1, 0))
    stand.channel.close()
    await until(lambda: not stand.workers._links, "the loss")

    stand.pass_by(20)

    assert (stand.confirmation.missing, stand.replaced) == ((), [])


# ── what users meet ──


def now(number: int, weight: float, *overrides: Override, file: int | None = None) -> Current:
    backends = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
    route = snapshots.route("/a", name="a", rollout=Rollout(weight=weight))
    made = current(Configuration(number, snapshots.snapshot(backends, routes=(route,)), overrides))
    return replace(made, file=number if file is None else file)


async def test_effective_is_what_the_last_worker_runs_until_it_says_otherwise(stand: Stand):
    effective = Effective(stand.workers, now(1, 80))
    stand.channel.send(Hello(0, 1, 99, 1, 1))
    await until(lambda: stand.workers.run_by() == {(1, 1)}, "its hello")
    back = Override("a", rolled_back=True)
    before = now(1, 80)
    after = replace(
        before,
        configuration=replace(before.configuration, number=2, overrides=(back,)),
        generation=with_overrides(before.generation, 2, {"a": back}),
    )

    effective.changed(after)
    meant, met = 0.0, effective.weight("a")
    stand.channel.send(Applied(2, 1))
    await until(lambda: stand.workers.run_by() == {(2, 1)}, "its words")

    assert (meant, met, effective.weight("a")) == (0.0, 80.0, 0.0)


async def test_a_worker_that_stays_with_an_older_file_is_shown_with_that_files_weight_and_todays_override(stand: Stand):
    effective = Effective(stand.workers, now(1, 80))
    stand.channel.send(Hello(0, 1, 99, 1, 1))
    await until(lambda: stand.workers.run_by() == {(1, 1)}, "its hello")
    effective.changed(now(2, 5))
    on_the_old_file = effective.weight("a")
    held = Override("a", held=True, at_most=20.0)
    effective.changed(now(3, 5, held, file=2))
    stand.channel.send(Applied(3, 1))
    await until(lambda: stand.workers.run_by() == {(3, 1)}, "its words")

    assert (on_the_old_file, effective.weight("a")) == (80.0, 20.0)


def test_without_any_worker_it_is_what_the_next_one_begins_with():
    workers = Workers(Prepare(1, b"one"), lambda _: None, lambda *_, **__: None)

    assert Effective(workers, now(1, 80)).weight("a") == 80.0
