"""Interim responses, expectations (requirement 9)."""

from __future__ import annotations

import pytest

from rules.model import Buffer
from tests.support.backend import Wire, always, ok, on_head
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import RawClient, get
from tests.support.waiting import breathe, until

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
EXPECTS = get("/", "Content-Length: 5", "Expect: 100-continue", method="POST")


@pytest.mark.both_loops
async def test_informational_answers_are_passed_on_before_the_answer(gateway: RunningProxy) -> None:
    """RFC 9110 15.2: a proxy MUST forward 1xx."""
    backend = await gateway.backend(on_head(HINTS + b"HTTP/1.1 102 Processing\r\n\r\n" + HINTS + ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert [each.start for each in answer.interim] == [
        "HTTP/1.1 103 Early Hints",
        "HTTP/1.1 102 Processing",
        "HTTP/1.1 103 Early Hints",
    ]
    assert answer.interim[0].field("link") == "</a.css>"
    assert answer.body == b"hello"


async def test_an_informational_answer_is_passed_on_at_once(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(HINTS))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))

    await client.until(HINTS)


async def test_a_http_1_0_client_gets_no_informational_answer(gateway: RunningProxy) -> None:
    """RFC 9110 15.2."""
    backend = await gateway.backend(on_head(HINTS + CONTINUE + ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")

    assert (await client.answer()).interim == ()


@pytest.mark.parametrize(
    "lines", ["Content-Length: 5", "Transfer-Encoding: chunked", "Connection: X-Hop\r\nX-Hop: 1", "Keep-Alive: 5"]
)
async def test_an_informational_answer_never_has_a_body_or_its_framing(gateway: RunningProxy, lines: str) -> None:
    """Requirements 8, 9; RFC 9110 8.6: no Content-Length in a 1xx."""
    backend = await gateway.backend(on_head(f"HTTP/1.1 103 Early Hints\r\n{lines}\r\n\r\n".encode() + ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert [each.names for each in answer.interim] == [[]]
    assert answer.body == b"hello"


async def test_a_flood_of_informational_answers_is_a_502(gateway: RunningProxy) -> None:
    """Requirements 9, 15: bounded."""
    backend = await gateway.backend(on_head(HINTS * 1000 + ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert answer.status == 502
    assert len(answer.interim) < 20


async def test_shadow_fields_in_an_informational_answer_stay_inside(gateway: RunningProxy) -> None:
    """Contract: Headers."""
    backend = await gateway.backend(
        on_head(b"HTTP/1.1 103 Early Hints\r\nX-Shadow: 1\r\nX-Strangler-Side: x\r\n\r\n" + ok())
    )
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).interim[0].names == []


async def test_a_body_follows_our_own_100(gateway: RunningProxy) -> None:
    """Expect, first order: 100, then the body. The proxy collects it: no backend waits for a client to go on."""

    async def script(wire: Wire) -> None:
        head = await wire.head()
        assert b"Expect" not in head
        wire.send(ok(await wire.exactly(5)))
        await wire.request()
        wire.send(ok(b"next"))
        await wire.gone()

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(EXPECTS)
    await client.until(CONTINUE)
    assert backend.wires == []

    answer = await client.ask(b"hello")

    assert answer.body == b"hello"
    assert (await client.ask(get("/"))).body == b"next"


async def test_a_body_that_does_not_wait_for_the_100_arrives(gateway: RunningProxy) -> None:
    """Expect, second order: the body at once, the 100 late or never (RFC 9110 10.1.1)."""
    backend = await gateway.backend(always(lambda request: CONTINUE + ok(request.body)))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(EXPECTS + b"hello")

    assert answer.body == b"hello"
    assert {each.status for each in answer.interim} == {100}


async def test_a_refusal_before_a_body_is_read_whole_reaches_the_client(gateway: RunningProxy) -> None:
    """Expect: the final answer comes first; a body that may still follow must not become a request."""
    backend = await gateway.backend(on_head(ok(b"no", status="413 Content Too Large")), always(ok()))
    proxy = await gateway.proxy(backend, buffer=Buffer(request=5))
    client = await proxy.client()
    client.send(EXPECTS.replace(b"Length: 5", b"Length: 50") + b"hello")

    answer = await client.answer()
    client.send(b"hello" + get("/smuggled") * 3)

    assert (answer.status, answer.closes) == (413, True)
    assert await client.rest() == b""
    assert b"smuggled" not in backend.received
    assert await backend.wires[0].gone() in ("eof", "reset")


async def test_a_100_that_nobody_waits_for_does_no_harm(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(CONTINUE + ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(3):
        assert (await client.ask(get("/"))).body == b"hello"
    assert len(backend.wires) == 1


async def test_an_informational_answer_split_over_reads_is_passed_on_once(gateway: RunningProxy) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.drip(HINTS + HINTS + ok())
        await wire.gone()

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert [each.status for each in answer.interim] == [103, 103]


async def test_no_informational_answer_comes_inside_another_answer(gateway: RunningProxy) -> None:
    """Pipelined requests: the second one's 1xx waits for the first one's end."""

    async def script(wire: Wire) -> None:
        await wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await breathe()
        wire.send(b"lf")
        await wire.request()
        wire.send(HINTS + ok())
        await wire.gone()

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))

    assert (await client.answer()).body == b"half"[:2] + b"lf"
    assert [each.status for each in (await client.answer()).interim] == [103]


PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


@pytest.mark.parametrize("number", [12, 200])
async def test_any_number_of_informational_answers_is_passed_on(gateway: RunningProxy, number: int) -> None:
    """A long import says 102 all the time; only a flood is refused."""
    backend = await gateway.backend(on_head(PROCESSING * number + ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert (answer.status, len(answer.interim)) == (200, number)


async def test_the_limit_of_one_request_is_not_the_next_ones(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(PROCESSING * 500 + ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(4):
        assert (await client.ask(get("/"))).status == 200


async def test_each_informational_answer_gives_the_backend_its_time_again(gateway: RunningProxy) -> None:
    """A 102 each second, `timeout: 2s`."""
    proxy, wire, client = await working(gateway)

    for _ in range(5):
        proxy.turn(1.5)
        wire.send(PROCESSING)
        await client.until(PROCESSING)
    wire.send(ok())

    assert (await client.answer()).status == 200


@pytest.mark.parametrize("hint", [PROCESSING, HINTS], ids=["102", "103"])
async def test_informational_answers_do_not_put_the_end_off_for_ever(gateway: RunningProxy, hint: bytes) -> None:
    """Ten times `timeout`, whatever is said."""
    proxy, wire, client = await working(gateway)

    for _ in range(13):
        proxy.turn(1.5)
        wire.send(hint)
        await client.until(hint)
    proxy.turn(1.0)

    assert (await client.answer()).status == 504


async def test_a_client_of_http_1_0_has_the_same_patience(gateway: RunningProxy) -> None:
    proxy, wire, client = await working(gateway, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")

    for _ in range(3):
        proxy.turn(1.5)
        wire.send(PROCESSING)
        await breathe()
    wire.send(ok())

    assert (await client.answer()).status == 200


async def working(gateway: RunningProxy, request: bytes = get("/")) -> tuple[Proxy, Wire, RawClient]:
    """A request that its backend has, with two seconds to answer."""
    backend = await gateway.backend(on_head(b""))
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=2.0)
    client = await proxy.client()
    client.send(request)
    wire = await backend.wire()
    await until(lambda: b"\r\n\r\n" in wire.received, "the request")
    return proxy, wire, client


@pytest.mark.parametrize("status", [104, 150, 199])
async def test_an_informational_answer_of_a_later_day_is_passed_on(gateway: RunningProxy, status: int) -> None:
    """RFC 9110 15.2: a status of this class that is not known ends nothing (104: resumable uploads)."""
    told = b"HTTP/1.1 %d Upload Resumption Supported\r\nUpload-Offset: 5\r\n\r\n" % status
    backend = await gateway.backend(always(told + ok(b"done")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    for _ in range(2):
        answer = await client.ask(get("/"))
        assert (answer.status, answer.body) == (200, b"done")
        assert [(each.status, each.field("upload-offset")) for each in answer.interim] == [(status, "5")]
