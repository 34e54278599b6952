"""A worker's reports survive the absence of control, and never pile up."""

from __future__ import annotations

import socket

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Message, Numbers, Outcomes, Users, Writes
from proxy.state.request_outcomes import LastWrites
from proxy.state.request_outcomes import Outcomes as Collected
from proxy.state.user_sample import Recent
from proxy.telemetry import metric_names
from proxy.telemetry.worker_metrics import Counts
from proxy.worker import reporting as module
from proxy.worker.reporting import Reporting
from tests.support.exchanges import attempt, exchange
from tests.support.waiting import until


class Stand:
    def __init__(self) -> None:
        self.counts = Counts()
        self.outcomes = Collected()
        self.noted: set[tuple[str, str]] = set()
        self.writes = LastWrites(lambda _: True)
        self.reporting = Reporting(
            self.counts,
            self.outcomes,
            lambda: {"connections_client": 2},
            lambda: {metric_names.LOG_LINES_LOST: 0},
            Recent("secret", ["profile"], self.noted),
            writes=self.writes,
        )
        self.heard: list[Message] = []
        self.channels: list[Channel] = []

    def call(self) -> None:
        self.counts.observe(exchange())
        self.outcomes.observe(exchange())

    def attach(self) -> Channel:
        ours, theirs = socket.socketpair()
        near = Channel(ours, WORKER, lambda *_: None, lambda _: None)
        far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)
        self.channels += [near, far]
        self.reporting.attach(near)
        return near

    def rows(self) -> dict[tuple[str, tuple[str, ...]], tuple[float, ...]]:
        return {
            (name, labels): values
            for message in self.heard
            if isinstance(message, Numbers)
            for name, labels, values in message.rows
        }

    def users(self) -> list[str]:
        return [
            user
            for message in self.heard
            if isinstance(message, Users)
            for row in message.routes
            for user, _ in row.users
        ]

    def seconds(self) -> list[Outcomes]:
        return [message for message in self.heard if isinstance(message, Outcomes)]


@pytest.fixture
async def stand():
    stand = Stand()
    yield stand
    for channel in stand.channels:
        channel.close()


async def test_a_new_listener_gets_every_number_at_once(stand: Stand):
    stand.call()
    stand.attach()
    await until(lambda: stand.heard, "the first report")
    stand.heard.clear()
    stand.reporting.attach(None)
    stand.attach()
    await until(lambda: stand.heard, "the report to the second one")

    assert stand.rows()[metric_names.REQUESTS.name, ("profile", "legacy", "live", "2xx")] == (1,)
    assert stand.rows()[metric_names.CONNECTIONS.name, ("client",)] == (2,)


async def test_outcomes_of_seconds_without_control_are_delivered_when_it_is_back(stand: Stand):
    for _ in range(3):
        stand.call()
        stand.reporting.send_outcomes()
    stand.attach()
    stand.reporting.send_outcomes()
    await until(lambda: len(stand.seconds()) == 3, "all three seconds")

    assert sum(second.sides[0].requests for second in stand.seconds()) == 3


async def test_a_long_absence_keeps_only_the_latest_seconds(stand: Stand):
    for _ in range(module.KEPT_SECONDS + 20):
        stand.call()
        stand.reporting.send_outcomes()
    stand.attach()
    stand.reporting.send_outcomes()
    await until(lambda: len(stand.seconds()) == module.KEPT_SECONDS, "the latest seconds")

    assert len(stand.seconds()) == module.KEPT_SECONDS


async def test_a_ticket_is_answered_even_when_nothing_changed(stand: Stand):
    stand.attach()
    await until(lambda: stand.heard, "the first report")
    stand.heard.clear()

    stand.reporting.send_numbers(ticket=9)
    await until(lambda: stand.heard, "the answer")

    assert stand.heard == [Numbers(9, ())]


async def test_writes_that_a_rollback_would_lose_are_told_to_whoever_listens(stand: Stand):
    stand.writes.observe_all([exchange(attempt("modern", 201), method="POST", path="/orders")])
    stand.reporting.send_writes()
    for _ in range(2):
        stand.attach()
        stand.reporting.send_writes()
    await until(lambda: len([each for each in stand.heard if isinstance(each, Writes)]) == 2, "both reports")

    first, second = (each for each in stand.heard if isinstance(each, Writes))
    assert first == second
    assert [write.path for write in first.routes[0].last] == ["/orders"]


async def test_the_worst_lag_since_the_last_report_is_told(stand: Stand):
    for seconds in (0.01, 0.2, 0.05):
        stand.reporting.note_lag(seconds)
    stand.attach()
    await until(lambda: stand.heard, "the report")

    assert stand.rows()[metric_names.LOOP_LAG.name, ()] == (0.2,)


async def test_users_are_told_once_and_all_of_them_to_a_new_listener(stand: Stand):
    stand.attach()
    stand.noted.update(("profile", str(user)) for user in range(5))
    for _ in range(2):
        stand.reporting.send_users()
        stand.noted.add(("profile", "3"))
    await until(lambda: len(stand.users()) >= 5, "the users")
    first = sorted(stand.users())
    stand.heard.clear()
    stand.attach()
    stand.reporting.send_users()
    await until(lambda: len(stand.users()) >= 5, "the users again")

    assert first == sorted(stand.users()) == list("01234")


async def test_users_that_nobody_could_be_told_of_are_told_later(stand: Stand):
    stand.noted.add(("profile", "42"))
    stand.attach().close()
    stand.reporting.send_users()

    stand.attach()
    stand.reporting.send_users()
    await until(stand.users, "the user")

    assert stand.users() == ["42"]
