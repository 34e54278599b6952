"""Copies have limits of their own and are dropped first, each for a reason that is counted."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from proxy.telemetry.metric_names import NOT_ELIGIBLE
from proxy.worker.shadow import route_state
from proxy.worker.shadow.observers import BEHIND
from rules.model import Health
from tests.support import raw
from tests.support.backend import Wire, always, chunks, hang, ok
from tests.support.clock import Clock
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

SAME = ok(b"same")


async def test_a_route_has_no_more_copies_under_way_than_it_may(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern, max_in_flight=2)

    for _ in range(5):
        await mirror.ask()
    await until(lambda: len(modern.wires) == 2)

    assert [(record.result, record.reason) for record in mirror.records] == [("not_compared", "capacity")] * 3
    assert mirror.proxy.server.stats()["shadows_in_flight_modern"] == 2


@pytest.mark.parametrize("live_is_large", [True, False])
async def test_an_answer_above_the_cap_reaches_the_user_whole_and_is_not_compared(
    gateway: RunningProxy, live_is_large: bool
):
    large, small = ok(b"x" * 3000), ok(b"x" * 1000)
    legacy = await gateway.backend(always(large if live_is_large else small))
    modern = await gateway.backend(always(small if live_is_large else large))
    mirror = await mirroring(gateway, legacy, modern, max_body=2000)

    answer = await mirror.ask()
    record = await mirror.record()

    assert len(answer.body) == (3000 if live_is_large else 1000)
    assert (record.result, record.reason, record.failures) == ("not_compared", "body_cap", (False, False))
    assert mirror.proxy.server.shadows.budget.held == 0


async def test_an_endless_copy_is_left_at_the_cap_not_read_on(gateway: RunningProxy):
    async def endless(wire: Wire) -> None:
        await wire.head()
        wire.send(chunks(bytes(1000), end=b""))
        while not wire.ended:
            wire.send(b"3e8\r\n" + bytes(1000) + b"\r\n")
            await asyncio.sleep(0)

    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(endless)
    mirror = await mirroring(gateway, legacy, modern, max_body=10_000)

    await mirror.ask()
    record = await mirror.record()

    assert record.reason == "body_cap"
    assert await modern.wires[0].gone()


async def test_bodies_that_wait_to_be_copied_hold_no_more_than_their_share_of_memory(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, methods=("GET", "POST"), writes="isolated")
    budget = mirror.proxy.server.shadows.budget
    budget.at_most = 1000
    first, second = await mirror.proxy.client(), await mirror.proxy.client()

    first.send(raw.post(bytes(401))[:-1])
    await until(lambda: budget.held == 400, "the first body")
    answer = await second.ask(raw.post(bytes(800)))
    record = await mirror.record()
    first.send(b"\0")

    assert (answer.status, record.reason) == (200, "memory")
    assert (await mirror.record(1)).result == "equal"
    assert budget.held == 0


async def test_all_copies_together_hold_no_more_than_their_share_of_memory(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok(bytes(800)))), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern)
    budget = mirror.proxy.server.shadows.budget
    budget.at_most = 1000

    await mirror.ask()
    first = budget.held
    await mirror.ask()
    record = await mirror.record()

    assert first == 800
    assert (record.result, record.reason) == ("not_compared", "memory")


async def test_what_does_not_fit_into_memory_is_not_compared(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok(bytes(800)))), await gateway.backend(always(ok(bytes(800))))
    mirror = await mirroring(gateway, legacy, modern)
    mirror.proxy.server.shadows.budget.at_most = 1000

    assert await mirror.became(raw.get()) == ("not_compared", "memory_full")


async def test_a_busy_legacy_is_left_alone(gateway: RunningProxy):
    legacy, modern = await gateway.backend(hang), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, weight=50.0, options={"max_connections": 4})
    server = mirror.proxy.server
    target = server.bound.pools["legacy"].targets[0]
    for busy in (0, 1):  # of 4 connections
        target.busy = busy
        assert server.shadows.sender.obstacle(mirror.route, "legacy") == ""

    target.busy = 2

    assert server.shadows.sender.obstacle(mirror.route, "legacy") == "busy"
    assert server.shadows.sender.obstacle(mirror.route, "modern") == ""
    target.busy = 0


async def test_a_backend_that_is_down_gets_no_copies(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, options={"health": Health("/health", every=60.0)})
    for target in mirror.proxy.server.bound.pools["modern"].targets:
        target.healthy = False
    mirror.proxy.server.sweep()

    assert await mirror.became(raw.get()) == ("not_compared", "unhealthy")


@pytest.mark.parametrize("how", ["no answer", "5xx"])
async def test_a_side_that_fails_again_and_again_is_left_alone_for_a_while(gateway: RunningProxy, how: str):
    clock = Clock()

    async def moody(wire: Wire) -> None:
        while True:
            await wire.request()
            if clock.now >= 1001:
                wire.send(SAME)
            elif how == "5xx":
                wire.send(ok(b"oops", status="500 Internal Server Error"))
            else:
                wire.close()

    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(moody)
    mirror = await mirroring(gateway, legacy, modern, clock=clock)

    failing = [(await mirror.became(raw.get()))[1] for _ in range(route_state.FAILURES + 2)]
    told = [fields for event, fields in mirror.events if event == "shadow_thinned"]
    assert [(fields["route"], fields["side"]) for fields in told] == [("all", "modern")]
    assert (told[0]["reason"] == "status") == (how == "5xx")
    clock.turn(route_state.PAUSE + 0.1)
    later = [await mirror.became(raw.get()) for _ in range(3)]

    first = "status" if how == "5xx" else "shadow_failed"
    assert failing == [first] * route_state.FAILURES + ["failing"] * 2
    assert later == [("equal", "")] * 3


async def test_a_side_that_refuses_connections_is_not_asked_with_every_request(gateway: RunningProxy):
    clock = Clock()
    mirror = await mirroring(gateway, await gateway.backend(always(SAME)), "http://127.0.0.1:1", clock=clock)

    reasons = [(await mirror.became(raw.get()))[1] for _ in range(5)]
    mirror.proxy.turn(1.1)
    later = await mirror.became(raw.get())

    assert reasons == ["shadow_failed"] * 3 + ["unhealthy"] * 2
    assert later[1] == "unhealthy", "a probe of ours finds out, not a copy"


async def test_a_worker_that_is_late_mirrors_nothing_for_a_while(gateway: RunningProxy):
    clock = Clock()
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, clock=clock)
    mirror.proxy.server.shadows.hold_back()

    late = await mirror.became(raw.get())
    mirror.proxy.turn(1.1)
    later = await mirror.became(raw.get())

    assert (late, later) == (("not_compared", "load"), ("equal", ""))


async def test_nothing_is_mirrored_while_more_copies_wait_than_users_leave_time_for(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern)
    shadows = mirror.proxy.server.shadows
    before = await mirror.became(raw.get())

    def busy() -> None:
        if waits:
            shadows.next_turn.do(busy)

    waits = [True]
    for _ in range(BEHIND):
        shadows.next_turn.do(busy)
    meanwhile = await mirror.became(raw.get())
    waits.clear()
    later = await mirror.became(raw.get())

    assert (before, meanwhile, later) == (("equal", ""), ("not_compared", "load"), ("equal", ""))


async def test_a_live_answer_that_takes_for_ever_is_not_waited_for(gateway: RunningProxy):
    clock = Clock()

    async def slow(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await wire.gone()

    legacy, modern = await gateway.backend(slow), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, clock=clock, options={"idle_timeout": 0.0})
    client = await mirror.proxy.client()
    client.send(raw.get())
    await until(lambda: modern.requests)

    mirror.proxy.turn(61.0)
    record = await mirror.record()

    assert record.reason == "live_slow"
    assert mirror.proxy.server.shadows.budget.held == 0


async def test_a_reload_keeps_what_goes_on_and_ends_idle_connections_of_backends_that_are_gone(gateway: RunningProxy):
    legacy, modern, other = [await gateway.backend(always(SAME)) for _ in range(3)]
    mirror = await mirroring(gateway, legacy, modern)
    await mirror.became(raw.get())
    second = await mirroring(gateway, legacy, other)
    server = mirror.proxy.server

    server.live.swap(second.proxy.server.live.generation)
    became = await mirror.became(raw.get())

    assert became == ("equal", "")
    assert await modern.wires[0].gone()
    assert len(other.requests) == 1


NEVER = [
    (raw.get("/", method="PUT"), "method"),
    (raw.post(b"a=1"), "write"),
    (raw.get("/", "Range: bytes=0-1"), "fields"),
    (raw.get("/", "Accept: text/event-stream"), "fields"),
    (raw.get("/", "X-HTTP-Method-Override: DELETE"), "fields"),
    (raw.get("/account/delete/7"), "effects"),
    (raw.get("/secret"), "denied"),
]


async def test_what_is_never_mirrored_is_counted_with_its_reason(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(SAME)), await gateway.backend(always(SAME))
    mirror = await mirroring(gateway, legacy, modern, methods=("GET", "POST"), deny=("/secret",))

    for request, _ in NEVER:
        assert (await mirror.proxy.ask(request)).status == 200
    counted = {
        labels: count for (metric, labels), count in mirror.proxy.server.counted.items() if metric is NOT_ELIGIBLE
    }

    assert counted == {("all", reason): count for reason, count in Counter(reason for _, reason in NEVER).items()}
    assert not mirror.records
    assert not modern.requests
