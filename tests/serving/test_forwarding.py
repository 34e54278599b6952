"""What crosses the proxy as it came, what does not (requirements 5, 7, 8, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.backend import always, chunks, ok, on_head
from tests.support.messages import Message
from tests.support.proxying import House
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


async def forwarded(house: House, data: bytes, answer: bytes = ok(), **settings: Any) -> Message:
    """The request a backend gets for what a client sent."""
    backend = await house.backend(always(answer))
    proxy = await house.proxy(backend, **settings)
    reply = await proxy.ask(data, data.split(b" ")[0].decode("latin-1"))
    assert reply.status == 200, reply
    return backend.requests[0]


async def returned(house: House, answer: bytes, data: bytes = get("/")) -> Message:
    """The answer a client gets for what a backend said."""
    backend = await house.backend(always(answer))
    proxy = await house.proxy(backend)
    return await proxy.ask(data, data.split(b" ")[0].decode("latin-1"))


@pytest.mark.both_loops
async def test_a_request_reaches_the_backend_and_its_answer_comes_back(house: House) -> None:
    backend = await house.backend(always(ok(b"hello", "X-Kind: greeting")))
    proxy = await house.proxy(backend)

    answer = await proxy.ask(get("/a"))

    assert (answer.status, answer.body, answer.field("x-kind")) == (200, b"hello", "greeting")
    assert [request.start for request in backend.requests] == ["GET /a HTTP/1.1"]


# ── request ──


@pytest.mark.parametrize("case", cases("http_accepted"))
async def test_an_unusual_but_proper_request_is_forwarded(house: House, case: dict[str, Any]) -> None:
    """Requirements 1, 7, 9: strict is not narrow."""
    request = await forwarded(house, wire(case))

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
        "/a?q=[1]{2}|3^4`5\\6\"7<8>",
        "/~user/:port/@at",
        "/a?redirect=http://b/?c=d",
        "/" + "x" * 4000,
    ],
)
async def test_the_target_arrives_byte_for_byte(house: House, target: str) -> None:
    """Requirement 7: no decoding, re-encoding, folding, no lost question mark."""
    request = await forwarded(house, get(target))

    assert request.target == target


async def test_fields_keep_their_order_repetition_case_and_bytes(house: House) -> None:
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
        "If-None-Match: \"x\"",
    ]

    request = await forwarded(house, get("/", *lines))

    kept = [f"{name}: {value}" for name, value in request.fields if name.lower() not in OURS]
    assert kept == lines


async def test_no_field_is_invented_but_the_documented_ones(house: House) -> None:
    """Requirement 7."""
    request = await forwarded(house, get("/"))

    assert {name.lower() for name in request.names} == OURS


async def test_blanks_around_a_value_are_not_part_of_it(house: House) -> None:
    """RFC 9110 5.5."""
    request = await forwarded(house, get("/", "X-A:1", "X-B: \t 2 \t "))

    assert (request.field("x-a"), request.field("x-b")) == ("1", "2")


@pytest.mark.parametrize("host", ["example.test", "EXAMPLE.test:8080", "[::1]:80", "a_b.c-d", "192.0.2.1"])
async def test_host_arrives_as_it_came(house: House, host: str) -> None:
    """Requirement 7."""
    request = await forwarded(house, get("/", host=host))

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
async def test_an_absolute_targets_authority_becomes_host(house: House, line: str, target: str, host: str) -> None:
    """Requirement 9; RFC 9112 3.2.2, 3.2.4."""
    request = await forwarded(house, f"{line}\r\nHost: a.test\r\n\r\n".encode())

    assert (request.target, request.all("host")) == (target, [host])


async def test_the_version_sent_is_our_own(house: House) -> None:
    """Requirement 5; RFC 9110 2.5."""
    request = await forwarded(house, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")

    assert request.start == "GET / HTTP/1.1"


@pytest.mark.parametrize("method", ["PURGE", "PROPFIND", "get", "M-SEARCH", "A"])
async def test_a_method_that_nobody_knows_is_forwarded(house: House, method: str) -> None:
    """RFC 9110 9.1: a proxy is no judge of methods."""
    request = await forwarded(house, get("/", method=method))

    assert request.method == method


async def test_hop_by_hop_fields_stay_on_their_hop(house: House) -> None:
    """Requirement 8; RFC 9110 7.6.1."""
    dropped = ["Keep-Alive: 5", "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: h2c", "HTTP2-Settings: AAA"]

    request = await forwarded(house, get("/", *dropped, "Connection: keep-alive", "X-Stays: 1"))

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
async def test_fields_named_by_connection_are_dropped(house: House, connection: list[str], version: str) -> None:
    """Requirement 8."""
    lines = "\r\n".join(["Host: a", "X-Hop: secret", *connection, "X-Hop: again", "X-Stays: 1"])

    request = await forwarded(house, f"GET / HTTP/{version}\r\n{lines}\r\n\r\n".encode())

    assert request.all("x-hop") == []
    assert request.field("x-stays") == "1"


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Request-Id", "traceparent"])
async def test_connection_cannot_name_away_what_we_add(house: House, name: str) -> None:
    """Requirement 8."""
    request = await forwarded(house, get("/", f"Connection: close, {name}"))

    assert request.field(name)


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection", "close"])
async def test_connection_cannot_name_away_framing(house: House, name: str) -> None:
    """Requirement 8."""
    request = await forwarded(house, post(b"hello", f"Connection: {name}"))

    assert (request.field("content-length"), request.body) == ("5", b"hello")


async def test_te_trailers_is_said_again_on_the_next_hop(house: House) -> None:
    """RFC 9110 10.1.4: a proxy that hands trailers on may say so itself."""
    request = await forwarded(house, get("/", "TE: trailers, deflate;q=0.5", "Connection: TE"))

    assert (request.field("te"), request.field("connection")) == ("trailers", "TE")


async def test_connections_wish_to_close_is_not_passed_on(house: House) -> None:
    """Requirement 8: our connection to the backend is ours."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)

    for _ in range(3):
        answer = await proxy.ask(get("/", "Connection: close"))
        assert answer.closes

    assert len(backend.wires) == 1


