"""What a worker's mirroring says reaches control, or is counted as lost."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Again, AgainFailed, Message, Numbers, Outcomes, Pair
from proxy.state.request_outcomes import Outcomes as Collected
from proxy.state.user_sample import Recent
from proxy.telemetry import events, metric_names
from proxy.telemetry.records import Observers
from proxy.telemetry.worker_metrics import Counts
from proxy.worker.reporting import MirroringReport, Reporting
from tests.support import raw
from tests.support.backend import always, ok
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import House
from tests.support.waiting import until


class Stand:
    """A mirroring data path that reports to a control of the test's own."""

    def __init__(self, mirror: Mirroring) -> None:
        self.mirror = mirror
        self.report = MirroringReport()
        outcomes = Collected()
        self.report.watch(mirror.proxy.server, Observers(), outcomes, mirror.tell)
        recent = Recent("secret", ["all"], set())
        self.reporting = Reporting(Counts(), outcomes, dict, dict, recent, self.report)
        ours, theirs = socket.socketpair()
        self.near = Channel(ours, WORKER, self._asked, lambda _: None)
        self.far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)
        self.heard: list[Message] = []

    def _asked(self, message: Message, _: tuple[int, ...]) -> None:
        assert isinstance(message, Again)
        self.report.again(message.pair)

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with House() as house:
        legacy, modern = await house.backend(always(ok(b"one"))), await house.backend(always(ok(b"two")))
        stand = Stand(await mirroring(house, legacy, modern))
        yield stand
        stand.close()


async def test_a_pair_its_counts_and_its_metrics_reach_control(stand: Stand):
    stand.reporting.attach(stand.near)

    await stand.mirror.became(raw.get())
    stand.reporting.send_outcomes()
    stand.reporting.send_numbers()
    await until(lambda: any(isinstance(message, Numbers) for message in stand.heard[2:]), "numbers")

    (pair,) = [message for message in stand.heard if isinstance(message, Pair)]
    (second,) = [message for message in stand.heard if isinstance(message, Outcomes)]
    rows = {row[:2] for message in stand.heard if isinstance(message, Numbers) for row in message.rows}
    assert (pair.legacy.body, pair.modern.body) == (b"one", b"two")
    assert [(counts.eligible, counts.sent) for counts in second.pairs] == [(1, 1)]
    assert {side.role for side in second.sides} == {"shadow"}
    assert (metric_names.REQUESTS.name, ("all", "modern", "shadow", "2xx")) in rows


async def test_while_nobody_listens_pairs_are_lost_and_counted(stand: Stand):
    became = await stand.mirror.became(raw.get())

    assert became == ("not_compared", "shed")


async def test_control_may_have_a_pair_asked_again(stand: Stand):
    stand.reporting.attach(stand.near)
    await stand.mirror.became(raw.get())
    await until(lambda: any(isinstance(message, Pair) for message in stand.heard), "the pair")
    (pair,) = [message for message in stand.heard if isinstance(message, Pair)]

    stand.far.send(Again(pair.id))
    stand.far.send(Again("unknown"))
    await until(lambda: sum(isinstance(message, Pair) for message in stand.heard) == 2, "the pair again")

    assert AgainFailed("unknown", "gone") in stand.heard


async def test_a_fault_of_mirroring_is_told_once(stand: Stand):
    for _ in range(2):
        stand.mirror.proxy.server.shadows.mishap(RuntimeError("a bug"))

    assert [event for event, _ in stand.mirror.events] == [events.OBSERVER_FAILED]
