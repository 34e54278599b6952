"""What one client may ask of us (requirement 15): separate limits, each with its status."""

from __future__ import annotations

import pytest

from rules.model import Limits
from tests.support.backend import always, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.line import Ended
from tests.support.proxying import House
from tests.support.raw import get, post
from tests.support.waiting import breathe, until
from tests.support.wired import Wired, halves, single_bytes

SMALL = Limits(header_bytes=400, url_bytes=100)


# ── sizes: 414, 431, 413 ──


@pytest.mark.parametrize("size", [101, 150, 1000, 100_000])
async def test_a_target_above_the_limit_is_a_414(house: House, size: int) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=SMALL)

    answer = await proxy.ask(get("/" + "x" * (size - 1)))

    assert (answer.status, answer.closes) == (414, True)
    assert backend.received == b""


async def test_a_target_at_the_limit_is_forwarded(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=SMALL)

    assert (await proxy.ask(get("/" + "x" * 99))).status == 200


async def test_an_endless_request_line_is_a_414_long_before_its_end(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=SMALL)
    client = await proxy.client()
    client.send(b"GET /")
    await client.send_pieces([b"x" * 50] * 4)

    assert (await client.answer()).status == 414


@pytest.mark.parametrize("lines", [["X-A: " + "x" * 500], [f"X-{n}: 1" for n in range(60)], ["Cookie: " + "x" * 100_000]], ids=["long", "many", "huge"])
async def test_a_head_above_the_limit_is_a_431(house: House, lines: list[str]) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=SMALL)

    answer = await proxy.ask(get("/", *lines))

    assert (answer.status, answer.closes) == (431, True)
    assert backend.received == b""


async def test_more_fields_than_anybody_needs_are_a_431(house: House) -> None:
    """Their count is limited as well as their bytes."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)

    assert (await proxy.ask(get("/", *[f"X-{n}: 1" for n in range(500)]))).status == 431


async def test_an_endless_head_is_a_431_long_before_its_end(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=SMALL)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    await client.send_pieces([b"X-A: 1\r\n"] * 60)

    assert (await client.answer()).status == 431


@pytest.mark.parametrize("limits", [SMALL, Limits(header_bytes=200, url_bytes=8192), Limits(header_bytes=0, url_bytes=100), Limits(header_bytes=200, url_bytes=0)])
@pytest.mark.parametrize("part", ["target", "method", "field", "fields"])
async def test_a_limit_is_the_same_however_the_head_is_split(limits: Limits, part: str) -> None:
    """Requirement 1, at the edge itself: whole, cut in two anywhere near the end, byte by byte."""
    for size in [*range(96, 103), *range(196, 206), *range(396, 406)]:
        target, method, lines = "/", "GET", [f"X-A: {'x' * (size - 45)}"]
        if part == "target":
            target, lines = "/" + "x" * (size - 1), []
        elif part == "method":
            target, method, lines = "/" + "x" * (size - 1), "M" * 32, []
        elif part == "fields":
            lines = ["A: 1"] * (size // 6 - 6) + ["A: " + "1" * (size % 6)]
        head = get(target, *lines, method=method)
        whole = Wired(limits)
        whole.send(head)
        line = head.index(b"\r\n")
        splits = [*halves(head)[-8:], *halves(head)[line - 3 : line + 4], single_bytes(head)]

        for pieces in splits:
            cut = Wired(limits)
            cut.send(*pieces)

            assert cut.status == whole.status, (len(head), size, [len(piece) for piece in pieces])
            assert bool(cut.asked_at_all) == bool(whole.asked_at_all)


async def test_a_limit_of_zero_is_none(house: House) -> None:
    """Contract: 0 is unlimited."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=Limits(header_bytes=0, url_bytes=0, header_timeout=0, body_timeout=0, idle_timeout=0, connections=0))

    assert (await proxy.ask(get("/" + "x" * 100_000, "X-A: " + "x" * 100_000))).status == 200


