"""What is trusted from which peer (requirement 8; contract: Headers)."""

from __future__ import annotations

import re

import pytest

from rules.model import LEGACY, Match, Rollout, SidePolicy
from tests.support.backend import always, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.snapshots import route

TRUSTED = ("127.0.0.1/32",)
SAYS = [
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.test",
    "X-Real-IP: 203.0.113.9",
    "Forwarded: for=203.0.113.9;proto=https",
    "X-Request-Id: known-1",
]


async def forwarded(gateway: RunningProxy, *lines: str, trusted: tuple[str, ...] = (), data: bytes = b"") -> Message:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, trusted=trusted)
    await proxy.ask(data or get("/", *lines))
    return backend.requests[0]


# ── nobody is trusted ──


async def test_a_backend_learns_who_asks_how_and_for_what(gateway: RunningProxy) -> None:
    request = await forwarded(gateway)

    assert request.field("x-forwarded-for") == "127.0.0.1"
    assert request.field("x-forwarded-proto") == "http"
    assert request.field("x-forwarded-host") == "example.test"
    assert request.field("forwarded") == "for=127.0.0.1;host=example.test;proto=http"
    assert request.field("via") == "1.1 strangler"
    assert re.fullmatch("[0-9a-f]{32}", request.field("x-request-id") or "")
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", request.field("traceparent") or "")


async def test_a_client_that_names_no_host_is_named_all_the_same(gateway: RunningProxy) -> None:
    """Requirement 8: without our field, an application takes the proxy's own address for the user's."""
    request = await forwarded(gateway, data=b"GET / HTTP/1.0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")

    assert request.field("x-forwarded-for") == "127.0.0.1"
    assert request.field("x-forwarded-proto") == "http"


async def test_what_an_untrusted_peer_says_about_others_is_discarded(gateway: RunningProxy) -> None:
    """Requirement 8."""
    request = await forwarded(gateway, *SAYS)

    assert "203.0.113.9" not in str(request)
    assert "shop.test" not in str(request)
    assert request.field("x-forwarded-proto") == "http"
    assert request.field("x-request-id") != "known-1"


@pytest.mark.parametrize(
    "line",
    [
        "X_Forwarded_For: 6.6.6.6",
        "x-forwarded_for: 6.6.6.6",
        "X_FORWARDED_FOR: 6.6.6.6",
        "X-Forwarded-Port: 6.6.6.6",
        "X-Forwarded-Prefix: 6.6.6.6",
        "X_Forwarded_Anything: 6.6.6.6",
        "X_Real_IP: 6.6.6.6",
        "X.Forwarded.For: 6.6.6.6",
        "x-forwarded.for: 6.6.6.6",
        "X.Real_IP: 6.6.6.6",
        "x-real_ip: 6.6.6.6",
        "X_Request_Id: 6.6.6.6",
        "fOrWaRdEd: for=6.6.6.6",
    ],
)
async def test_every_spelling_of_a_forwarded_field_is_discarded(gateway: RunningProxy, line: str) -> None:
    """Requirement 8: PHP and CGI read X_Forwarded_For as X-Forwarded-For, PHP even X.Forwarded.For."""
    request = await forwarded(gateway, line, line)

    assert "6.6.6.6" not in str(request)


@pytest.mark.parametrize(
    "line", ["X-Shadow: 1", "x-shadow-id: 1", "X_Shadow: 1", "X-Shadow-Anything: 1", "X_SHADOW_ID: 1", "X.Shadow: 1"]
)
@pytest.mark.parametrize("trusted", [(), TRUSTED])
async def test_shadow_fields_are_removed_whoever_sends_them(
    gateway: RunningProxy, line: str, trusted: tuple[str, ...]
) -> None:
    """Contract: Headers."""
    request = await forwarded(gateway, line, trusted=trusted)

    assert "shadow" not in str(request).lower()


@pytest.mark.parametrize("line", ["X-Strangler-Force: modern", "x-strangler-debug: 1", "X_Strangler_Force: modern"])
async def test_strangler_fields_of_an_untrusted_peer_are_removed(gateway: RunningProxy, line: str) -> None:
    """Contract: Headers."""
    request = await forwarded(gateway, line)

    assert "strangler-" not in str(request).lower().replace("_", "-")


