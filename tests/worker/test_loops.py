"""A request that returns is a loop, unless it may (contract: Edges)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.telemetry import events
from proxy.telemetry.metric_names import LOOPS
from rules.model import LEGACY, Listen, Via
from rules.routing.decide import generation
from tests.support import snapshots
from tests.support.backend import Backend, always, ok
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post


async def named(gateway: RunningProxy, backend: Backend | str, via: Via) -> Proxy:
    url = backend if isinstance(backend, str) else backend.url
    chosen = snapshots.snapshot({LEGACY: [url]})
    return await gateway.serve(replace(chosen, listen=replace(chosen.listen, via=via)))


async def looping(gateway: RunningProxy, via: Via) -> Proxy:
    """A proxy whose backend is itself."""
    proxy = await named(gateway, "http://127.0.0.1:1", via)
    host, port = proxy.address
    bound, chosen = proxy.server.bound, snapshots.snapshot({LEGACY: [f"http://{host}:{port}"]})
    listen = replace(Listen(), via=via)
    proxy.server.live.swap(generation(bound.generation.number + 1, replace(chosen, listen=listen)))
    return proxy


@pytest.mark.parametrize(("passes", "calls"), [(1, 2), (2, 3), (5, 6)])
async def test_a_backend_that_is_ourselves_makes_no_nested_calls(
    gateway: RunningProxy, passes: int, calls: int
) -> None:
    proxy = await looping(gateway, Via("strangler-a", passes))

    answer = await proxy.ask(get("/"))

    assert answer.status == 508
    assert len(proxy.exchanges) == calls
    assert {exchange.status for exchange in proxy.exchanges} == {508}
    assert proxy.server.counted[LOOPS, (LEGACY,)] == 1


async def test_a_loop_is_told_of_with_the_backend_that_leads_here(gateway: RunningProxy) -> None:
    proxy = await looping(gateway, Via("strangler-a"))
    told: list[tuple[str, str, object]] = []
    proxy.server.emit = lambda event, level="info", /, **fields: told.append((event, level, fields["backend"]))

    for _ in range(3):
        await proxy.ask(get("/"))

    assert told == [(events.LOOP, "warning", LEGACY)]
    assert proxy.server.counted[LOOPS, (LEGACY,)] == 3


async def test_a_loop_with_a_body_is_one_as_well(gateway: RunningProxy) -> None:
    proxy = await looping(gateway, Via("strangler-a"))

    answer = await proxy.ask(post(b"hello"), "POST")

    assert (answer.status, len(proxy.exchanges)) == (508, 2)


async def test_two_instances_in_a_row_are_no_loop(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"there")))
    second = await named(gateway, backend, Via("strangler-b"))
    first = await named(gateway, "http://{}:{}".format(*second.address), Via("strangler-a"))

    assert (await first.ask(get("/"))).body == b"there"
    assert backend.requests[0].field("via") == "1.1 strangler-a, 1.1 strangler-b"


async def test_an_application_that_calls_back_once_may_where_two_passes_are_allowed(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"there")))
    proxy = await named(gateway, backend, Via("strangler-a", passes=2))

    assert (await proxy.ask(get("/", "Via: 1.1 strangler-a"))).body == b"there"
    assert (await proxy.ask(get("/", "Via: 1.1 strangler-a, 1.0 other", "Via: 1.1 strangler-a"))).status == 508


@pytest.mark.parametrize(
    ("via", "status"),
    [
        ("1.1 strangler-a", 508),
        ("1.0 STRANGLER-A", 508),
        ("HTTP/1.1 strangler-a (comment, of words)", 508),
        ("1.0 a, 1.1 strangler-a", 508),
        ("1.1 strangler-ab", 200),
        ("1.1 strangler", 200),
        ("1.1 other (strangler-a)", 200),
        ("strangler-a", 200),
        ("", 200),
    ],
)
async def test_our_own_member_alone_is_a_loop(gateway: RunningProxy, via: str, status: int) -> None:
    proxy = await named(gateway, await gateway.backend(always(ok())), Via("strangler-a"))

    assert (await proxy.ask(get("/", f"Via: {via}"))).status == status


async def test_no_limit_is_no_loop(gateway: RunningProxy) -> None:
    proxy = await named(gateway, await gateway.backend(always(ok())), Via("strangler-a", passes=0))

    assert (await proxy.ask(get("/", "Via: 1.1 strangler-a, 1.1 strangler-a"))).status == 200
