"""The results of a worker's mirroring reach control, or are counted as lost."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Again, AgainFailed, JudgeEnded, JudgeLink, Message, Numbers, Outcomes, Pair, Unjudged
from proxy.ipc.pair_frames import PAGE, PairInbox
from proxy.state.request_outcomes import Outcomes as Collected
from proxy.state.user_sample import Recent
from proxy.telemetry import events, metric_names
from proxy.telemetry.records import Observers
from proxy.telemetry.worker_metrics import Counts
from proxy.worker.reporting import MirroringReport, Reporting
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until


class Stand:
    """A mirroring data path that reports to a control of the test's own."""

    def __init__(self, mirror: Mirroring) -> None:
        self.mirror = mirror
        self.report = MirroringReport()
        outcomes = Collected()
        self.report.watch(mirror.proxy.server, Observers(), outcomes, mirror.emit)
        recent = Recent("secret", ["all"], set())
        self.reporting = Reporting(Counts(), outcomes, dict, dict, recent, self.report)
        ours, theirs = socket.socketpair()
        self.near = Channel(ours, WORKER, self._asked, lambda _: None)
        self.far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)
        self.heard: list[Message] = []
        self.judge, for_worker = socket.socketpair()
        self._seat(for_worker)

    def next_judge(self) -> None:
        """Be the first judge of another control process."""
        self.judge.close()
        self.judge, for_worker = socket.socketpair()
        self._seat(for_worker)

    def _seat(self, for_worker: socket.socket) -> None:
        self.pairs = PairInbox()
        page = os.memfd_create("page")
        os.ftruncate(page, PAGE)
        self.report.connect_judge(JudgeLink(1), (for_worker.detach(), page))

    async def pair(self) -> Pair:
        """The next pair that is sent to a judge."""
        self.judge.setblocking(False)
        while (pair := self.pairs.next_pair()) is None:
            self.pairs.feed(await asyncio.get_running_loop().sock_recv(self.judge, 1 << 16))
        return pair

    def _asked(self, message: Message, _: tuple[int, ...]) -> None:
        assert isinstance(message, Again)
        self.report.again(message.pair)

    def close(self) -> None:
        self.near.close()
        self.far.close()
        self.report.close()
        self.judge.close()


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with RunningProxy() as gateway:
        legacy, modern = await gateway.backend(always(ok(b"one"))), await gateway.backend(always(ok(b"two")))
        stand = Stand(await mirroring(gateway, legacy, modern))
        yield stand
        stand.close()


async def test_a_pair_its_counts_and_its_metrics_reach_control(stand: Stand):
    stand.reporting.attach(stand.near)

    await stand.mirror.became(raw.get())
    stand.reporting.send_outcomes()
    stand.reporting.send_numbers()
    await until(lambda: any(isinstance(message, Numbers) for message in stand.heard[1:]), "numbers")

    pair = await asyncio.wait_for(stand.pair(), 10)
    (second,) = [message for message in stand.heard if isinstance(message, Outcomes)]
    rows = {row[:2] for message in stand.heard if isinstance(message, Numbers) for row in message.rows}
    assert (pair.legacy.body, pair.modern.body) == (b"one", b"two")
    assert [(counts.eligible, counts.sent) for counts in second.pairs] == [(1, 1)]
    assert {side.role for side in second.sides} == {"shadow"}
    assert (metric_names.REQUESTS.name, ("all", "modern", "shadow", "2xx")) in rows


async def test_a_pair_that_was_not_done_when_control_ended_goes_to_a_judge_of_the_next(stand: Stand):
    stand.reporting.attach(stand.near)
    await stand.mirror.became(raw.get())
    first = await asyncio.wait_for(stand.pair(), 10)

    stand.reporting.attach(None)
    stand.next_judge()

    assert await asyncio.wait_for(stand.pair(), 10) == first


async def test_a_pair_that_its_judge_had_not_counted_goes_to_the_next_one(stand: Stand):
    stand.reporting.attach(stand.near)
    await stand.mirror.became(raw.get())
    await asyncio.wait_for(stand.pair(), 10)
    await stand.mirror.became(raw.get())
    second = await asyncio.wait_for(stand.pair(), 10)

    stand.report.judge_ended(JudgeEnded(1, 1, "crash"))
    stand.next_judge()

    assert await asyncio.wait_for(stand.pair(), 10) == second


async def test_what_judges_have_no_room_for_is_counted(stand: Stand):
    stand.report._judges._queue.most = 0

    await stand.mirror.became(raw.get())
    await stand.mirror.became(raw.get())
    stand.report.sweep()
    stand.reporting.attach(stand.near)
    stand.report.sweep()
    await until(lambda: any(isinstance(message, Unjudged) for message in stand.heard), "the count")

    assert [message for message in stand.heard if isinstance(message, Unjudged)] == [Unjudged("all", 1, "queue", 2)]


async def test_control_may_have_a_pair_asked_again(stand: Stand):
    stand.reporting.attach(stand.near)
    await stand.mirror.became(raw.get())
    pair = await asyncio.wait_for(stand.pair(), 10)

    stand.far.send(Again(pair.id))
    stand.far.send(Again("unknown"))
    await until(lambda: any(isinstance(message, Pair) for message in stand.heard), "the pair again")

    (again,) = [message for message in stand.heard if isinstance(message, Pair)]
    assert (again.id, again.again, again.modern.body) == (pair.id, 1, b"two")
    assert AgainFailed("unknown", "gone") in stand.heard


async def test_a_fault_of_mirroring_is_told_once(stand: Stand):
    for _ in range(2):
        stand.mirror.proxy.server.shadows.mishap(RuntimeError("a bug"))

    assert [event for event, _ in stand.mirror.events] == [events.OBSERVER_FAILED]
