"""A generation reaches every worker, also one that connects meanwhile."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.control import worker_links as module
from proxy.control.worker_links import NotAdoptedError, Workers
from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import (
    GREETED,
    Applied,
    Ask,
    Census,
    Commit,
    Effects,
    Hello,
    Message,
    Numbers,
    Outcomes,
    Prepare,
    Prepared,
    WorkerState,
)
from tests.support.waiting import until

ROW = ("strangler_requests_total", ("a", "legacy", "live", "2xx"), (5.0,))
KEY = ROW[:2]


class Stand:
    """Workers' control side with the ends that real workers would hold."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict]] = []
        self.outcomes: list[Outcomes] = []
        self.workers = Workers(Prepare(1, b"one"), self.outcomes.append, self._emit)
        self.ends: list[End] = []

    def _emit(self, event: str, _level: str = "info", /, **fields: object) -> None:
        self.told.append((event, fields))

    def join(self, slot: int, *, incarnation: int = 1, generation: int = 1, **behaviour: bool) -> End:
        ours, theirs = socket.socketpair()
        end = End(theirs, **behaviour)
        self.ends.append(end)
        self.workers.attach((slot, incarnation), ours)
        end.channel.send(Hello(slot, incarnation, 1000 + slot, generation))
        return end

    def close(self) -> None:
        for end in self.ends:
            end.channel.close()
        self.workers.close()


class End:
    """A worker that answers as set: `able` to build, `quick` to answer at all."""

    def __init__(self, sock: socket.socket, *, able: bool = True, quick: bool = True) -> None:
        self.heard: list[Message] = []
        self.before_greeted: list[Message] | None = None
        self.able, self.quick = able, quick
        self.channel = Channel(sock, WORKER, self._hear, lambda _: None)

    def _hear(self, message: Message, _: tuple[int, ...]) -> None:
        if message == Ask(GREETED):
            self.before_greeted = list(self.heard)
            return
        self.heard.append(message)
        if not self.quick:
            return
        match message:
            case Prepare():
                self.channel.send(Prepared(message.generation, "" if self.able else "no such file"))
            case Commit() | Effects():
                self.channel.send(Applied(message.generation))
            case Ask():
                self.channel.send(Numbers(message.ticket, (ROW,)))


@pytest.fixture
async def stand():
    stand = Stand()
    yield stand
    stand.close()


async def publish(stand: Stand, number: int) -> tuple[int, ...]:
    message = Prepare(number, b"payload")
    await stand.workers.prepare(message)
    return await stand.workers.commit(message)


async def test_everybody_prepares_before_anybody_commits(stand: Stand):
    ends = [stand.join(slot) for slot in range(3)]

    await publish(stand, 2)

    for slot, end in enumerate(ends):
        assert end.heard == [Prepare(2, b"payload"), Commit(2)]
        assert stand.workers.running(slot) == 2


async def test_one_that_cannot_build_it_keeps_everybody_on_the_old_one(stand: Stand):
    good, bad = stand.join(0), stand.join(1, able=False)

    with pytest.raises(NotAdoptedError, match="no such file"):
        await stand.workers.prepare(Prepare(2, b"payload"))

    assert Commit(2) not in [*good.heard, *bad.heard]


async def test_a_worker_that_comes_with_an_older_generation_is_brought_up(stand: Stand):
    stand.join(0)
    await publish(stand, 2)

    late = stand.join(1, generation=1)
    await until(lambda: stand.workers.running(1) == 2, "the late one's generation")

    assert late.heard == [Prepare(2, b"payload"), Commit(2)]


async def test_the_greeting_ends_when_everything_has_been_said(stand: Stand):
    stand.join(0)
    await publish(stand, 2)
    stand.workers.remember(Effects(3, b"since"))

    late, even = stand.join(1, generation=1), stand.join(2, generation=3)
    await until(lambda: even.before_greeted is not None and late.before_greeted is not None)

    assert late.before_greeted == [Prepare(2, b"payload"), Commit(2), Effects(3, b"since")]
    assert even.before_greeted == []


