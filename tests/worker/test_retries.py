"""Another address, another target, where nothing was done (contract: Retries)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from proxy.telemetry.metric_names import RETRIES
from proxy.worker.connection_pool import Target
from rules.model import Fallback
from tests.support.backend import Backend, Wire, always, answering, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until

GONE = "http://127.0.0.1:1"
CUT = answering(then=None)


def targets(proxy: Proxy, backend: str = "legacy") -> tuple[Target, ...]:
    return proxy.server.bound.pools[backend].targets


def retries(proxy: Proxy, side: str, reason: str) -> int:
    return proxy.server.counted[RETRIES, (side, reason)]


async def cut(wire: Wire) -> None:
    """Take a request, close without a word."""
    await wire.head()
    wire.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts no connection and sends no reply: its queue is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("request_", [get("/"), post(b"x"), post(b"x" * 200_000)], ids=["GET", "POST", "large"])
async def test_a_target_that_is_gone_costs_no_request(gateway: RunningProxy, request_: bytes) -> None:
    good = await gateway.backend(always(lambda request: ok(b"%d" % len(request.body))))
    proxy = await gateway.proxy([GONE, good], clock=Clock())

    answers = [await proxy.ask(request_) for _ in range(30)]

    assert {answer.status for answer in answers} == {200}
    assert 1 <= retries(proxy, "legacy", "connect") <= 3
    assert len(good.requests) == 30
    assert [each for each in proxy.exchanges if any(attempt.failed for attempt in each.attempts)] == []


async def test_with_one_of_two_targets_gone_modern_has_not_failed(gateway: RunningProxy) -> None:
    legacy, good = await gateway.backend(hang), await gateway.backend(always(ok(b"modern")))
    proxy = await gateway.proxy(legacy, [good, GONE], clock=Clock(), fallback=Fallback("none"))

    for _ in range(10):
        assert (await proxy.ask(post(b"x"))).body == b"modern"
        proxy.turn(1.1)
        await breathe()

    assert [each for each in proxy.exchanges if any(attempt.failed for attempt in each.attempts)] == []


async def test_a_silent_target_is_passed_by_after_a_quarter_of_a_second(gateway: RunningProxy, silent: str) -> None:
    good = await gateway.backend(always(ok(b"good")))
    proxy = await gateway.proxy([silent, good], connect_timeout=2.0)
    loop = asyncio.get_running_loop()
    began = loop.time()

    answers = [await proxy.ask(post(b"x")) for _ in range(2)]

    assert {answer.body for answer in answers} == {b"good"}
    assert loop.time() - began < 1.5
    assert retries(proxy, "legacy", "silent") >= 1


async def test_the_first_address_of_a_name_may_be_dead(gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` is often ::1 first, where nothing listens."""
    good = await gateway.backend(always(ok(b"good")))
    named(monkeypatch, "app.test", "::1", "127.0.0.1")
    proxy = await gateway.proxy(f"http://app.test:{good.port}", clock=Clock())

    assert [(await proxy.ask(post(b"x"))).body for _ in range(3)] == [b"good"] * 3


