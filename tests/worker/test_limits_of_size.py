"""How much one client may send (requirement 15): 414, 431, 413, and chunks that are none."""

from __future__ import annotations

import pytest

from rules.model import Limits
from tests.support.backend import always, hang, ok
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.socketless import Wired, halves, single_bytes

SMALL = Limits(header_bytes=400, url_bytes=100)


@pytest.mark.parametrize("size", [101, 150, 1000, 100_000])
async def test_a_target_above_the_limit_is_a_414(gateway: RunningProxy, size: int) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=SMALL)

    answer = await proxy.ask(get("/" + "x" * (size - 1)))

    assert (answer.status, answer.closes) == (414, True)
    assert backend.received == b""


async def test_a_target_at_the_limit_is_forwarded(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=SMALL)

    assert (await proxy.ask(get("/" + "x" * 99))).status == 200


async def test_an_endless_request_line_is_a_414_long_before_its_end(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=SMALL)
    client = await proxy.client()
    client.send(b"GET /")
    await client.send_pieces([b"x" * 50] * 4)

    assert (await client.answer()).status == 414


@pytest.mark.parametrize(
    "lines",
    [["X-A: " + "x" * 500], [f"X-{n}: 1" for n in range(60)], ["Cookie: " + "x" * 100_000]],
    ids=["long", "many", "huge"],
)
async def test_a_head_above_the_limit_is_a_431(gateway: RunningProxy, lines: list[str]) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=SMALL)

    answer = await proxy.ask(get("/", *lines))

    assert (answer.status, answer.closes) == (431, True)
    assert backend.received == b""


async def test_more_fields_than_anybody_needs_are_a_431(gateway: RunningProxy) -> None:
    """Their count is limited as well as their bytes."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/", *[f"X-{n}: 1" for n in range(500)]))).status == 431


async def test_an_endless_head_is_a_431_long_before_its_end(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=SMALL)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    await client.send_pieces([b"X-A: 1\r\n"] * 60)

    assert (await client.answer()).status == 431


@pytest.mark.parametrize(
    "limits",
    [
        SMALL,
        Limits(header_bytes=200, url_bytes=8192),
        Limits(header_bytes=0, url_bytes=100),
        Limits(header_bytes=200, url_bytes=0),
    ],
)
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


async def test_a_limit_of_zero_is_none(gateway: RunningProxy) -> None:
    """Contract: 0 is unlimited."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(
        backend,
        limits=Limits(header_bytes=0, url_bytes=0, header_timeout=0, body_timeout=0, idle_timeout=0, connections=0),
    )

    assert (await proxy.ask(get("/" + "x" * 100_000, "X-A: " + "x" * 100_000))).status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        get("/", "Content-Length: 11", method="POST"),
        get("/", "Transfer-Encoding: chunked", method="POST") + b"6\r\nhello \r\n5\r\nworld\r\n",
    ],
    ids=["length", "chunks"],
)
async def test_a_body_above_the_limit_is_a_413(gateway: RunningProxy, request_bytes: bytes) -> None:
    """An announced body is refused before anybody gets any of it; the other kind is cut off."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, limits=Limits(body_bytes=10))
    client = await proxy.client()
    client.send(request_bytes)

    answer = await client.answer()

    assert (answer.status, answer.closes) == (413, True)
    assert b"0\r\n\r\n" not in backend.received.partition(b"\r\n\r\n")[2]
    record = await proxy.exchange()
    assert not any(attempt.failed for attempt in record.attempts)


async def test_a_body_at_the_limit_is_forwarded(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, limits=Limits(body_bytes=10))
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
async def test_a_body_in_broken_chunks_is_a_400_and_looks_aborted_behind_us(gateway: RunningProxy, body: bytes) -> None:
    """Requirements 3 and 16: never a final chunk behind a broken one."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    for pieces in (
        [body + get("/smuggled")],
        single_bytes(body) if len(body) < 500 else [body[at : at + 300] for at in range(0, len(body), 300)],
    ):
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