@pytest.mark.parametrize("count", ["0", "1", "10"])
async def test_max_forwards_counts_the_hops_of_an_options_request(house: House, count: str) -> None:
    """RFC 9110 7.6.2: a MUST for every intermediary."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)

    answer = await proxy.ask(get("/", f"Max-Forwards: {count}", method="OPTIONS"))

    assert answer.status in (200, 204)
    if count == "0":
        assert backend.requests == []
    else:
        assert backend.requests[0].field("max-forwards") == str(int(count) - 1)


# ── framing ──


async def test_a_length_stays_a_length(house: House) -> None:
    """Requirement 5."""
    request = await forwarded(house, post(b"hello"))

    assert (request.field("content-length"), request.field("transfer-encoding"), request.body) == ("5", None, b"hello")


async def test_chunks_stay_chunks(house: House) -> None:
    """Requirement 5."""
    request = await forwarded(house, get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n0\r\n\r\n")

    assert (request.field("content-length"), request.field("transfer-encoding"), request.body) == (None, "chunked", b"hello")


async def test_an_empty_body_stays_empty_and_declared(house: House) -> None:
    """Requirement 5."""
    request = await forwarded(house, post(b""))

    assert request.field("content-length") == "0"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
async def test_a_body_where_none_is_usual_is_consumed(house: House, method: str) -> None:
    """Requirement 6: what follows is the next request, not what the body says."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    client.send(post(get("/smuggled"), method=method) + get("/next"))
    first = await client.answer(method)
    second = await client.answer()

    assert (first.status, second.status) == (200, 200)
    assert [request.target for request in backend.requests] == ["/", "/next"]
    assert backend.requests[0].body == get("/smuggled")


# ── answers ──


async def test_an_answer_keeps_order_repetition_case_and_bytes(house: House) -> None:
    """Requirement 7."""
    lines = [
        "sErVeR: x",
        "Set-Cookie: a=1; Path=/",
        "X-Obs: \x80\xff",
        "Set-Cookie: b=2",
        "Date: Sat, 21 Nov 2026 00:00:00 GMT",
        "X-Empty: ",
        "Content-Encoding: gzip",
        "ETag: W/\"1\"",
        "Via: 1.1 inner",
        "Vary: Accept",
        "Content_Type: odd",
    ]

    answer = await returned(house, ok(b"\x1f\x8b not really gzip", *lines))

    assert [f"{name}: {value}" for name, value in answer.fields] == [*lines, "Content-Length: 18"]
    assert answer.body == b"\x1f\x8b not really gzip"


