"""Whatever the other side does to a copy, the user's response is the same, as is the next one on that connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support import raw
from tests.support.backend import Script, Wire, always, hang, ok
from tests.support.clock import Clock
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

LIVE = ok(b"live" * 1000)


async def reset(wire: Wire) -> None:
    await wire.head()
    wire.reset()


async def close(wire: Wire) -> None:
    wire.close()


async def drip(wire: Wire) -> None:
    await wire.head()
    await wire.drip(ok(b"x" * 50))
    await wire.gone()


async def silent(wire: Wire) -> None:
    await wire.head()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await wire.gone()


async def flood(wire: Wire) -> None:
    await wire.head()
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not wire.ended:
        wire.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await asyncio.sleep(0)


def say(data: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(data)
        await wire.gone()

    return script


@pytest.mark.both_loops
@pytest.mark.parametrize(
    ("other", "failed"),
    [
        (hang, None),
        (reset, True),
        (close, True),
        (drip, False),
        (silent, None),
        (flood, False),
        (say(b"SSH-2.0-x\r\n\r\n"), True),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), True),
        (say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), True),
        (say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"), False),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), False),
    ],
)
async def test_a_live_answer_is_the_same_whatever_becomes_of_its_copy(
    gateway: RunningProxy, other: Callable[[Wire], object], failed: bool | None
):
    legacy, modern = await gateway.backend(always(LIVE)), await gateway.backend(other)  # type: ignore[arg-type]
    mirror = await mirroring(gateway, legacy, modern, max_body=100_000)
    client = await mirror.proxy.client()

    answers = [await client.ask(raw.get(f"/{number}")) for number in range(5)]

    assert {answer.body for answer in answers} == {b"live" * 1000}
    assert len(legacy.wires) == 1
    if failed is not None:
        record = await mirror.record()
        assert record.failures == (failed, False)


async def test_a_side_that_cannot_be_reached_costs_nobody_anything(gateway: RunningProxy):
    legacy = await gateway.backend(always(LIVE))
    mirror = await mirroring(gateway, legacy, "http://127.0.0.1:1")

    became = await mirror.became(raw.get())

    assert became == ("not_compared", "shadow_failed")
    assert mirror.records[0].failures == (True, False)


async def test_a_copy_that_hangs_ends_with_its_own_time_out(gateway: RunningProxy):
    clock = Clock()
    legacy, modern = await gateway.backend(always(LIVE)), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern, clock=clock, timeout=5.0)
    await mirror.ask()
    await (await modern.wire()).seen(b"\r\n\r\n")

    mirror.proxy.turn(4.9)
    before = len(mirror.records)
    mirror.proxy.turn(0.2)
    record = await mirror.record()

    assert (before, record.reason, record.failures) == (0, "shadow_timeout", (True, False))
    assert await modern.wires[0].gone() == "reset" or modern.wires[0].ended


async def test_copies_never_use_the_connections_of_live_requests(gateway: RunningProxy):
    shared = await gateway.backend(always(ok(b"same")))
    mirror = await mirroring(gateway, shared, shared)
    client = await mirror.proxy.client()

    for _ in range(3):
        await client.ask(raw.get())
    await until(lambda: len(mirror.records) == 3)

    copied = [{request.field("X-Shadow") for request in wire.requests} for wire in shared.wires]
    assert sorted(copied, key=str) == [{"1"}, {None}]


async def test_the_end_of_the_user_is_the_end_of_the_copy(gateway: RunningProxy):
    legacy, modern = await gateway.backend(hang), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern)
    client = await mirror.proxy.client()
    client.send(raw.get())
    await (await modern.wire()).head()

    client.close()
    record = await mirror.record()

    assert (record.reason, record.calls) == ("client_gone", ())
    assert await modern.wires[0].gone()


async def test_a_fault_of_mirroring_itself_is_counted_and_hurts_nobody(
    gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch
):
    legacy, modern = await gateway.backend(always(LIVE)), await gateway.backend(always(LIVE))
    mirror = await mirroring(gateway, legacy, modern)
    told: list[BaseException] = []
    mirror.proxy.server.shadows.observe.failed = told.append

    def broken(*_: object) -> bool:
        raise RuntimeError("a bug")

    shadows, route = mirror.proxy.server.shadows, mirror.route
    find, targets = shadows.conflict_tracker._find, dict(route.targets)
    route.targets.clear()  # before anything is mirrored
    answer = await mirror.ask()
    route.targets.update(targets)
    with monkeypatch.context() as patched:  # when both sides have answered
        route.policy = replace(route.policy, secondary=0.5)
        patched.setattr("proxy.worker.shadow.mirrored_request.random", broken)
        became = [await mirror.became(raw.get())]
    route.policy = replace(route.policy, secondary=0.0)
    route.always_sends = True
    shadows.conflict_tracker._writes.begin((":1",))  # when it has to be settled
    shadows.conflict_tracker._find = broken
    became.append(await mirror.became(raw.get()))
    shadows.conflict_tracker._find = find
    shadows.connect(broken, mirror.emit)
    unsent = await mirror.became(raw.get())

    assert (answer.body, became) == (b"live" * 1000, [("not_compared", "error")] * 2)
    assert [type(error) for error in told] == [KeyError]
    assert unsent == ("not_compared", "shed")
    assert shadows.observe.failures == 4