async def test_a_worker_that_joins_between_preparing_and_committing_gets_both(stand: Stand):
    stand.join(0)
    message = Prepare(2, b"payload")
    await stand.workers.prepare(message)
    late = stand.join(1)

    await stand.workers.commit(message)
    await until(lambda: stand.workers.running(1) == 2, "the late one's generation")

    assert late.heard == [Prepare(2, b"payload"), Commit(2)]
    assert stand.workers.running(1) == 2


async def test_a_worker_that_does_not_answer_is_not_waited_for_long_and_told(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "CONFIRM_WITHIN", 0.05)
    stand.join(0)
    stand.join(1, quick=False)

    late = await publish(stand, 2)

    assert stand.workers.running(0) == 2
    assert late == (1,)
    assert [fields["slot"] for event, fields in stand.told if event == "worker_late"] == [1]


async def test_a_worker_that_dies_while_it_prepares_does_not_hold_up_the_others(stand: Stand):
    stand.join(0)
    dying = stand.join(1, quick=False)
    work = asyncio.create_task(publish(stand, 2))
    await until(lambda: dying.heard, "the preparation")

    dying.channel.close()
    await asyncio.wait_for(work, 60)

    assert stand.workers.running(0) == 2


async def test_fresh_numbers_are_waited_for_but_not_for_ever(stand: Stand):
    stand.join(0)
    stand.join(1, quick=False)

    loop = asyncio.get_running_loop()
    began = loop.time()
    await stand.workers.refresh(0.1)

    assert loop.time() - began < 30
    assert stand.workers.totals.sums()[KEY] == (5.0,)


async def test_the_counts_of_a_dead_worker_stay_and_those_of_its_successor_are_added(stand: Stand):
    end = stand.join(0)
    await stand.workers.refresh(1)
    stand.workers.take_census(census(incarnation=2))
    end.channel.close()
    successor = stand.join(0, incarnation=2)
    await stand.workers.refresh(1)

    assert successor.heard
    assert stand.workers.totals.sums()[KEY] == (10.0,)


async def test_a_broken_connection_to_a_living_worker_counts_nothing_twice(stand: Stand):
    stand.workers.take_census(census(incarnation=1))
    end = stand.join(0)
    await stand.workers.refresh(1)
    end.channel.close()
    stand.join(0)
    await stand.workers.refresh(1)

    assert stand.workers.totals.sums()[KEY] == (5.0,)


def census(incarnation: int) -> Census:
    return Census((WorkerState(0, incarnation, 1234, accepting=True),), incarnation - 1, 0)


async def test_what_is_set_at_run_time_reaches_everybody_and_whoever_joins_later(stand: Stand):
    first = stand.join(0)
    await until(lambda: stand.workers.running(0) == 1, "the first one's hello")

    await stand.workers.effect(Effects(2, b"set"))
    late = stand.join(1)
    await until(lambda: late.heard, "what was set")

    assert first.heard == late.heard == [Effects(2, b"set")]
    assert stand.workers.running(0) == 2


async def test_a_worker_that_missed_a_file_and_what_was_set_since_gets_both(stand: Stand):
    stand.join(0)
    await publish(stand, 2)
    await stand.workers.effect(Effects(3, b"set"))

    late = stand.join(1)
    await until(lambda: len(late.heard) == 3, "all of it")

    assert late.heard == [Prepare(2, b"payload"), Commit(2), Effects(3, b"set")]


async def test_what_was_set_before_control_began_reaches_a_worker_that_missed_it(stand: Stand):
    stand.workers.remember(Effects(3, b"set"))

    knows, missed = stand.join(0, generation=3), stand.join(1, generation=1)
    await until(lambda: missed.heard, "what was set")

    assert missed.heard == [Effects(3, b"set")]
    assert knows.heard == []


async def test_a_new_file_has_in_it_what_was_set_before(stand: Stand):
    await stand.workers.effect(Effects(2, b"set"))
    await publish(stand, 3)

    late = stand.join(0)
    await until(lambda: len(late.heard) == 2, "the file")

    assert late.heard == [Prepare(3, b"payload"), Commit(3)]