@pytest.mark.parametrize(
    ("start", "passed"),
    [
        ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.0 200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 ", "HTTP/1.1 200 "),
        ("HTTP/1.1 200", "HTTP/1.1 200 "),
        ("HTTP/1.1 299 Sch\xf6n", "HTTP/1.1 299 Sch\xf6n"),
        ("HTTP/1.1 404 Not  here", "HTTP/1.1 404 Not  here"),
        ("HTTP/1.1 599 x", "HTTP/1.1 599 x"),
    ],
)
async def test_status_and_reason_arrive_as_they_came(house: House, start: str, passed: str) -> None:
    """Requirements 5 and 7: everything but the version, which is ours."""
    answer = await returned(house, f"{start}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

    assert answer.start == passed


@pytest.mark.parametrize("status", range(200, 600, 7))
async def test_every_status_is_passed_on(house: House, status: int) -> None:
    """Requirement 7: an answer is not ours to judge, 5xx included."""
    answer = await returned(house, ok(b"" if status in (204, 304) else b"body", status=f"{status} x"))

    assert answer.status == status


async def test_fields_named_by_an_answers_connection_are_dropped(house: House) -> None:
    """Requirement 8, what peers forget: both ways."""
    answer = await returned(
        house,
        ok(b"", "Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Connection: x", "Upgrade: h2", "TE: x", "X-Stays: 1"),
    )

    assert answer.names == ["X-Stays", "Content-Length"]


async def test_an_answers_connection_cannot_name_away_its_length(house: House) -> None:
    """Requirement 8."""
    answer = await returned(house, ok(b"hello", "Connection: Content-Length"))

    assert (answer.field("content-length"), answer.body) == ("5", b"hello")


async def test_shadow_and_strangler_fields_of_a_backend_never_reach_a_client(house: House) -> None:
    """Contract: Headers."""
    answer = await returned(house, ok(b"", "X-Shadow: 1", "x-shadow-dry-run: 1", "X-Strangler-Side: modern", "X-Strangler-Decline: 1", "X-S: 1"))

    assert answer.names == ["X-S", "Content-Length"]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_a_body_has_none(house: House, status: str) -> None:
    """Requirement 9; RFC 9112 6.3."""
    backend = await house.backend(always(f"HTTP/1.1 {status}\r\nX-A: 1\r\n\r\n".encode()))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/"))
        assert (answer.body, answer.field("transfer-encoding"), answer.field("content-length")) == (b"", None, None)
    assert len(backend.wires) == 1


@pytest.mark.parametrize("line", ["Content-Length: 5", "Transfer-Encoding: chunked"])
async def test_a_204_is_sent_without_any_framing(house: House, line: str) -> None:
    """RFC 9110 8.6, RFC 9112 6.1."""
    answer = await returned(house, f"HTTP/1.1 204 No Content\r\n{line}\r\n\r\n".encode())

    assert answer.names == []


async def test_a_304_keeps_the_length_of_what_was_not_sent(house: House) -> None:
    """RFC 9110 8.6."""
    answer = await returned(house, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: x\r\n\r\n")

    assert (answer.field("content-length"), answer.body) == ("500", b"")


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked", "X-None: 1"])
async def test_an_answer_to_head_has_no_body_however_it_is_framed(house: House, framing: str) -> None:
    """Requirement 9."""
    backend = await house.backend(always(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode()))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/", method="HEAD"), "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        if "Length" in framing:
            assert answer.field("content-length") == "500"
    assert len(backend.wires) == 1


async def test_chunks_of_an_answer_stay_chunks(house: House) -> None:
    """Requirement 5."""
    answer = await returned(house, chunks(b"hel", b"lo"))

    assert (answer.field("transfer-encoding"), answer.field("content-length"), answer.body) == ("chunked", None, b"hello")


async def test_a_trailer_is_passed_on_both_ways(house: House) -> None:
    """Requirement 3: as a trailer, never as a field."""
    backend = await house.backend(always(chunks(b"x", end=b"0\r\nX-Sum: 1\r\n\r\n")))
    proxy = await house.proxy(backend)

    answer = await proxy.ask(get("/", "TE: trailers", "Transfer-Encoding: chunked", method="POST") + b"1\r\ny\r\n0\r\nX-Sum: 2\r\n\r\n")

    assert (answer.trailers, answer.field("x-sum")) == ((("X-Sum", "1"),), None)
    assert (backend.requests[0].trailers, backend.requests[0].field("x-sum")) == ((("X-Sum", "2"),), None)


@pytest.mark.parametrize(
    "trailer",
    ["Content-Length: 5", "Transfer-Encoding: chunked", "Host: b", "Cookie: a=b", "Authorization: x", "X-Forwarded-For: 1", "X-Strangler-Force: modern",
     "X-Shadow: 1", "Connection: close", "Set-Cookie: a=b", "Content-Type: a/b", "X-Request-Id: 1", "Content_Length: 5", "Trailer: x"],
)  # fmt: skip
async def test_a_trailer_can_never_carry_framing_routing_or_trust(house: House, trailer: str) -> None:
    """Requirement 3; RFC 9110 6.5.1."""
    data = get("/", "Transfer-Encoding: chunked", method="POST") + f"1\r\nx\r\n0\r\n{trailer}\r\nX-Sum: 1\r\n\r\n".encode()

    request = await forwarded(house, data)

    assert request.trailers == (("X-Sum", "1"),)


# ── HTTP/1.0 clients ──


async def test_a_http_1_0_client_gets_no_chunks(house: House) -> None:
    """Requirement 9."""
    backend = await house.backend(always(chunks(b"hel", b"lo")))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")

    answer = await client.answer()

    assert (answer.body, answer.field("transfer-encoding"), answer.closes) == (b"hello", None, True)
    assert await client.gone() == "eof"


async def test_a_http_1_0_client_is_closed_unless_it_asks_otherwise(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)
    plain, kept = await proxy.client(), await proxy.client()

    plain.send(b"GET / HTTP/1.0\r\n\r\n")
    answer = await plain.answer()
    assert answer.closes
    assert await plain.gone() == "eof"

    for _ in range(2):
        kept.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await kept.answer()).field("connection") == "keep-alive"


async def test_a_http_1_0_request_without_host_is_served(house: House) -> None:
    """RFC 9112 3.2: only HTTP/1.1 must send one; we must send it on."""
    request = await forwarded(house, b"GET / HTTP/1.0\r\n\r\n")

    assert request.all("host") == [""]


# ── keep-alive ──


@pytest.mark.parametrize("lines", [["Connection: close"], ["Connection: Close"], ["Connection: keep-alive, close"], ["Connection: close", "Connection: keep-alive"], ["Connection: keep-alive", "Connection: close"]], ids=" + ".join)
async def test_a_client_that_wants_to_close_is_parted_from(house: House, lines: list[str]) -> None:
    """RFC 9112 9.6: nothing behind a closing request is answered."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/", *lines) + get("/unheard"))

    assert (await client.answer()).closes
    assert await client.rest() == b""
    assert len(backend.requests) == 1


async def test_a_connection_serves_request_after_request(house: House) -> None:
    backend = await house.backend(always(lambda request: ok(request.target.encode())))
    proxy = await house.proxy(backend)
    client = await proxy.client()

    for number in range(50):
        answer = await client.ask(get(f"/{number}"))
        assert answer.body == f"/{number}".encode()


async def test_an_answer_given_while_the_request_is_still_coming_closes_afterwards(house: House) -> None:
    """Requirement 6: the rest of the body is swallowed, never parsed."""
    backend = await house.backend(on_head(ok(b"no", status="403 Forbidden")))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 1000", method="POST"))

    answer = await client.answer()
    await client.send_pieces([get("/smuggled"), b"x" * 2000])

    assert (answer.status, answer.closes) == (403, True)
    assert await client.gone() == "eof"
    assert b"smuggled" not in backend.received
