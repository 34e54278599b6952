"""How many connections there may be, and to which target of a backend (requirement 15; contract: backends)."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.backend import Backend, Wire, always, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until


class Counting:
    """Counts the connections a backend has at once."""

    def __init__(self, answer: bytes) -> None:
        self.now = self.most = 0
        self._answer = answer

    async def __call__(self, wire: Wire) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while True:
                await wire.request()
                await asyncio.sleep(0.002)
                wire.send(self._answer)
                if b"close" in self._answer:
                    wire.close()
                    return
        finally:
            self.now -= 1


@pytest.mark.parametrize("answer", [ok(), ok(b"", "Connection: close")], ids=["kept", "closed each time"])
async def test_no_more_connections_than_allowed_are_made(gateway: RunningProxy, answer: bytes) -> None:
    """Contract: max_connections; every request is served in the end."""
    counting = Counting(answer)
    backend = await gateway.backend(counting)
    proxy = await gateway.proxy(backend, max_connections=2)

    answers = await asyncio.gather(*(proxy.ask(get(f"/{number}")) for number in range(20)))

    assert [each.status for each in answers] == [200] * 20
    assert counting.most <= 2


async def test_whoever_waits_for_a_connection_in_vain_gets_a_503(gateway: RunningProxy) -> None:
    """Requirement 15: no queue without an end."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), max_connections=1, connect_timeout=1.0)
    one, two = await proxy.client(), await proxy.client()
    one.send(get("/1"))
    await (await backend.wire()).seen(b"/1")
    two.send(get("/2"))
    await breathe()

    proxy.turn(1.5)
    answer = await two.answer()

    assert answer.status == 503
    assert answer.field("retry-after")
    assert b"/2" not in backend.received


async def test_who_waits_behind_a_connection_that_could_not_be_made_is_told_soon(gateway: RunningProxy) -> None:
    """Requirement 11: a failure to connect wakes the next in the queue."""
    proxy = await gateway.proxy("http://127.0.0.1:1", clock=Clock(), max_connections=1)

    answers = await asyncio.gather(*(proxy.ask(get(f"/{number}")) for number in range(3)))

    assert [each.status for each in answers] == [502] * 3


async def test_the_target_with_the_fewest_requests_in_flight_is_chosen(gateway: RunningProxy) -> None:
    """Contract: `urls`."""
    backends = [await gateway.backend(hang) for _ in range(3)]
    proxy = await gateway.proxy(backends)

    for number in range(9):
        (await proxy.client()).send(get(f"/{number}"))
        await until(lambda number=number: sum(len(each.wires) for each in backends) == number + 1)

    assert [len(backend.wires) for backend in backends] == [3, 3, 3]


async def test_a_target_that_refuses_connections_is_left_alone_for_a_while(gateway: RunningProxy) -> None:
    """Passive health: the other target answers."""
    alive = await gateway.backend(always(ok(b"alive")))
    proxy = await gateway.proxy(["http://127.0.0.1:1", alive], clock=Clock())

    statuses = [(await proxy.ask(post(b"x"))).status for _ in range(20)]

    assert statuses.count(502) <= 3
    assert statuses[-10:] == [200] * 10


async def test_a_dead_target_is_tried_again_later(gateway: RunningProxy) -> None:
    """Passive health: a target that comes back is used again, once a connection of our own was made."""
    down = await gateway.backend(always(ok(b"back")))
    proxy = await gateway.proxy(down, clock=Clock())
    target = proxy.server.bound.pools["legacy"].targets[0]
    target.leave_out()
    proxy.turn(0.5)
    assert proxy.server.unhealthy == {"legacy"}

    proxy.turn(0.6)
    await until(lambda: not target.out, "the target's return")
    proxy.turn(0.1)

    assert proxy.server.unhealthy == set()
    assert (await proxy.ask(get("/"))).body == b"back"


def connections(backend: Backend) -> int:
    return len([wire for wire in backend.wires if not wire.ended])