@pytest.mark.parametrize("request_bytes", [get("/", "Content-Length: 11", method="POST"), get("/", "Transfer-Encoding: chunked", method="POST") + b"6\r\nhello \r\n5\r\nworld\r\n"], ids=["length", "chunks"])
async def test_a_body_above_the_limit_is_a_413(house: House, request_bytes: bytes) -> None:
    """An announced body is refused before anybody gets any of it; the other kind is cut off."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend, limits=Limits(body_bytes=10))
    client = await proxy.client()
    client.send(request_bytes)

    answer = await client.answer()

    assert (answer.status, answer.closes) == (413, True)
    assert b"0\r\n\r\n" not in backend.received.partition(b"\r\n\r\n")[2]
    record = await proxy.exchange()
    assert not any(attempt.failed for attempt in record.attempts)


async def test_a_body_at_the_limit_is_forwarded(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=Limits(body_bytes=10))
    client = await proxy.client()

    for _ in range(3):
        assert (await client.ask(post(b"x" * 10))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"5;" + b"x" * 1000,
        b"5" + b";a=b" * 1000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0" * 1000,
        b"0\r\n" + b"X-A: 1\r\n" * 10_000,
        b"0\r\nX-A: " + b"x" * 100_000,
        b"zz\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5\r\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b";a\r\nhello\r\n0\r\n\r\n",
        b"5;\r\nhello\r\n0\r\n\r\n",
        b"5;a=\x00\r\nhello\r\n0\r\n\r\n",
        b"5;a=b\rc\r\nhello\r\n0\r\n\r\n",
        b"5;a=b\nc\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFF\r\nhello",
        b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        b"\xb2\r\nhe\r\n0\r\n\r\n",
        b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
        b"0\r\nnonsense\r\n\r\n",
        b"0\r\nX-A : 1\r\n\r\n",
        b"0\r\n X-A: 1\r\n\r\n",
        b"0\r\nX-A: 1\n\r\n",
        b"0\r\nX-A: \x00\r\n\r\n",
        b"0\r\n: 1\r\n\r\n",
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_a_body_in_broken_chunks_is_a_400_and_looks_aborted_behind_us(house: House, body: bytes) -> None:
    """Requirements 3 and 16: never a final chunk behind a broken one."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend)
    for pieces in ([body + get("/smuggled")], single_bytes(body) if len(body) < 500 else [body[at : at + 300] for at in range(0, len(body), 300)]):
        client = await proxy.client()
        client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
        await client.send_pieces(pieces)

        answer = await client.answer()

        assert (answer.status, answer.closes) == (400, True)
        assert await client.rest() == b""
        record = await proxy.exchange(len(proxy.exchanges) - 1)
        assert not any(attempt.failed for attempt in record.attempts)
    for wire in backend.wires:
        assert await wire.gone() in ("eof", "reset")
    assert b"0\r\n\r\n" not in backend.received
    assert b"smuggled" not in backend.received


# ── times: 408, idle ──


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"])
async def test_a_head_that_does_not_come_in_time_is_a_408(house: House, sent: bytes) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(sent)
    await breathe()

    proxy.turn(4.9)
    assert not client.received
    proxy.turn(0.2)
    answer = await client.answer()

    assert (answer.status, answer.closes) == (408, True)


async def test_the_time_for_a_head_is_for_the_whole_head(house: House) -> None:
    """Requirement 15: not per byte; a slowloris gains nothing."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(b"GET / HTTP/1.1\r\n")
    for _ in range(6):
        await client.send_pieces([b"X-A: 1\r\n"])
        proxy.turn(1.0)

    assert (await client.answer()).status == 408


async def test_the_time_for_a_head_holds_on_a_used_connection_too(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    await client.ask(get("/"))
    proxy.turn(20.0)
    client.send(b"GET")
    await breathe()

    proxy.turn(5.1)

    assert (await client.answer()).status == 408


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_client_that_never_asks_is_parted_from(house: House, sent: bytes) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(header_timeout=5.0))
    client = await proxy.client()
    client.send(sent)
    await until(lambda: proxy.server.clients)
    await breathe()

    proxy.turn(5.1)

    assert await client.rest() == b""


async def test_an_idle_connection_is_closed_after_the_idle_timeout(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=30.0))
    client = await proxy.client()
    await client.ask(get("/"))

    proxy.turn(29.0)
    await client.ask(get("/"))
    proxy.turn(29.9)
    assert not client.ended
    proxy.turn(0.2)

    assert await client.gone() == "eof"


async def test_a_body_that_stops_coming_is_a_408_and_looks_aborted_behind_us(house: House) -> None:
    """Requirement 15: body idle; requirement 16."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0))
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
    upstream = await backend.wire()
    await upstream.seen(b"hello")

    proxy.turn(5.1)
    answer = await client.answer()

    assert (answer.status, answer.closes) == (408, True)
    assert await upstream.gone() in ("eof", "reset")
    assert not upstream.received.endswith(b"0\r\n\r\n")
    assert not any(attempt.failed for attempt in (await proxy.exchange()).attempts)


async def test_a_body_that_keeps_coming_slowly_is_served(house: House) -> None:
    """Requirement 15: the body's time is between bytes."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST"))
    for _ in range(10):
        proxy.turn(4.0)
        await client.send_pieces([b"x"])

    assert (await client.answer()).status == 200


async def test_a_slow_upload_is_not_the_backends_silence(house: House) -> None:
    """The backend's time runs from the request's last byte: what the client made is no 504 and no failure."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, clock=Clock(), timeout=3.0, limits=Limits(body_timeout=30.0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 10", method="POST") + b"x" * 5)
    await (await backend.wire()).seen(b"xxxxx")

    proxy.turn(10.0)
    client.send(b"x" * 5)
    answer = await client.answer()

    assert answer.status == 200
    assert not any(attempt.failed for attempt in (await proxy.exchange()).attempts)


