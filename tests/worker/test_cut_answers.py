"""A backend's faults after the response began (requirement 12): the client sees a cut, never a complete response."""

from __future__ import annotations

import pytest

from tests.support.backend import Script, Wire, answering, chunks, ok, on_head
from tests.support.clock import Clock
from tests.support.line import Ended
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe

BIG = b"x" * 300_000


TRUNCATED: dict[str, tuple[bytes, str]] = {
    "a length, closed": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "close"),
    "a length, reset": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "reset"),
    "a length, nothing of it": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "close"),
    "chunks, closed between two": (chunks(b"half", end=b""), "close"),
    "chunks, closed inside one": (chunks(end=b"a\r\nhalf"), "close"),
    "chunks, closed inside a size": (chunks(b"half", end=b"1"), "close"),
    "chunks, closed before the last empty line": (chunks(b"half", end=b"0\r\n"), "close"),
    "chunks, closed inside a trailer": (chunks(b"half", end=b"0\r\nX-A: 1\r\n"), "close"),
    "chunks, reset": (chunks(b"half", end=b""), "reset"),
    "until closed, reset": (b"HTTP/1.1 200 OK\r\n\r\nhalf", "reset"),
    "chunks, garbage for a size": (chunks(b"half", end=b"zz\r\n"), "stay"),
    "chunks, bare LF": (chunks(b"half", end=b"5\nhello\r\n"), "stay"),
    "chunks, no CR LF after data": (chunks(end=b"2\r\nhalf\r\n0\r\n\r\n"), "stay"),
    "chunks, a size with a sign": (chunks(b"half", end=b"+5\r\nhello\r\n0\r\n\r\n"), "stay"),
    "chunks, a size with 0x": (chunks(b"half", end=b"0x5\r\nhello\r\n0\r\n\r\n"), "stay"),
    "chunks, a size beyond all numbers": (chunks(b"half", end=b"fffffffffffffffff\r\n"), "stay"),
    "chunks, NUL in an extension": (chunks(b"half", end=b"1;a=\0\r\nx\r\n0\r\n\r\n"), "stay"),
    "chunks, a trailer that is none": (chunks(b"half", end=b"0\r\nnonsense\r\n\r\n"), "stay"),
    "chunks, an endless extension": (chunks(b"half", end=b"1;" + b"a" * 1000), "stay"),
}


def truncated(name: str) -> Script:
    data, how = TRUNCATED[name]

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.send_pieces([data[:50], data[50:]])
        if how == "close":
            wire.close()
        elif how == "reset":
            await breathe()  # an RST may overtake what was sent before it
            wire.reset()
        await wire.gone()

    return script


@pytest.mark.both_loops
@pytest.mark.parametrize("name", TRUNCATED)
async def test_an_answer_that_ends_too_early_is_seen_as_cut_by_the_client(gateway: RunningProxy, name: str) -> None:
    """Requirement 12: no final chunk, no filled-up length, no second answer inside the body, no hang."""
    backend = await gateway.backend(truncated(name))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))

    with pytest.raises(Ended):
        await client.answer()

    assert bytes(client.received).count(b"HTTP/1.1") == 1
    assert not client.received.endswith(b"\r\n0\r\n\r\n")
    assert b"problem" not in client.received
    record = await proxy.exchange()
    assert record.error
    assert record.attempts[-1].kind in ("truncated", "broken")
    assert record.attempts[-1].failed


async def test_a_http_1_0_client_sees_a_cut_chunked_answer_as_reset(gateway: RunningProxy) -> None:
    """Requirement 12: without chunks an orderly end would pass for the whole."""
    backend = await gateway.backend(truncated("chunks, closed between two"))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")

    assert await client.gone() == "reset"


async def test_a_backend_that_falls_silent_inside_its_answer_is_cut_after_the_idle_timeout(
    gateway: RunningProxy,
) -> None:
    """Requirement 12: no endless hang."""
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    proxy = await gateway.proxy(backend, clock=Clock(), idle_timeout=5.0)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"half")

    proxy.turn(4.9)
    assert not client.ended
    proxy.turn(0.2)

    assert await client.gone() in ("eof", "reset")
    assert await backend.wires[0].gone() in ("eof", "reset")
    record = await proxy.exchange()
    assert record.attempts[-1].kind == "timeout"


async def test_a_whole_answer_until_close_is_whole(gateway: RunningProxy) -> None:
    """Requirement 12's other side: an orderly end is the end."""
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\n\r\n" + BIG, Wire.close))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert answer.body == BIG
    assert answer.field("transfer-encoding") == "chunked"
    record = await proxy.exchange()
    assert (record.error, record.attempts[0].kind) == ("", "")


async def test_what_was_answered_stays_in_order_when_a_later_answer_is_cut(gateway: RunningProxy) -> None:
    """Requirement 12: an answer given before is not lost with the one that is cut."""
    backend = await gateway.backend(
        answering(ok(b"first"), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then=Wire.close)
    )
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/1") + get("/2"))

    first = await client.answer()
    with pytest.raises(Ended):
        await client.answer()

    assert first.body == b"first"


async def test_a_post_that_fails_is_never_sent_again(gateway: RunningProxy) -> None:
    """Requirement 14."""
    backend = await gateway.backend(on_head(b"", Wire.close))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(post(b"x"))

    assert answer.status == 502
    assert len(backend.wires) == 1
