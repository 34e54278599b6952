"""Decisions go to control while a filter is set, a bounded number at a time, and cost nothing otherwise."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import DecisionFilter, Decisions, Message
from proxy.telemetry.records import Exchange
from proxy.worker import decision_tail as module
from proxy.worker.decision_tail import DecisionTail, takes
from tests.support.exchanges import exchange
from tests.support.waiting import until


def nobody() -> str | None:
    raise AssertionError("no filter names a user")


@pytest.mark.parametrize(
    ("wanted", "does"),
    [
        ({}, True),
        ({"route": "profile"}, True),
        ({"route": "other"}, False),
        ({"side": "modern"}, True),
        ({"side": "legacy"}, False),
        ({"statuses": ((200, 299), (404, 404))}, True),
        ({"statuses": ((500, 599),)}, False),
        ({"route": "profile", "side": "legacy"}, False),
    ],
)
def test_a_filter_takes_what_all_its_members_take(wanted: dict[str, Any], does: bool):
    assert takes(DecisionFilter(1, **wanted), found(), nobody) is does


@pytest.mark.parametrize(("user", "does"), [("42", True), ("4", False), (None, False)])
def test_a_user_is_compared_whole(user: str | None, does: bool):
    assert takes(DecisionFilter(1, user="42"), found(), lambda: user) is does


def found(**members: Any) -> Exchange:
    return exchange(route="profile", side="modern", status=200)._replace(**members)


class Stand:
    def __init__(self) -> None:
        self.heard: list[Message] = []
        ours, theirs = socket.socketpair()
        self.near = Channel(ours, WORKER, lambda *_: None, lambda _: None)
        self.far = Channel(theirs, WORKER, lambda message, _: self.heard.append(message), lambda _: None)
        self.server: Any = SimpleNamespace(tail=None)
        self.tail = DecisionTail(self.server)


@pytest.fixture
async def stand():
    stand = Stand()
    yield stand
    stand.near.close()
    stand.far.close()


async def test_more_than_fits_into_a_message_is_counted_for_each_filter(stand: Stand):
    stand.tail.follow([DecisionFilter(1), DecisionFilter(2, route="other")], stand.near)
    for number in range(module.AT_MOST + 5):
        stand.server.tail(found(request_id=str(number), path="/api/me?secret"), nobody)
    await until(lambda: stand.heard)

    (message,) = stand.heard
    assert isinstance(message, Decisions)
    assert [each.request_id for each in message.records] == [str(number) for number in range(module.AT_MOST)]
    assert {each.path for each in message.records} == {"/api/me"}
    assert {each.filters for each in message.records} == {(1,)}
    assert message.dropped == ((1, 5),)


async def test_a_fault_of_ours_hurts_no_request(stand: Stand):
    faults: list[str] = []
    stand.server.unforeseen = lambda _, where: faults.append(where)

    def broken() -> str | None:
        raise ValueError("no such key")

    stand.tail.follow([DecisionFilter(1, user="42")], stand.near)
    stand.server.tail(found(), broken)

    assert faults == ["tail"]


@pytest.mark.parametrize("end", ["stop", "no filter"])
async def test_nothing_is_looked_at_without_a_filter(stand: Stand, end: str):
    stand.tail.follow([DecisionFilter(1)], stand.near)
    assert stand.server.tail is not None

    if end == "stop":
        stand.tail.stop()
    else:
        stand.tail.follow([], stand.near)

    assert stand.server.tail is None