async def test_the_body_time_does_not_run_while_the_backend_is_the_slow_one(house: House) -> None:
    """Requirement 15: only the client's own slowness is held against it."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend, clock=Clock(), timeout=100.0, limits=Limits(body_timeout=5.0))
    client = await proxy.client()
    client.send(get("/", "Content-Length: 50000000", method="POST"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    upstream.transport.pause_reading()
    client.send(b"x" * 20_000_000)
    await breathe(300)

    proxy.turn(6.0)
    await breathe()

    assert not client.received
    assert not client.ended


async def test_a_client_that_does_not_read_its_answer_is_cut_after_the_idle_timeout(house: House) -> None:
    """Requirement 15."""
    backend = await house.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 10_000_000))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=20.0))
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/"))
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")

    proxy.turn(20.1)
    await until(lambda: not proxy.server.clients, "the client's end")

    assert await backend.wires[0].gone() in ("eof", "reset")
    assert not (await proxy.exchange()).attempts[0].failed


@pytest.mark.parametrize("lines", [["Connection: close"], []], ids=["closing", "kept"])
async def test_a_client_that_does_not_read_a_finished_answer_is_not_kept_for_ever(house: House, lines: list[str]) -> None:
    """Requirements 15, 17: what lies in our own buffer is waited for no longer than anything else."""
    backend = await house.backend(always(ok(b"x" * 200_000)))
    proxy = await house.proxy(backend, clock=Clock(), limits=Limits(idle_timeout=20.0))
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/") * 29 + get("/", *lines))
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")
    await breathe(50)

    for _ in range(8):
        proxy.turn(20.1)
        await breathe()

    assert not proxy.server.clients


# ── counts ──


async def test_connections_above_the_limit_are_turned_away_with_a_503(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=Limits(connections=3))
    clients = [await proxy.client() for _ in range(3)]
    for client in clients:
        assert (await client.ask(get("/"))).status == 200
    extra = await proxy.client()

    answer = await extra.answer()

    assert (answer.status, answer.closes) == (503, True)
    assert (await clients[0].ask(get("/"))).status == 200


async def test_a_place_that_becomes_free_is_given_to_the_next(house: House) -> None:
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=Limits(connections=1))
    first = await proxy.client()
    await first.ask(get("/"))
    first.close()
    await until(lambda: not proxy.server.clients)

    assert (await proxy.ask(get("/"))).status == 200


async def test_those_turned_away_do_not_keep_the_places_of_others(house: House) -> None:
    """A flood of refused connections must not lengthen the refusal of good ones."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend, limits=Limits(connections=2))
    first = await proxy.client()
    await first.ask(get("/"))
    second = await proxy.client()
    await second.ask(get("/"))
    flood = [await proxy.client() for _ in range(20)]
    for each in flood:
        await each.answer()
    first.close()
    await breathe()

    assert (await proxy.ask(get("/"))).status == 200


async def test_a_pipelined_flood_stays_bounded(house: House) -> None:
    """Requirement 15: one request of a connection is in flight, a bounded amount waits, the rest is not even read."""
    backend = await house.backend(hang)
    proxy = await house.proxy(backend)
    client = await proxy.client()
    for _ in range(400):
        client.send(get("/") * 2000)
        await breathe(1)

    assert len(backend.wires) == 1
    assert backend.received.count(b"\r\n\r\n") == 1
    connection = next(iter(proxy.server.clients))
    assert len(connection._buffer) < 1_000_000
    assert client.full


async def test_a_client_that_pipelines_without_reading_gets_no_more_than_fits(house: House) -> None:
    """Requirements 10, 15: answers to requests that were sent ahead may not pile up in our memory."""
    backend = await house.backend(always(ok(b"x" * 60_000)))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.transport.pause_reading()
    client.send(get("/") * 2000)
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")
    await breathe(300)

    connection = next(iter(proxy.server.clients))
    assert connection.transport is not None
    assert connection.transport.get_write_buffer_size() < 2_000_000


async def test_pipelined_requests_are_answered_in_order(house: House) -> None:
    backend = await house.backend(always(lambda request: ok(request.target.encode() + request.body)))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    for number in range(100):
        client.send(get(f"/{number}") if number % 2 else post(b"!", target=f"/{number}"))

    for number in range(100):
        assert (await client.answer()).body == f"/{number}".encode() + (b"" if number % 2 else b"!")


async def test_a_slow_first_answer_holds_the_second_back(house: House) -> None:
    backend = await house.backend(hang, always(ok(b"second")))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))
    first = await backend.wire()
    await first.seen(b"/1")
    await breathe()
    assert len(backend.wires) == 1

    first.send(ok(b"first"))

    assert (await client.answer()).body == b"first"
    await first.seen(b"/2")


async def test_pipelined_requests_stop_at_a_bad_one(house: House) -> None:
    """Requirement 4: what came before is answered, what comes after is not parsed."""
    backend = await house.backend(always(ok()))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2") + b"BAD\r\n\r\n" + get("/3"))

    assert [(await client.answer()).status for _ in range(3)] == [200, 200, 400]
    assert await client.rest() == b""
    assert [request.target for request in backend.requests] == ["/1", "/2"]


async def test_pipelined_requests_after_a_cut_answer_are_not_answered(house: House) -> None:
    """Requirement 12."""
    backend = await house.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", lambda wire: wire.close()))
    proxy = await house.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))

    with pytest.raises(Ended):
        await client.answer()
    assert b"/2" not in backend.received
