"""The name under which users reach the proxy is one thing, wherever it is used (contract: Edges)."""

from __future__ import annotations

import pytest

from rules.model import Rollout, SidePolicy
from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.snapshots import route

TRUSTED = ("127.0.0.1/32",)
_FULL = 'Forwarded: for="[2001:db8::1]:4711" ; Proto=HTTPS; host="shop.test:8443", for=x;proto=http'
SAID = [
    (["X-Forwarded-Proto: https, http"], "https", "example.test"),
    (["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], "https", "example.test"),
    (["X-Forwarded-Proto: HTTPS"], "https", "example.test"),
    (["X-Forwarded-Proto: wss"], "https", "example.test"),
    (["X-Forwarded-Proto: , https"], "https", "example.test"),
    (["X-Forwarded-Host: shop.test, inner.test"], "http", "shop.test"),
    (["X-Forwarded-Host: shop.test:8443", "X-Forwarded-Host: inner"], "http", "shop.test:8443"),
    (["Forwarded: for=192.0.2.1;proto=https;host=shop.test"], "https", "shop.test"),
    ([_FULL], "https", "shop.test:8443"),
    (["Forwarded: proto=https", "Forwarded: proto=http;host=inner.test"], "https", "example.test"),
    (["Forwarded: proto=http;host=inner.test", "X-Forwarded-Proto: https, http"], "https", "example.test"),
    (["X-Forwarded-Host: shop.test", "Forwarded: proto=https;host=edge.test"], "https", "edge.test"),
    (["X-Forwarded-Host: shop.test", "Forwarded: for=192.0.2.1;host=edge.test"], "http", "shop.test"),
    (["X-Forwarded-Proto: gopher", "Forwarded: proto=https"], "https", "example.test"),
    (['Forwarded: for="a;proto=https, b";by=x'], "http", "example.test"),
    (["X-Forwarded-Host: a/b, shop.test"], "http", "example.test"),
    (["Forwarded: for=unknown;proto=https;host=shop.test"], "https", "shop.test"),
    (["Forwarded: proto=https;host=shop.test;Proto=http"], "http", "example.test"),
    (["Forwarded: host=shop.test;proto=https;host=inner.test, proto=https"], "http", "example.test"),
    (["Forwarded: for=192.0.2.1;proto=https;proto=https", "X-Forwarded-Proto: https"], "https", "example.test"),
    (["Forwarded: for=_hidden", "X-Forwarded-Proto: https"], "https", "example.test"),
]  # fmt: skip


async def asked(gateway: RunningProxy, lines: list[str], trusted: tuple[str, ...]) -> tuple[Message, Message, Backend]:
    backend = await gateway.backend()
    backend.scripts = (always(ok(b"", f"Location: {backend.url}/there", status="302 Found")),)
    chosen = route(
        modern=SidePolicy("modern", rewrite_location=True), rollout=Rollout(weight=100.0, by="user", salt="all")
    )
    proxy = await gateway.serve_sticky(backend, chosen, trusted)
    return await proxy.ask(get("/", *lines)), backend.requests[0], backend


@pytest.mark.parametrize(("lines", "scheme", "host"), SAID, ids=[" + ".join(lines) for lines, _, _ in SAID])
async def test_a_trusted_edge_says_scheme_and_host_once_for_all(
    gateway: RunningProxy, lines: list[str], scheme: str, host: str
) -> None:
    answer, request, _ = await asked(gateway, lines, TRUSTED)

    assert request.field("x-forwarded-proto") == scheme
    assert request.field("x-forwarded-host") == host
    own = (request.field("forwarded") or "").rpartition(", ")[2]
    assert own.partition(";")[2].replace('"', "") == f"host={host};proto={scheme}"
    assert answer.field("location") == f"{scheme}://{host}/there"
    assert ("; Secure" in (answer.field("set-cookie") or "")) is (scheme == "https")


@pytest.mark.parametrize("lines", [SAID[0][0], SAID[7][0]], ids=["x-forwarded", "forwarded"])
async def test_an_untrusted_peer_says_nothing_of_it(gateway: RunningProxy, lines: list[str]) -> None:
    answer, request, _ = await asked(gateway, lines, ())

    assert request.field("x-forwarded-proto") == "http"
    assert request.field("forwarded") == "for=127.0.0.1;host=example.test;proto=http"
    assert answer.field("location") == "http://example.test/there"
    assert "Secure" not in (answer.field("set-cookie") or "")


async def test_addresses_that_only_forwarded_names_are_in_the_older_field_as_well(gateway: RunningProxy) -> None:
    """An application that reads X-Forwarded-For takes the edge for the user otherwise."""
    line = 'Forwarded: for=192.0.2.1, for="[2001:db8::1]:4711", for=unknown, for=_hidden'

    _, request, _ = await asked(gateway, [line], TRUSTED)

    assert request.field("x-forwarded-for") == "192.0.2.1, 2001:db8::1, 127.0.0.1"
