"""Streams: flushed at once, held back when the client is slow, flat in memory (requirement 10)."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable

import pytest

from tests.support.backend import Wire, always, chunks, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.measuring import memory, resident
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.waiting import breathe, until

HUNDRED_MB = 100_000_000
PIECE = b"x" * 65536


# ── at once ──


@pytest.mark.both_loops
async def test_server_sent_events_arrive_one_by_one(gateway: RunningProxy) -> None:
    """Requirement 10: flush at once."""
    backend = await gateway.backend(on_head(chunks(lines=("Content-Type: text/event-stream",), end=b"")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/events"))
    await client.until(b"\r\n\r\n")

    for number in range(5):
        event = f"data: {number}\n\n".encode()
        backend.wires[0].send(b"%x\r\n%b\r\n" % (len(event), event))
        assert event in await client.until(event)


async def test_events_without_chunks_arrive_one_by_one(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/events"))
    await client.until(b"\r\n\r\n")

    for number in range(3):
        backend.wires[0].send(f"data: {number}\n\n".encode())
        await client.until(f"data: {number}\n\n".encode())


async def test_the_head_of_an_answer_does_not_wait_for_its_body(gateway: RunningProxy) -> None:
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/"))

    assert b"200" in await client.until(b"\r\n\r\n")


async def test_a_request_body_is_passed_on_piece_by_piece(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
    upstream = await backend.wire()

    for number in range(5):
        client.send(b"1\r\n%d\r\n" % number)
        await upstream.until(b"1\r\n%d\r\n" % number)


async def test_both_directions_stream_at_the_same_time(gateway: RunningProxy) -> None:
    async def echo(wire: Wire) -> None:
        await wire.head()
        wire.send(chunks(end=b""))
        while True:
            wire.send(await wire.until(b"\r\n") + await wire.until(b"\r\n"))

    backend = await gateway.backend(echo)
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
    await client.until(b"\r\n\r\n")

    for number in range(5):
        client.send(b"5\r\nping%d\r\n" % number)
        await client.until(b"5\r\nping%d\r\n" % number)


@pytest.mark.parametrize("kind", ["text/event-stream", "text/event-stream; charset=utf-8", "Text/Event-Stream"])
async def test_an_event_stream_may_be_silent_for_long(gateway: RunningProxy, kind: str) -> None:
    """Contract: idle_timeout is between bytes, streams excepted."""
    backend = await gateway.backend(on_head(chunks(lines=(f"Content-Type: {kind}",), end=b"")))
    proxy = await gateway.proxy(backend, clock=Clock(), idle_timeout=5.0)
    client = await proxy.client()
    client.send(get("/events"))
    await client.until(b"\r\n\r\n")

    proxy.turn(3600.0)
    backend.wires[0].send(b"2\r\nhi\r\n")

    await client.until(b"hi")
    assert not client.ended


# ── held back, flat ──


@pytest.mark.parametrize("frame", ["length", "chunks", "close"])
async def test_a_hundred_megabytes_down_to_a_slow_reader_stay_flat(gateway: RunningProxy, frame: str) -> None:
    """Requirement 10: the backend waits, memory does not grow; both ends run in a thread of their own."""
    sent = {"now": 0}

    def backend(sock: socket.socket) -> None:
        sock.recv(65536)
        head = {
            "length": b"Content-Length: %d\r\n" % HUNDRED_MB,
            "chunks": b"Transfer-Encoding: chunked\r\n",
            "close": b"",
        }[frame]
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while sent["now"] < HUNDRED_MB:
            piece = PIECE[: HUNDRED_MB - sent["now"]]
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if frame == "chunks" else piece)
            sent["now"] += len(piece)
        if frame == "chunks":
            sock.sendall(b"0\r\n\r\n")

    url = listening(backend)
    proxy = await gateway.proxy(url)
    client = await proxy.client()
    client.transport.pause_reading()
    before = memory()
    client.send(get("/"))
    await until(lambda: any(each.write_paused for each in proxy.server.clients), "back-pressure")
    await stalled(lambda: sent["now"])
    held = memory() - before
    stopped_at = sent["now"]

    total, peak = await drained(client, before)

    assert stopped_at < 30_000_000, "the backend was not held back"
    assert held < 15_000_000
    assert peak < 15_000_000
    assert total >= HUNDRED_MB
    assert (await proxy.exchange()).bytes_out == HUNDRED_MB


@pytest.mark.parametrize("frame", ["length", "chunks"])
async def test_a_hundred_megabytes_up_to_a_slow_reader_stay_flat(gateway: RunningProxy, frame: str) -> None:
    """Requirement 10: the client waits, memory does not grow."""
    go = threading.Event()
    received = {"now": 0}

    def backend(sock: socket.socket) -> None:
        go.wait(20)
        tail = b""
        while True:
            data = sock.recv(1 << 18)
            received["now"] += len(data)
            tail = (tail + data)[-10:]
            if received["now"] >= HUNDRED_MB and (frame == "length" or tail.endswith(b"0\r\n\r\n")):
                sock.sendall(ok(b"thanks"))
                return

    url = listening(backend)
    proxy = await gateway.proxy(url)
    written = {"now": 0}
    before = memory()
    answer: list[bytes] = []
    thread = threading.Thread(target=upload, args=(proxy.address, frame, written, answer))
    thread.start()
    await until(lambda: written["now"] > 0)
    await stalled(lambda: written["now"])
    stopped_at, held = written["now"], memory() - before

    go.set()
    peak = 0
    while thread.is_alive():
        await asyncio.sleep(0.01)
        peak = max(peak, resident() - before)
    thread.join()

    assert stopped_at < 30_000_000, "the client was not held back"
    assert held < 15_000_000
    assert peak < 15_000_000
    assert b"thanks" in answer[0]
    assert (await proxy.exchange()).bytes_in == HUNDRED_MB


async def test_an_upload_waits_for_a_connection_without_piling_up(gateway: RunningProxy) -> None:
    """Requirement 10: what comes before there is a connection is bounded, too."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, max_connections=1, connect_timeout=30.0)
    first, second = await proxy.client(), await proxy.client()
    first.send(get("/"))
    await (await backend.wire()).seen(b"\r\n\r\n")
    second.send(get("/", "Content-Length: 50000000", method="POST"))
    second.send(b"x" * 20_000_000)
    await breathe(300)

    assert second.full
    assert (
        max(each.call.request_body.pending_size for each in proxy.server.clients if each.call is not None) < 1_000_000
    )


