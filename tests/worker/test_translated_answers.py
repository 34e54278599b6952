"""Rewriting a response for the client (contract: `response`)."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from proxy.worker import transform
from rules.model import BodyEdit, Fallback, HeaderEdit, SidePolicy
from tests.support.backend import Script, always, chunks, ok, on_head
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.snapshots import route

JSON = "Content-Type: application/json"
THERE = b'{"id": 7, "price": 2936.23380448434092597, "big": 1e400, "zero": -0, "e": 1E2, "more": [1.10]}'
MAPPED = b'{"id":7,"price":2936.23380448434092597,"big":1e400,"zero":-0,"e":1E2,"list":[1.10]}'
PICK = SidePolicy("modern", response_json="{id: id, price: price, big: big, zero: zero, e: e, list: more}")
VALIDATORS = (
    'ETag: "a"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT", "Content-MD5: x", "Digest: x", "Content-Digest: x",
    "Repr-Digest: x", "Accept-Ranges: bytes",
)  # fmt: skip
NAMES = [line.partition(":")[0].lower() for line in VALIDATORS]


async def translating(
    gateway: RunningProxy, script: Script, policy: SidePolicy = PICK, fallback: Fallback | None = None
) -> Proxy:
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(script)
    return await gateway.proxy(legacy, modern, routes=[route(modern=policy, fallback=fallback)])


CODED = [
    ("gzip", gzip.compress(THERE)),
    ("GZIP", gzip.compress(THERE)),
    ("br", brotli.compress(THERE)),
    ("deflate", zlib.compress(THERE)),
    ("gzip, br", brotli.compress(gzip.compress(THERE))),
    ("identity", THERE),
    ("x-gzip", gzip.compress(THERE)),
    ("gzip", gzip.compress(THERE[:9]) + gzip.compress(THERE[9:])),
    ("gzip", gzip.compress(THERE) + gzip.compress(b"")),
    ("deflate", zlib.compress(THERE, wbits=-zlib.MAX_WBITS)),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("coding", "body"), CODED, ids=[coding for coding, _ in CODED])
async def test_a_body_that_comes_packed_all_the_same_is_unpacked(
    gateway: RunningProxy, method: str, coding: str, body: bytes
) -> None:
    proxy = await translating(gateway, always(ok(body, JSON, f"Content-Encoding: {coding}")))

    answer = await proxy.ask(get("/", method=method))

    assert (answer.status, answer.body) == (200, MAPPED)
    assert answer.field("content-encoding") is None
    assert answer.field("content-length") == str(len(MAPPED))


async def test_several_lines_of_codings_are_one_list(gateway: RunningProxy) -> None:
    """RFC 9110 5.3."""
    body = brotli.compress(gzip.compress(THERE))
    proxy = await translating(gateway, always(ok(body, JSON, "Content-Encoding: gzip", "Content-Encoding: br")))

    assert (await proxy.ask(get("/"))).body == MAPPED


@pytest.mark.parametrize(
    "data", [ok(THERE, JSON), chunks(THERE[:9], THERE[9:], lines=(JSON,))], ids=["length", "chunks"]
)
async def test_numbers_keep_their_literal_text(gateway: RunningProxy, data: bytes) -> None:
    proxy = await translating(gateway, always(data))

    assert (await proxy.ask(get("/"))).body == MAPPED


@pytest.mark.parametrize(
    ("expression", "there", "body"),
    [
        ("a", rb'{"a": "\ud800"}', rb'"\ud800"'),
        ("a", '{"a": "\\ud83d\\ude00é"}'.encode(), '"😀é"'.encode()),
        ("a", b'{"a": 1' + b"0" * 5000 + b"}", b"1" + b"0" * 5000),
        ("max([a, b])", b'{"a": 1.10, "b": 1.09}', b"1.10"),
        ("to_string(a)", b'{"a": [2936.23380448434092597, 1e400]}', b'"[2936.23380448434092597,1e400]"'),
        ("to_number(a)", b'{"a": "2936.23380448434092597"}', b"2936.23380448434092597"),
        ("sort_by(@, &p)[0].p", b'[{"p": 10.50}, {"p": 9.90}]', b"9.90"),
        ("[?p > `9.95`].p", b'[{"p": 10.50}, {"p": 9.90}]', b"[10.50]"),
        ("sum(@)", b"[1.5, 2]", b"3.5"),
        ("gone", b'{"a": 1}', b"null"),
        ('{"a/b": a}', b'{"a": {"\\u0000\\"": []}}', b'{"a/b":{"\\u0000\\"":[]}}'),
    ],
)  # fmt: skip
async def test_every_value_of_json_crosses(gateway: RunningProxy, expression: str, there: bytes, body: bytes) -> None:
    proxy = await translating(gateway, always(ok(there, JSON)), SidePolicy("modern", response_json=expression))

    answer = await proxy.ask(get("/"))

    assert (answer.status, answer.body) == (200, body)


# ── what is not mapped ──


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (ok(b"", JSON, status="202 Accepted"), 202, b""),
        (ok(b"", status="202 Accepted"), 202, b""),
        (chunks(lines=(JSON,), status="202 Accepted"), 202, b""),
        (ok(b"", "Content-Encoding: gzip", JSON), 200, b""),
        (b"HTTP/1.1 204 No Content\r\n" + JSON.encode() + b"\r\n\r\n", 204, b""),
        (ok(b"<p>", "Content-Type: text/html"), 200, b"<p>"),
        (ok(b"id,price", "Content-Type: text/csv", 'ETag: "a"'), 200, b"id,price"),
        (ok(b"packed", "Content-Type: image/png", "Content-Encoding: gzip"), 200, b"packed"),
        (ok(b"no type"), 200, b"no type"),
        (ok(b"<b>", "Content-Type: text/html", status="500 Oops"), 500, b"<b>"),
    ],
    ids=["empty JSON", "empty", "no chunk", "empty and packed", "204", "html", "csv", "image", "no type", "crash page"],
)  # fmt: skip
async def test_what_is_empty_or_no_json_passes(
    gateway: RunningProxy, method: str, data: bytes, status: int, body: bytes
) -> None:
    proxy = await translating(gateway, always(data), fallback=Fallback(mode="none"))

    answer = await proxy.ask(get("/", method=method))

    assert (answer.status, answer.body) == (status, body)
    assert b"ETag" not in data or answer.field("etag") == '"a"'
    assert (await proxy.exchange()).untranslated == ""


async def test_a_stream_of_events_is_not_collected(gateway: RunningProxy) -> None:
    proxy = await translating(
        gateway, on_head(chunks(b"data: 1\n\n", lines=("Content-Type: text/event-stream",), end=b""))
    )
    client = await proxy.client()
    client.send(get("/"))

    await client.until(b"data: 1\n\n")


_GZIP = "Content-Encoding: gzip"
_CUT = gzip.compress(THERE)[:-9]
_BOMB = gzip.compress(b"[" + b" " * transform.UNPACKED_AT_MOST + b"]")
_LARGE = b'"' + b"x" * transform.ANSWER_AT_MOST + b'"'
_PIECES = [b"[" + b"1" * 300_000] * 5
CANNOT = [
    ("no JSON", ok(b"{oops", JSON), b"{oops"),
    ("NaN", ok(b'{"id": NaN}', JSON), b'{"id": NaN}'),
    ("half a gzip", ok(_CUT, JSON, _GZIP), _CUT),
    ("a coding of its own", ok(THERE, JSON, "Content-Encoding: rot13"), THERE),
    ("too deep", ok(b"[" * 100_000, JSON), b"[" * 100_000),
    ("too large", ok(_LARGE, JSON), _LARGE),
    ("too large in chunks", chunks(*_PIECES, lines=(JSON,)), b"".join(_PIECES)),
    ("a bomb", ok(_BOMB, JSON, _GZIP), _BOMB),
    ("a type that the expression refuses", ok(b'{"id": 1}', JSON), b'{"id": 1}'),
]


@pytest.mark.parametrize(("data", "body"), [case[1:] for case in CANNOT], ids=[case[0] for case in CANNOT])
async def test_a_write_that_was_done_is_never_a_502(gateway: RunningProxy, data: bytes, body: bytes) -> None:
    """Users repeat a payment that is reported as failed."""
    policy = SidePolicy("modern", response_json="sum(id)", status=((200, 201),))
    proxy = await translating(gateway, always(data), policy)
    client = await proxy.client()

    answer = await client.ask(post(b"pay"))

    assert (answer.status, answer.body) == (201, body)
    exchange = await proxy.exchange()
    assert (exchange.answered, exchange.fallback, bool(exchange.untranslated)) == ("modern", "", True)
    assert [attempt.failed for attempt in exchange.attempts] == [False]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_every_unsafe_method_may_have_done_something(gateway: RunningProxy, method: str) -> None:
    proxy = await translating(gateway, always(ok(b"{oops", JSON, 'ETag: "a"')))

    answer = await proxy.ask(get("/", method=method))

    assert (answer.status, answer.body, answer.field("etag")) == (200, b"{oops", '"a"')


@pytest.mark.parametrize("data", [case[1] for case in CANNOT], ids=[case[0] for case in CANNOT])
async def test_a_read_that_cannot_be_mapped_is_legacys(gateway: RunningProxy, data: bytes) -> None:
    proxy = await translating(gateway, always(data), SidePolicy("modern", response_json="sum(id)"))

    assert (await proxy.ask(get("/"))).body == b"legacy"
    assert (await proxy.exchange()).fallback == "untranslatable"


# ── what is said of the body ──


async def test_nothing_is_said_of_a_body_that_nobody_gets(gateway: RunningProxy) -> None:
    """RFC 9110 8.6, 8.8, 9.3.2, 14.3, 15.4.5: GET, HEAD and 304 say the same of one representation."""
    fields = (JSON, *VALIDATORS)

    def script(request: Message) -> bytes:
        if request.field("if-none-match"):
            return b"HTTP/1.1 304 Not Modified\r\nContent-Length: 89\r\n%b\r\n\r\n" % "\r\n".join(VALIDATORS).encode()
        if request.start.startswith("HEAD"):
            return ok(b"", *fields).replace(b"Content-Length: 0", b"Content-Length: 89")
        return ok(THERE, *fields, "X-Other: 1")

    proxy = await translating(gateway, always(script))

    whole = await proxy.ask(get("/"))
    head = await proxy.ask(get("/", method="HEAD"), "HEAD")
    unchanged = await proxy.ask(get("/", "If-None-Match: x"))

    assert (whole.body, whole.field("content-length"), whole.field("x-other")) == (MAPPED, str(len(MAPPED)), "1")
    assert (head.status, unchanged.status) == (200, 304)
    for answer in (whole, head, unchanged):
        assert not [name for name in NAMES if answer.field(name) is not None]
    assert head.field("content-length") is None
    assert unchanged.field("content-length") is None


async def test_a_head_of_what_is_not_mapped_keeps_its_own_words(gateway: RunningProxy) -> None:
    data = ok(b"", "Content-Type: text/html", *VALIDATORS).replace(b"Content-Length: 0", b"Content-Length: 89")
    proxy = await translating(gateway, always(data))

    answer = await proxy.ask(get("/", method="HEAD"), "HEAD")

    assert (answer.field("content-length"), answer.field("etag")) == ("89", '"a"')


async def test_a_side_without_a_mapping_keeps_its_validators(gateway: RunningProxy) -> None:
    policy = SidePolicy("modern", headers=HeaderEdit(set=(("X-From", "gateway"),)))
    proxy = await translating(gateway, always(ok(THERE, JSON, *VALIDATORS)), policy)

    answer = await proxy.ask(get("/"))

    assert [name for name in NAMES if answer.field(name) is not None] == NAMES


# ── towards the side ──


@pytest.mark.parametrize("body", [THERE, gzip.compress(THERE)], ids=["plain", "packed"])
async def test_numbers_keep_their_text_on_their_way_to_the_side_as_well(gateway: RunningProxy, body: bytes) -> None:
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok()))
    edit = BodyEdit("json_to_form", (("id", "number"),))
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=SidePolicy("modern", body=edit))])
    packed = [] if body == THERE else ["Content-Encoding: gzip"]

    await proxy.ask(post(body, JSON, *packed))

    request = modern.requests[0]
    assert request.body == b"number=7&price=2936.23380448434092597&big=1e400&zero=-0&e=1E2&more%5B0%5D=1.10"
    assert request.field("content-encoding") is None


@pytest.mark.parametrize("body", [rb'{"a": "\ud800"}', rb'{"\udfff": 1}'], ids=["value", "name"])
async def test_half_a_character_goes_to_the_side_that_takes_it_as_it_is(gateway: RunningProxy, body: bytes) -> None:
    """Nothing was sent: legacy answers, and the next request on the connection is served."""
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok(b"modern")))
    policy = SidePolicy("modern", body=BodyEdit("json_to_form"))
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=policy)])
    client = await proxy.client()

    assert (await client.ask(post(body, JSON))).body == b"legacy"
    assert legacy.requests[0].body == body
    assert (await client.ask(get("/"))).body == b"modern"


async def test_half_a_character_stays_an_escape_in_renamed_json(gateway: RunningProxy) -> None:
    legacy, modern = await gateway.backend(always(ok(b"legacy"))), await gateway.backend(always(ok()))
    policy = SidePolicy("modern", body=BodyEdit(rename=(("a", "b"),)))
    proxy = await gateway.proxy(legacy, modern, routes=[route(modern=policy)])

    await proxy.ask(post(rb'{"a": "\ud800", "n": 1.50}', JSON))

    assert modern.requests[0].body == rb'{"b":"\ud800","n":1.50}'
