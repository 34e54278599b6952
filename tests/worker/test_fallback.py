"""When legacy is asked after modern has failed (contract: Fallback; requirement 14)."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import Fallback
from tests.support.backend import Backend, Script, Wire, always, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.line import Ended
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post

SORRY = ok(b"sorry", status="503 Service Unavailable")
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


# ── never sent: connect, any method ──
@pytest.mark.parametrize("mode", ["connect", "safe"])
@pytest.mark.parametrize(
    "request_bytes", [get("/"), post(b"body"), post(b"body", method="DELETE")], ids=["GET", "POST", "DELETE"]
)
async def test_a_request_that_could_not_be_sent_is_answered_by_legacy(
    gateway: RunningProxy, mode: str, request_bytes: bytes
) -> None:
    """Contract: `connect`: never sent, any method."""
    both = await sides(gateway, None, mode)

    answer = await both.ask(request_bytes)

    assert answer.body == b"legacy:" + request_bytes.partition(b"\r\n\r\n")[2]
    record = await both.proxy.exchange()
    assert (record.side, record.answered, record.status, record.fallback) == ("modern", "legacy", 200, "connect")
    assert [(attempt.side, attempt.kind, attempt.failed) for attempt in record.attempts] == [
        ("modern", "connect", True),
        ("legacy", "", False),
    ]


async def test_a_body_too_large_to_keep_still_goes_to_legacy_when_nothing_was_sent(gateway: RunningProxy) -> None:
    """Contract: `connect`: never sent, any method; a small first part waits, the rest follows."""
    both = await sides(gateway, None, "connect", max_body=10)

    answer = await both.ask(post(b"x" * 50_000))

    assert answer.body == b"legacy:" + b"x" * 50_000


async def test_fallback_none_means_none(gateway: RunningProxy) -> None:
    both = await sides(gateway, None, "none")

    assert (await both.ask(get("/"))).status == 502
    assert both.legacy.requests == []


# ── safe: GET and HEAD ──
FAILURES: dict[str, tuple[Script, str]] = {
    "reset": (on_head(b"", Wire.reset), "reset"),
    "close": (on_head(b"", Wire.close), "reset"),
    "half a head": (on_head(b"HTTP/1.1 200 O", Wire.close), "reset"),
    "status": (always(SORRY), "status"),
    "status in chunks": (always(chunks(b"sorry", status="503 Service Unavailable")), "status"),
    "status in many chunks": (always(chunks(*[b"sorry"] * 50, status="500 Oops")), "status"),
    "status until closed": (on_head(b"HTTP/1.1 502 Bad Gateway\r\n\r\nsorry", Wire.close), "status"),
    "status without a body": (always(ok(b"", status="504 x")), "status"),
    "status and half a body": (on_head(b"HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\nso"), "status"),
    "status after hints": (always(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + SORRY), "status"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_safe_request_that_modern_fails_is_answered_by_legacy(
    gateway: RunningProxy, name: str, method: str
) -> None:
    """Contract: `safe`."""
    script, reason = FAILURES[name]
    both = await sides(gateway, script)
    client = await both.proxy.client()

    for number in range(2):
        answer = await client.ask(get(f"/{number}", method=method), method)
        assert answer.status == 200
        assert answer.body == (b"legacy:" if method == "GET" else b"")

    record = await both.proxy.exchange()
    assert (record.answered, record.status, record.fallback) == ("legacy", 200, reason)
    assert [(attempt.side, attempt.failed) for attempt in record.attempts] == [("modern", True), ("legacy", False)]


async def test_a_safe_request_that_times_out_is_answered_by_legacy(gateway: RunningProxy) -> None:
    """Contract: `safe`."""
    both = await sides(gateway, hang, clock=Clock(), timeout=5.0)
    client = await both.proxy.client()
    client.send(get("/"))
    assert both.modern is not None
    upstream = await both.modern.wire()
    await upstream.seen(b"\r\n\r\n")

    both.proxy.turn(5.1)

    assert (await client.answer()).body == b"legacy:"
    assert (await both.proxy.exchange()).fallback == "timeout"
    assert await upstream.gone() in ("eof", "reset")


@pytest.mark.parametrize("name", ["reset", "close", "status", "status in chunks"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_what_may_have_had_an_effect_is_not_done_again(gateway: RunningProxy, name: str, method: str) -> None:
    """Contract: `safe` is for GET and HEAD."""
    both = await sides(gateway, FAILURES[name][0])

    answer = await both.ask(post(b"x", method=method))

    assert answer.status in (502, 503)
    assert both.legacy.requests == []


@pytest.mark.parametrize("target", ["/logout", "/users/verify?x=1", "/a?token=abc", "/oauth/callback?code=1&state=2"])
async def test_a_get_with_effects_is_not_done_again(gateway: RunningProxy, target: str) -> None:
    """Contract: the deny list of GETs with effects."""
    both = await sides(gateway, always(SORRY))

    assert (await both.ask(get(target))).body == b"sorry"
    assert both.legacy.requests == []


@pytest.mark.parametrize("status", ["400 x", "404 x", "401 x", "200 OK", "302 x", "501 x"])
async def test_a_status_that_is_not_listed_is_passed_on(gateway: RunningProxy, status: str) -> None:
    both = await sides(gateway, always(ok(b"modern", status=status)))

    assert (await both.ask(get("/"))).body == b"modern"


async def test_connect_mode_passes_a_5xx_on(gateway: RunningProxy) -> None:
    both = await sides(gateway, always(SORRY), "connect")

    assert (await both.ask(get("/"))).body == b"sorry"


async def test_there_is_no_fallback_once_a_byte_of_the_answer_went_out(gateway: RunningProxy) -> None:
    """Contract: never once a byte of the answer went to the client."""
    both = await sides(gateway, on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Wire.close))
    client = await both.proxy.client()
    client.send(get("/"))

    with pytest.raises(Ended):
        await client.answer()
    assert both.legacy.requests == []


async def test_a_retry_on_the_same_side_comes_before_the_fallback(gateway: RunningProxy) -> None:
    """Contract: Fallback."""

    async def stale(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"modern"))
        await wire.head()
        wire.close()

    legacy = await gateway.backend(always(ok(b"legacy")))
    modern = await gateway.backend(stale, always(ok(b"modern again")))
    proxy = await gateway.proxy(legacy, modern)
    client = await proxy.client()

    await client.ask(get("/1"))
    assert (await client.ask(get("/2"))).body == b"modern again"
    assert legacy.requests == []


async def test_legacys_failures_are_never_answered_by_modern(gateway: RunningProxy) -> None:
    """Contract: modern → legacy only."""
    modern = await gateway.backend(always(ok(b"modern")))
    legacy = await gateway.backend(always(SORRY))
    proxy = await gateway.proxy(legacy, modern, routes=[])

    assert (await proxy.ask(get("/"))).body == b"sorry"
    assert modern.requests == []


async def test_a_fallback_that_fails_too_is_legacys_failure(gateway: RunningProxy) -> None:
    """Contract: legacy's answer to it is legacy's outcome."""
    modern = await gateway.backend(always(SORRY))
    legacy = await gateway.backend(on_head(b"", Wire.close))
    proxy = await gateway.proxy(legacy, modern)

    answer = await proxy.ask(get("/"))

    assert answer.status == 502
    record = await proxy.exchange()
    assert (record.answered, record.fallback) == ("none", "status")
    assert [(attempt.side, attempt.failed) for attempt in record.attempts] == [("modern", True), ("legacy", True)]


async def test_modern_is_left_at_once_when_legacy_takes_over(gateway: RunningProxy) -> None:
    """A response without a client is not read."""
    both = await sides(gateway, on_head(b"HTTP/1.1 503 x\r\nContent-Length: 1000000\r\n\r\nso"))

    await both.ask(get("/"))

    assert both.modern is not None
    assert await both.modern.wires[0].gone() in ("eof", "reset")


async def test_legacys_silence_after_modern_could_not_be_reached_is_legacys_timeout(gateway: RunningProxy) -> None:
    """Each attempt is recorded by what happened to it."""

    async def once(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"legacy"))
        await wire.gone()

    legacy = await gateway.backend(once)
    proxy = await gateway.proxy(legacy, REFUSES, clock=Clock(), timeout=5.0)
    client = await proxy.client()
    assert (await client.ask(get("/1"))).body == b"legacy"
    client.send(get("/2"))
    await legacy.wires[0].seen(b"/2")

    proxy.turn(5.1)

    assert (await client.answer()).status == 504
    assert [attempt.kind for attempt in (await proxy.exchange(1)).attempts] == ["connect", "timeout"]
