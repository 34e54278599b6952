"""A side may get another method (contract: `modern.method`, Retries)."""

from __future__ import annotations

import pytest

from rules.model import Fallback, SidePolicy
from tests.support.backend import Wire, always, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.snapshots import route


@pytest.mark.parametrize(
    ("asked", "wanted", "sent"),
    [
        ("POST", "PUT", "PUT"),
        ("POST", "PATCH", "PATCH"),
        ("PUT", "POST", "POST"),
        ("POST", "GET", "GET"),
        ("DELETE", "POST", "POST"),
        ("GET", "PUT", "GET"),
        ("HEAD", "PUT", "HEAD"),
        ("HEAD", "GET", "HEAD"),
        ("OPTIONS", "PUT", "OPTIONS"),
        ("GET", "REPORT", "REPORT"),
    ],
)
async def test_a_side_gets_its_method_unless_a_safe_one_would_be_unsafe(
    gateway: RunningProxy, asked: str, wanted: str, sent: str
) -> None:
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(always(_said))
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=SidePolicy("modern", method=wanted))])
    client = await proxy.client()

    for _ in range(2):
        assert (await client.ask(get("/", method=asked), asked)).status == 200
    assert [request.method for request in modern.requests] == [sent, sent]
    assert (await proxy.exchange()).method == asked


def _said(request: Message) -> bytes:
    return ok(b"" if request.method == "HEAD" else b"hello")


async def test_legacy_gets_the_clients_method_where_modern_could_not_be_reached(gateway: RunningProxy) -> None:
    legacy = await gateway.backend(always(ok(b"legacy")))
    proxy = await gateway.proxy(legacy, "http://127.0.0.1:1", routes=[route(modern=SidePolicy("modern", method="PUT"))])

    assert (await proxy.ask(post(b"x"), "POST")).body == b"legacy"
    assert (legacy.requests[0].method, legacy.requests[0].body) == ("POST", b"x")


@pytest.mark.parametrize(
    ("asked", "wanted", "repeated"),
    [
        ("PUT", None, True),
        ("PUT", "DELETE", True),
        ("PUT", "POST", False),
        ("POST", "PUT", False),
        ("GET", "POST", True),
    ],
)
async def test_both_methods_must_allow_a_second_try(
    gateway: RunningProxy, asked: str, wanted: str | None, repeated: bool
) -> None:
    """RFC 9110 9.2.2: a kept connection that ends as the request comes."""

    async def once(wire: Wire) -> None:
        await wire.request()
        wire.send(ok())
        await wire.request()
        wire.transport.close()

    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(once, always(ok(b"again")))
    policy = SidePolicy("modern", method=wanted)
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=policy, fallback=Fallback("none"))])
    client = await proxy.client()
    await client.ask(get("/"))

    answer = await client.ask(get("/", method=asked), asked)

    assert answer.status == (200 if repeated else 502)


@pytest.mark.parametrize(
    ("asked", "wanted", "body"), [("GET", "REPORT", b"oops"), ("POST", "GET", b"oops"), ("GET", "POST", b"legacy")]
)
async def test_both_methods_must_be_safe_for_legacy_to_answer(
    gateway: RunningProxy, asked: str, wanted: str, body: bytes
) -> None:
    legacy, modern = (
        await gateway.backend(always(ok(b"legacy"))),
        await gateway.backend(always(ok(b"oops", status="500 Oops"))),
    )
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=SidePolicy("modern", method=wanted))])

    assert (await proxy.ask(get("/", method=asked), asked)).body == body