async def test_an_untrusted_peer_cannot_choose_its_side(gateway: RunningProxy) -> None:
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    forced = route(rollout=Rollout(weight=0.0, by="request", force_header="X-Strangler-Force"))
    closed = await gateway.proxy(legacy, modern, routes=[forced])
    open_ = await gateway.proxy(legacy, modern, routes=[forced], trusted=TRUSTED)
    request = get("/", "X-Strangler-Force: modern")

    assert (await closed.ask(request)).body == b"legacy"
    assert (await open_.ask(request)).body == b"modern"


async def test_an_untrusted_peer_cannot_match_a_route_by_a_strangler_field(gateway: RunningProxy) -> None:
    """Contract: X-Strangler-* is removed from every inbound request unless the peer is trusted."""
    legacy, hidden = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"hidden")))
    match = Match("/**", headers=(("X-Strangler-Tester", "1"),))
    routes = [route(name="hidden", match=match, legacy=SidePolicy("modern"), weight=0.0)]
    closed = await gateway.proxy(legacy, hidden, routes=routes)
    open_ = await gateway.proxy(legacy, hidden, routes=routes, trusted=TRUSTED)
    request = get("/", "X-Strangler-Tester: 1")

    assert (await closed.ask(request)).body == b"legacy"
    assert (await open_.ask(request)).body == b"hidden"


async def test_an_untrusted_peer_learns_nothing_about_the_decision(gateway: RunningProxy) -> None:
    """Contract: Headers, X-Strangler-Debug."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, backend)

    answer = await proxy.ask(get("/", "X-Strangler-Debug: 1"))

    assert "strangler" not in str(answer.fields).lower()


# ── a trusted peer ──


async def test_what_a_trusted_peer_says_is_kept_our_hop_appended(gateway: RunningProxy) -> None:
    """Requirement 8."""
    request = await forwarded(gateway, *SAYS, trusted=TRUSTED)

    assert request.field("x-forwarded-for") == "203.0.113.9, 127.0.0.1"
    assert request.field("x-forwarded-proto") == "https"
    assert request.field("x-forwarded-host") == "shop.test"
    assert request.field("x-real-ip") == "203.0.113.9"
    assert request.field("x-request-id") == "known-1"
    forwarded_field = request.field("forwarded") or ""
    assert forwarded_field.startswith("for=203.0.113.9;proto=https, for=127.0.0.1;")


async def test_several_lines_of_a_forwarded_field_are_one_list(gateway: RunningProxy) -> None:
    """RFC 9110 5.3."""
    request = await forwarded(
        gateway, "X-Forwarded-For: 192.0.2.1, 192.0.2.2", "X-Forwarded-For: 192.0.2.3", trusted=TRUSTED
    )

    assert request.field("x-forwarded-for") == "192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1"
    assert (request.field("forwarded") or "").count("for=") == 4


async def test_addresses_of_version_6_are_quoted_in_forwarded(gateway: RunningProxy) -> None:
    """RFC 7239 6."""
    request = await forwarded(gateway, "X-Forwarded-For: 2001:db8::1", trusted=TRUSTED)

    assert 'for="[2001:db8::1]"' in (request.field("forwarded") or "")


async def test_a_host_that_is_no_token_is_quoted_in_forwarded(gateway: RunningProxy) -> None:
    """RFC 7239 4."""
    request = await forwarded(gateway, data=get("/", host="a.test:8080"))

    assert 'host="a.test:8080"' in (request.field("forwarded") or "")


@pytest.mark.parametrize(
    "line",
    ['X-Forwarded-Proto: https" x', "X-Forwarded-Host: a/b", "X-Forwarded-Proto: ht tp", "X-Forwarded-Host: <x>"],
)
async def test_a_trusted_peers_nonsense_is_not_passed_on(gateway: RunningProxy, line: str) -> None:
    request = await forwarded(gateway, line, trusted=TRUSTED)

    assert request.field("x-forwarded-proto") == "http"
    assert request.field("x-forwarded-host") == "example.test"


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 129, "a/b", "\xe9", "a,b", "<script>"])
async def test_a_strange_request_id_is_replaced(gateway: RunningProxy, request_id: str) -> None:
    """Contract: Headers."""
    request = await forwarded(gateway, f"X-Request-Id: {request_id}", trusted=TRUSTED)

    assert re.fullmatch("[0-9a-f]{32}", request.field("x-request-id") or "")


async def test_two_request_ids_are_none(gateway: RunningProxy) -> None:
    request = await forwarded(gateway, "X-Request-Id: a", "X-Request-Id: b", trusted=TRUSTED)

    assert re.fullmatch("[0-9a-f]{32}", request.field("x-request-id") or "")


async def test_a_request_id_made_here_is_the_one_on_record(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/"))

    assert (await proxy.exchange()).request_id == backend.requests[0].field("x-request-id")


async def test_a_trace_is_carried_on(gateway: RunningProxy) -> None:
    """W3C Trace Context."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    request = await forwarded(gateway, f"traceparent: {trace}", "tracestate: a=1", "tracestate: b=2")

    assert request.field("traceparent") == trace
    assert request.field("tracestate") == "a=1,b=2"


