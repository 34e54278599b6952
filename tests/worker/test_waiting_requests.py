"""A request that waits longer than it should is reported before its response is there."""

from __future__ import annotations

from proxy.worker.reporting import WaitingRequest, waiting_requests
from rules.model import Buffer, GuardPolicy
from tests.support import raw, snapshots
from tests.support.backend import always, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.waiting import until

ROUTES = (
    snapshots.route("/judged", name="judged", guard=GuardPolicy(p95=0.3), weight=0.0),
    snapshots.route("/free", name="free", guard=None),
)


async def waiting(gateway: RunningProxy, *requests: bytes) -> Proxy:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, backend, routes=ROUTES, clock=Clock(), buffer=Buffer(request=1))
    for number, request in enumerate(requests):
        client = await proxy.client()
        client.send(request)
        await (await backend.wire(number)).seen(b"\r\n\r\n")
    return proxy


def seen(proxy: Proxy) -> list[WaitingRequest]:
    return sorted(waiting_requests(proxy.server.clients, proxy.server.clock()))


async def test_who_waits_longer_than_the_routes_p95_is_told_with_the_age(gateway: RunningProxy):
    proxy = await waiting(gateway, raw.get("/judged"), raw.get("/free"))

    clock = proxy.server.clock
    assert isinstance(clock, Clock)
    clock.turn(0.5)
    after_half = seen(proxy)
    clock.turn(1.0)

    assert after_half == [WaitingRequest("judged", "legacy", 1, 0.5)]
    assert seen(proxy) == [WaitingRequest("free", "modern", 1, 1.5), WaitingRequest("judged", "legacy", 1, 1.5)]


async def test_who_is_still_sending_or_has_an_answer_does_not_wait(gateway: RunningProxy):
    proxy = await waiting(gateway, raw.get("/judged", "Content-Length: 5", method="POST") + b"abc")
    other = await gateway.backend(always(ok()))
    answered = await gateway.proxy(other, other, routes=ROUTES, clock=Clock())
    await (await answered.client()).ask(raw.get("/judged"))

    for each in (proxy, answered):
        assert isinstance(each.server.clock, Clock)
        each.server.clock.turn(5.0)

    assert seen(proxy) == []
    assert seen(answered) == []


async def test_who_waits_for_a_connection_of_our_own_pool_does_not_wait_for_a_side(gateway: RunningProxy):
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, backend, routes=ROUTES, clock=Clock(), max_connections=1, connect_timeout=0.0)
    first, second = await proxy.client(), await proxy.client()
    first.send(raw.get("/judged"))
    await (await backend.wire()).seen(b"\r\n\r\n")
    second.send(raw.get("/judged"))
    await until(lambda: sum(client.call is not None for client in proxy.server.clients) == 2, "both calls")

    assert isinstance(proxy.server.clock, Clock)
    proxy.server.clock.turn(2.0)

    assert seen(proxy) == [WaitingRequest("judged", "legacy", 1, 2.0)]