async def test_a_name_whose_first_address_is_silent_is_reached_by_the_second(
    gateway: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await gateway.backend(always(ok(b"good")))
    named(monkeypatch, "app.test", "192.0.2.1", "127.0.0.1")
    proxy = await gateway.proxy(f"http://app.test:{good.port}", connect_timeout=5.0)

    answer = await proxy.ask(post(b"x"))

    assert answer.body == b"good"


def named(monkeypatch: pytest.MonkeyPatch, name: str, *addresses: str) -> None:
    """Let a name have these addresses."""
    found = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        if host != name:
            return found(host, *args, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


async def test_no_more_is_tried_than_retries_allow(gateway: RunningProxy) -> None:
    good = await gateway.backend(always(ok()))
    proxy = await gateway.proxy([GONE, "http://127.0.0.1:2", good], clock=Clock(), retries=0)

    statuses = {(await proxy.ask(post(b"x"))).status for _ in range(2)}

    assert 502 in statuses or retries(proxy, "legacy", "connect") == 0
    assert retries(proxy, "legacy", "connect") == 0


async def test_a_fresh_connection_that_is_cut_sends_a_read_to_another_target_once(gateway: RunningProxy) -> None:
    bad, good = await gateway.backend(cut), await gateway.backend(always(ok(b"good")))
    proxy = await gateway.proxy([bad, good], clock=Clock())

    answers = [(await proxy.ask(get("/"))).body for _ in range(6)]

    assert answers == [b"good"] * 6
    assert retries(proxy, "legacy", "reset") == len(bad.wires) >= 1


@pytest.mark.parametrize("request_", [post(b"x"), post(b""), post(b"x", method="PUT"), get("/", method="PATCH")])
async def test_what_may_have_been_done_is_never_sent_twice(gateway: RunningProxy, request_: bytes) -> None:
    bad, other = await gateway.backend(cut), await gateway.backend(cut)
    proxy = await gateway.proxy([bad, other], clock=Clock())

    assert (await proxy.ask(request_)).status == 502

    assert len(bad.wires) + len(other.wires) == 1


async def test_a_read_that_is_cut_everywhere_ends(gateway: RunningProxy) -> None:
    bad, other = await gateway.backend(cut), await gateway.backend(cut)
    proxy = await gateway.proxy([bad, other], clock=Clock())

    assert (await proxy.ask(get("/"))).status == 502

    assert (len(bad.wires), len(other.wires)) == (1, 1)


async def test_a_target_that_is_out_comes_back_by_a_probe_of_ours(gateway: RunningProxy) -> None:
    """With growing back-off, and no user's request is spent on it."""
    good = await gateway.backend(always(ok(b"good")))
    port = free_port()
    proxy = await gateway.proxy([f"http://127.0.0.1:{port}", good], clock=Clock())
    dead = targets(proxy)[0]
    for _ in range(8):
        await proxy.ask(get("/"))
    assert dead.out
    times = [dead.probe_at - proxy.server.clock()]
    for _ in range(6):
        proxy.turn(times[-1] + 0.1)
        await until(lambda: not dead.probing, "the probe's end")
        times.append(dead.probe_at - proxy.server.clock())
    assert [round(seconds) for seconds in times] == [1, 2, 4, 8, 16, 30, 30]

    returned = Backend(always(ok(b"back")))
    await returned.start(port=port)
    gateway.backends.append(returned)
    proxy.turn(31.0)
    await until(lambda: not dead.out, "the return")
    answers = {(await proxy.ask(get("/"))).body for _ in range(4)}

    assert answers == {b"good", b"back"}


async def takes_and_resets(wire: Wire) -> None:
    """A forwarded port behind which nothing listens: connections are taken, then reset."""
    wire.transport.abort()


async def test_a_port_that_is_forwarded_to_nothing_is_left_out_as_a_dead_one_is(gateway: RunningProxy) -> None:
    """A connection alone is no sign of life: after a probe the first request decides, and the back-off goes on."""
    good, empty = await gateway.backend(always(ok(b"good"))), await gateway.backend(takes_and_resets)
    proxy = await gateway.proxy([empty, good], clock=Clock())
    dead = targets(proxy)[0]
    times, failed = [], []
    for _ in range(5):
        statuses = [(await proxy.ask(post(b"x"))).status for _ in range(8)]
        failed.append(sum(status != 200 for status in statuses))
        assert dead.out
        times.append(round(dead.probe_at - proxy.server.clock()))
        proxy.turn(times[-1] + 0.1)
        await until(lambda: not dead.out, "the probe's end")

    assert failed == [3, 1, 1, 1, 1]
    assert times == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    "answer",
    [ok(b"back"), ok(b"back", "Connection: close"), b"HTTP/1.1 200 OK\r\n\r\nback"],
    ids=["kept", "closed", "until close"],
)
async def test_one_answer_forgives_a_target_what_failed_before(gateway: RunningProxy, answer: bytes) -> None:
    backend = await gateway.backend(
        takes_and_resets, takes_and_resets, answering(answer, then=lambda wire: wire.transport.close())
    )
    proxy = await gateway.proxy([backend], clock=Clock())
    for _ in range(2):
        assert (await proxy.ask(post(b"x"))).status == 502

    assert (await proxy.ask(post(b"x"))).body == b"back"
    (target,) = targets(proxy)
    assert (target.failures, target.out) == (0, False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("number", "answer"), [(2, ok()), (3, ok()), (3, ok(b"", "Connection: close"))])
async def test_ties_take_turns(gateway: RunningProxy, number: int, answer: bytes) -> None:
    backends = [await gateway.backend(always(answer)) for _ in range(number)]
    proxy = await gateway.proxy(backends)

    for _ in range(10 * number):
        await proxy.ask(get("/"))

    assert [len(backend.requests) for backend in backends] == [10] * number


async def test_all_of_legacys_targets_out_are_all_tried(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"all the same")))
    proxy = await gateway.proxy([GONE, backend], clock=Clock())
    for target in targets(proxy):
        target.leave_out()
    proxy.turn(0.1)

    assert [(await proxy.ask(post(b"x"))).body for _ in range(4)] == [b"all the same"] * 4


async def test_a_connection_is_closed_at_its_greatest_age(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, clock=Clock(), max_age=20.0)
    client = await proxy.client()
    for _ in range(8):
        await client.ask(get("/"))
        proxy.turn(4.0)

    assert len(backend.wires) == 2
    assert await backend.wires[0].gone() in ("eof", "reset")
