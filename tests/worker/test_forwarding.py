"""What of a request crosses the proxy unchanged, and what does not (requirements 5, 7, 8, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.backend import always, ok
from tests.support.messages import Message
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.tables import cases, wire

OURS = {
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "x-request-id",
    "traceparent",
    "via",
}
"""Every field the proxy adds to a request (contract: Headers)."""


async def forwarded(gateway: RunningProxy, data: bytes, answer: bytes = ok(), **settings: Any) -> Message:
    """The request a backend gets for what a client sent."""
    backend = await gateway.backend(always(answer))
    proxy = await gateway.proxy(backend, **settings)
    reply = await proxy.ask(data, data.split(b" ")[0].decode("latin-1"))
    assert reply.status == 200, reply
    return backend.requests[0]


@pytest.mark.both_loops
async def test_a_request_reaches_the_backend_and_its_answer_comes_back(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"hello", "X-Kind: greeting")))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/a"))

    assert (answer.status, answer.body, answer.field("x-kind")) == (200, b"hello", "greeting")
    assert [request.start for request in backend.requests] == ["GET /a HTTP/1.1"]


# ── request ──
@pytest.mark.parametrize("case", cases("http_accepted"))
async def test_an_unusual_but_proper_request_is_forwarded(gateway: RunningProxy, case: dict[str, Any]) -> None:
    """Requirements 1, 7, 9: strict is not narrow."""
    request = await forwarded(gateway, wire(case))

    assert request.start == case["start"]
    assert request.body == case.get("payload", "").encode("latin-1")
    lines = [f"{name}: {value}" for name, value in request.fields]
    for line in case.get("with", []):
        assert line in lines
    for name in case.get("without", []):
        assert request.field(name) is None


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//",
        "/a//b",
        "/a/../b",
        "/./a",
        "/%2e%2e/a",
        "/%2F",
        "/a%20b",
        "/a%zz",
        "/a%",
        "/a;b=1",
        "/?",
        "/a?",
        "/a??b",
        "/a?b=1&b=2&=&&",
        "/a?b=%00",
        "/a?b#".rstrip("#"),
        '/a?q=[1]{2}|3^4`5\\6"7<8>',
        "/~user/:port/@at",
        "/a?redirect=http://b/?c=d",
        "/" + "x" * 4000,
    ],
)
async def test_the_target_arrives_byte_for_byte(gateway: RunningProxy, target: str) -> None:
    """Requirement 7: no decoding, re-encoding, folding, no lost question mark."""
    request = await forwarded(gateway, get(target))

    assert request.target == target


async def test_fields_keep_their_order_repetition_case_and_bytes(gateway: RunningProxy) -> None:
    """Requirement 7."""
    lines = [
        "aCcEpT: text/html",
        "X-B: 2",
        "x-a: 1",
        "X-B: 3",
        "Cookie: a=b; c=\xe9",
        "X-Obs: \x80\xa0\xad\xff",
        "X-Tab: a\tb",
        "Cookie: d=e",
        "X-Empty: ",
        "Accept-Encoding: gzip, br",
        "Range: bytes=1-2",
        'If-None-Match: "x"',
    ]

    request = await forwarded(gateway, get("/", *lines))

    kept = [f"{name}: {value}" for name, value in request.fields if name.lower() not in OURS]
    assert kept == lines


async def test_no_field_is_invented_but_the_documented_ones(gateway: RunningProxy) -> None:
    """Requirement 7."""
    request = await forwarded(gateway, get("/"))

    assert {name.lower() for name in request.names} == OURS


async def test_blanks_around_a_value_are_not_part_of_it(gateway: RunningProxy) -> None:
    """RFC 9110 5.5."""
    request = await forwarded(gateway, get("/", "X-A:1", "X-B: \t 2 \t "))

    assert (request.field("x-a"), request.field("x-b")) == ("1", "2")


@pytest.mark.parametrize("host", ["example.test", "EXAMPLE.test:8080", "[::1]:80", "a_b.c-d", "192.0.2.1"])
async def test_host_arrives_as_it_came(gateway: RunningProxy, host: str) -> None:
    """Requirement 7."""
    request = await forwarded(gateway, get("/", host=host))

    assert request.field("host") == host


@pytest.mark.parametrize(
    ("line", "target", "host"),
    [
        ("GET http://b.test/x?y HTTP/1.1", "/x?y", "b.test"),
        ("GET http://b.test HTTP/1.1", "/", "b.test"),
        ("GET http://b.test?y HTTP/1.1", "/?y", "b.test"),
        ("GET HTTP://B.test:81/%2e HTTP/1.1", "/%2e", "B.test:81"),
        ("GET https://b.test/ HTTP/1.1", "/", "b.test"),
        ("OPTIONS http://b.test HTTP/1.1", "*", "b.test"),
        ("OPTIONS http://b.test/ HTTP/1.1", "/", "b.test"),
        ("OPTIONS * HTTP/1.1", "*", "a.test"),
    ],
)
async def test_an_absolute_targets_authority_becomes_host(
    gateway: RunningProxy, line: str, target: str, host: str
) -> None:
    """Requirement 9; RFC 9112 3.2.2, 3.2.4."""
    request = await forwarded(gateway, f"{line}\r\nHost: a.test\r\n\r\n".encode())

    assert (request.target, request.all("host")) == (target, [host])


async def test_the_version_sent_is_our_own(gateway: RunningProxy) -> None:
    """Requirement 5; RFC 9110 2.5."""
    request = await forwarded(gateway, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")

    assert request.start == "GET / HTTP/1.1"


@pytest.mark.parametrize("method", ["PURGE", "PROPFIND", "get", "M-SEARCH", "A"])
async def test_a_method_that_nobody_knows_is_forwarded(gateway: RunningProxy, method: str) -> None:
    """RFC 9110 9.1: a proxy is no judge of methods."""
    request = await forwarded(gateway, get("/", method=method))

    assert request.method == method


async def test_hop_by_hop_fields_stay_on_their_hop(gateway: RunningProxy) -> None:
    """Requirement 8; RFC 9110 7.6.1."""
    dropped = ["Keep-Alive: 5", "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: h2c", "HTTP2-Settings: AAA"]

    request = await forwarded(gateway, get("/", *dropped, "Connection: keep-alive", "X-Stays: 1"))

    assert {name.lower() for name in request.names} == {*OURS, "x-stays"}


@pytest.mark.parametrize(
    "connection",
    [
        ["Connection: X-Hop"],
        ["Connection: x-hop"],
        ["Connection: close, X-Hop"],
        ["Connection: keep-alive, X-Hop"],
        ["Connection: keep-alive", "Connection: X-Hop"],
        ["Connection: X-Hop", "Connection: keep-alive"],
        ["Connection: close", "Connection: X-Hop"],
        ["Connection: X-Hop", "Connection: close"],
        ["Connection: ,, X-Hop ,"],
        ["Connection: X-Other", "Connection: X-Hop"],
        ["Connection: \tX-Hop\t"],
    ],
    ids=" + ".join,
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_fields_named_by_connection_are_dropped(
    gateway: RunningProxy, connection: list[str], version: str
) -> None:
    """Requirement 8."""
    lines = "\r\n".join(["Host: a", "X-Hop: secret", *connection, "X-Hop: again", "X-Stays: 1"])

    request = await forwarded(gateway, f"GET / HTTP/{version}\r\n{lines}\r\n\r\n".encode())

    assert request.all("x-hop") == []
    assert request.field("x-stays") == "1"


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "Via",
        "X-Request-Id",
        "traceparent",
    ],
)
async def test_connection_cannot_name_away_what_we_add(gateway: RunningProxy, name: str) -> None:
    """Requirement 8."""
    request = await forwarded(gateway, get("/", f"Connection: close, {name}"))

    assert request.field(name)


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection", "close"])
async def test_connection_cannot_name_away_framing(gateway: RunningProxy, name: str) -> None:
    """Requirement 8."""
    request = await forwarded(gateway, post(b"hello", f"Connection: {name}"))

    assert (request.field("content-length"), request.body) == ("5", b"hello")


async def test_te_trailers_is_said_again_on_the_next_hop(gateway: RunningProxy) -> None:
    """RFC 9110 10.1.4: a proxy that hands trailers on may say so itself."""
    request = await forwarded(gateway, get("/", "TE: trailers, deflate;q=0.5", "Connection: TE"))

    assert (request.field("te"), request.field("connection")) == ("trailers", "TE")


async def test_connections_wish_to_close_is_not_passed_on(gateway: RunningProxy) -> None:
    """Requirement 8: our connection to the backend is ours."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    for _ in range(3):
        answer = await proxy.ask(get("/", "Connection: close"))
        assert answer.closes

    assert len(backend.wires) == 1


@pytest.mark.parametrize("count", ["0", "1", "10"])
async def test_max_forwards_counts_the_hops_of_an_options_request(gateway: RunningProxy, count: str) -> None:
    """RFC 9110 7.6.2: a MUST for every intermediary."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/", f"Max-Forwards: {count}", method="OPTIONS"))

    assert answer.status in (200, 204)
    if count == "0":
        assert backend.requests == []
    else:
        assert backend.requests[0].field("max-forwards") == str(int(count) - 1)