async def test_range_requests_pass_through(gateway: RunningProxy) -> None:
    """Requirement 7."""
    backend = await gateway.backend(always(ok(b"ell", "Content-Range: bytes 1-3/5", status="206 Partial Content")))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/", "Range: bytes=1-3"))

    assert (answer.status, answer.body, answer.field("content-range")) == (206, b"ell", "bytes 1-3/5")
    assert backend.requests[0].field("range") == "bytes=1-3"


def listening(serve: Callable[[socket.socket], None]) -> str:
    """A backend for one connection in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def run() -> None:
        with listener:
            sock, _ = listener.accept()
        with sock:
            sock.settimeout(20)
            serve(sock)

    threading.Thread(target=run, daemon=True).start()
    gc.collect()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def stalled(count: Callable[[], int]) -> None:
    """Wait until a count does not move any more."""
    last = -1
    while count() != last:
        last = count()
        await asyncio.sleep(0.15)


async def drained(client: object, before: int) -> tuple[int, int]:
    """Read an answer to its end without keeping it: how many bytes, and how much memory at most."""
    total = peak = 0
    client.transport.resume_reading()  # type: ignore[attr-defined]
    while total < HUNDRED_MB and not client.ended:  # type: ignore[attr-defined]
        await client.news()  # type: ignore[attr-defined]
        total += len(client.received)  # type: ignore[attr-defined]
        client.received.clear()  # type: ignore[attr-defined]
        peak = max(peak, resident() - before)
    await breathe()
    return total + len(client.received), peak  # type: ignore[attr-defined]


def upload(address: tuple[str, int], frame: str, written: dict[str, int], answer: list[bytes]) -> None:
    with socket.create_connection(address) as sock:
        sock.settimeout(20)
        head = f"Content-Length: {HUNDRED_MB}" if frame == "length" else "Transfer-Encoding: chunked"
        sock.sendall(get("/", head, method="POST"))
        while written["now"] < HUNDRED_MB:
            piece = PIECE[: HUNDRED_MB - written["now"]]
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if frame == "chunks" else piece)
            written["now"] += len(piece)
        if frame == "chunks":
            sock.sendall(b"0\r\n\r\n")
        answer.append(sock.recv(65536))
