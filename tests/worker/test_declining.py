"""Declines, health and what counts as a failure (contract: Fallback, What is an error)."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import Buffer, Fallback
from tests.support.backend import Backend, Script, Wire, always, answering, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe

DECLINED = ok(b"", "X-Strangler-Decline: 1")
REFUSES = "http://127.0.0.1:1"


class Sides:
    """Both backends and the proxy before them."""

    def __init__(self, legacy: Backend, modern: Backend | None, proxy: Proxy) -> None:
        self.legacy, self.modern, self.proxy = legacy, modern, proxy

    async def ask(self, data: bytes) -> Message:
        return await self.proxy.ask(data, data.split(b" ")[0].decode())


async def sides(
    gateway: RunningProxy, modern: Script | None, mode: str = "safe", *, max_body: int = 1 << 20, **settings: Any
) -> Sides:
    legacy = await gateway.backend(always(lambda request: ok(b"legacy:" + request.body)))
    backend = await gateway.backend(modern) if modern is not None else None
    proxy = await gateway.proxy(legacy, backend or REFUSES, fallback=Fallback(mode, max_body=max_body), **settings)
    return Sides(legacy, backend, proxy)


# ── decline ──
@pytest.mark.parametrize("mode", ["none", "connect", "safe"])
@pytest.mark.parametrize(
    "request_bytes", [get("/"), post(b"body"), post(b"b" * 100_000, method="PATCH")], ids=["GET", "POST", "PATCH"]
)
async def test_a_declined_request_is_replayed_to_legacy_whatever_the_mode(
    gateway: RunningProxy, mode: str, request_bytes: bytes
) -> None:
    """Contract: `X-Strangler-Decline: 1` means "nothing done"."""
    both = await sides(gateway, always(DECLINED), mode)

    answer = await both.ask(request_bytes)

    assert answer.body == b"legacy:" + request_bytes.partition(b"\r\n\r\n")[2]
    assert answer.field("x-strangler-decline") is None
    record = await both.proxy.exchange()
    assert (record.answered, record.fallback) == ("legacy", "declined")
    assert [(attempt.kind, attempt.failed) for attempt in record.attempts] == [("declined", False), ("", False)]


async def test_a_declined_chunked_request_is_replayed_chunk_for_chunk_in_meaning(gateway: RunningProxy) -> None:
    both = await sides(gateway, always(chunks(b"no", lines=("X-Strangler-Decline: 1",))))

    answer = await both.ask(
        get("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
    )

    assert answer.body == b"legacy:abcde"
    assert both.legacy.requests[0].trailers == (("X-Sum", "1"),)


async def test_a_request_declined_before_it_was_read_whole_is_replayed_whole(gateway: RunningProxy) -> None:
    """The part that came before and the part that came after make one body."""
    both = await sides(gateway, on_head(DECLINED), buffer=Buffer(request=5))
    client = await both.proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST") + b"01234")
    assert both.modern is not None
    await (await both.modern.wire()).gone()
    await breathe()

    client.send(b"56789")

    assert (await client.answer()).body == b"legacy:0123456789"


async def test_a_client_that_expects_a_100_gets_ours_before_a_decline(gateway: RunningProxy) -> None:
    """The body is collected first: neither side is asked for a 100, both may have the body whole."""

    async def patient(wire: Wire) -> None:
        assert b"Expect" not in await wire.head()
        wire.send(ok(b"legacy:" + await wire.exactly(5)))
        await wire.gone()

    legacy, modern = await gateway.backend(patient), await gateway.backend(on_head(DECLINED))
    proxy = await gateway.proxy(legacy, modern)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 5", "Expect: 100-continue", method="POST"))
    await client.until(b"100 Continue\r\n\r\n")

    assert (await client.ask(b"hello")).body == b"legacy:hello"


async def test_a_declined_body_above_the_limit_is_a_counted_502(gateway: RunningProxy) -> None:
    """Contract: bodies up to `max_body`."""
    both = await sides(gateway, always(DECLINED), max_body=10)

    answer = await both.ask(post(b"x" * 11))

    assert answer.status == 502
    assert both.legacy.requests == []
    record = await both.proxy.exchange()
    assert [(attempt.kind, attempt.failed) for attempt in record.attempts] == [("declined", False)]


@pytest.mark.parametrize("value", ["0", "", "true", "11"])
async def test_only_a_1_declines(gateway: RunningProxy, value: str) -> None:
    both = await sides(gateway, always(ok(b"modern", f"X-Strangler-Decline: {value}")))

    assert (await both.ask(get("/"))).body == b"modern"


async def test_legacy_cannot_decline(gateway: RunningProxy) -> None:
    legacy = await gateway.backend(always(ok(b"legacy", "X-Strangler-Decline: 1")))
    proxy = await gateway.proxy(legacy)

    assert (await proxy.ask(get("/"))).body == b"legacy"


# ── health, judgement ──
async def test_without_a_healthy_modern_target_everything_goes_to_legacy(gateway: RunningProxy) -> None:
    """Contract: any method; each such request is one failure of modern, whom it could not be put to."""
    both = await sides(gateway, always(ok(b"modern")), "connect", clock=Clock())
    target = both.proxy.server.bound.pools["modern"].targets[0]
    target.healthy = False
    both.proxy.turn(0.1)

    assert (await both.ask(post(b"x"))).body == b"legacy:x"
    record = await both.proxy.exchange()
    assert record.reason == "unhealthy"
    assert [(each.side, each.kind, each.failed) for each in record.attempts] == [
        ("modern", "unhealthy", True),
        ("legacy", "", False),
    ]


async def test_without_a_fallback_modern_is_tried_though_no_target_is_healthy(gateway: RunningProxy) -> None:
    """Contract: Retries."""
    both = await sides(gateway, always(ok(b"modern")), "none", clock=Clock())
    both.proxy.server.bound.pools["modern"].targets[0].healthy = False
    both.proxy.turn(0.1)

    assert (await both.ask(post(b"x"))).body == b"modern"


async def test_when_both_sides_are_unhealthy_requests_are_still_tried(gateway: RunningProxy) -> None:
    """Contract: Fallback."""
    both = await sides(gateway, always(ok(b"modern")), clock=Clock())
    for pool in both.proxy.server.bound.pools.values():
        pool.targets[0].healthy = False
    both.proxy.turn(0.1)

    assert (await both.ask(get("/"))).body == b"modern"


async def test_a_clients_hang_up_is_nobodys_failure(gateway: RunningProxy) -> None:
    """Contract: What is an error."""
    both = await sides(gateway, hang)
    client = await both.proxy.client()
    client.send(get("/"))
    assert both.modern is not None
    await (await both.modern.wire()).seen(b"\r\n\r\n")
    client.close()

    record = await both.proxy.exchange()
    assert (record.answered, record.status) == ("none", 499)
    assert [(attempt.kind, attempt.failed) for attempt in record.attempts] == [("client", False)]
    assert both.legacy.requests == []


async def test_the_guards_latency_runs_from_the_last_byte_sent_to_the_first_byte_back(gateway: RunningProxy) -> None:
    """Contract: What is an error."""

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.exactly(10)
        proxy.turn(2.0)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await wire.until(b"never")

    legacy = await gateway.backend(hang)
    modern = await gateway.backend(script)
    proxy = await gateway.proxy(legacy, modern, clock=Clock(), buffer=Buffer(request=1))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST") + b"0")
    await (await modern.wire()).seen(b"\r\n\r\n")
    proxy.turn(5.0)
    client.send(b"123456789")
    await client.until(b"ha")
    proxy.turn(3.0)
    modern.wires[0].send(b"ha")
    await client.until(b"ha")

    record = await proxy.exchange()
    assert record.attempts[0].wait == pytest.approx(2.0)
    assert record.duration == pytest.approx(10.0)


async def test_an_answered_4xx_is_no_failure(gateway: RunningProxy) -> None:
    both = await sides(gateway, answering(ok(b"", status="404 Not Found")))

    await both.ask(get("/"))

    assert not (await both.proxy.exchange()).attempts[0].failed