@pytest.mark.parametrize(
    "trace",
    [
        "nonsense",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "",
    ],
)
async def test_a_broken_trace_is_begun_anew_without_its_state(gateway: RunningProxy, trace: str) -> None:
    """W3C Trace Context 3.2, 3.3."""
    request = await forwarded(gateway, f"traceparent: {trace}", "tracestate: a=1")

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", request.field("traceparent") or "")
    assert request.field("traceparent") != trace
    assert request.field("tracestate") is None


async def test_a_broken_trace_loses_its_state_where_we_take_part_in_it_too(gateway: RunningProxy) -> None:
    """W3C Trace Context 3.3."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    proxy.server.traced = lambda _: True

    await proxy.ask(get("/", "traceparent: nonsense", "tracestate: a=1"))

    assert backend.requests[0].field("tracestate") is None


async def test_via_lists_every_hop(gateway: RunningProxy) -> None:
    """RFC 9110 7.6.3."""
    request = await forwarded(gateway, "Via: 1.0 a", "Via: 1.1 b (x)")

    assert request.field("via") == "1.0 a, 1.1 b (x), 1.1 strangler"


async def test_a_trusted_peer_that_asks_learns_how_its_request_was_decided(gateway: RunningProxy) -> None:
    """Contract: Headers."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, backend, trusted=TRUSTED)

    answer = await proxy.ask(get("/", "X-Strangler-Debug: 1"))

    assert answer.field("x-strangler-route") == "all"
    assert answer.field("x-strangler-side") == "modern"
    assert answer.field("x-strangler-reason") == "weight"
    assert answer.field("x-strangler-bucket")


async def test_identity_headers_are_believed_from_trusted_peers_only(gateway: RunningProxy) -> None:
    """Contract: listen.trusted_proxies."""
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    chosen = route(rollout=Rollout(weight=0.0, by="user", salt="all", include=("42",)))
    identity = ("header:X-User-Id",)
    closed = await gateway.proxy(legacy, modern, routes=[chosen], identity=identity)
    open_ = await gateway.proxy(legacy, modern, routes=[chosen], identity=identity, trusted=TRUSTED)
    request = get("/", "X-User-Id: 42")

    assert (await closed.ask(request)).body == b"legacy"
    assert (await open_.ask(request)).body == b"modern"


async def test_an_unmatched_request_goes_to_legacy(gateway: RunningProxy) -> None:
    """Contract: Routing."""
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    proxy = await gateway.proxy(legacy, modern, routes=[route("/known")])

    assert (await proxy.ask(get("/unknown"))).body == b"legacy"
    assert (await proxy.exchange()).route == "_default"
    assert (await proxy.ask(get("/known"))).body == b"modern"
    assert (await proxy.exchange(1)).side != LEGACY
