"""A backend's faults before a byte of its response was sent (requirement 11): a 502 or a 504."""

from __future__ import annotations

import socket
from typing import Any

import orjson
import pytest

from tests.support.backend import Wire, answering, hang, ok, on_head
from tests.support.clock import Clock
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.socketless import Wired, halves, single_bytes
from tests.support.tables import cases, wire
from tests.support.waiting import breathe, until


@pytest.mark.parametrize("case", cases("http_broken_answers"))
async def test_an_answer_that_cannot_be_trusted_is_a_502(gateway: RunningProxy, case: dict[str, Any]) -> None:
    """Requirement 11."""
    backend = await gateway.backend(on_head(wire(case)))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert answer.status == 502
    assert answer.field("content-type") == "application/problem+json"
    assert await backend.wires[0].gone() in ("eof", "reset")
    record = await proxy.exchange()
    assert (record.answered, record.attempts[0].kind, record.attempts[0].failed) == ("none", "broken", True)


@pytest.mark.parametrize("case", cases("http_broken_answers"))
async def test_a_broken_answer_is_broken_under_every_split(case: dict[str, Any]) -> None:
    """Requirement 1 holds for answers, too."""
    data = wire(case)

    for pieces in [(data,), single_bytes(data), *halves(data)]:
        wired = Wired()
        wired.send(get("/"))
        wired.answer(*pieces)

        assert wired.status == 502, pieces
        assert wired.upstreams[0].closed


@pytest.mark.parametrize("case", cases("http_broken_answers"))
async def test_an_answers_verdict_does_not_depend_on_what_was_seen_before(case: dict[str, Any]) -> None:
    """Requirement 1: spellings are remembered from answer to answer, verdicts must not change by that."""
    before = Wired()
    before.send(get("/"))
    before.answer(ok(b"", "Server: x", "Connection: x", "Keep-Alive: 5", "X-A: 1", "Content-Type: a/b"))
    for _ in range(2):
        wired = Wired()
        wired.send(get("/"))
        wired.answer(wire(case))

        assert wired.status == 502


@pytest.mark.parametrize("mode", ["close", "reset"])
@pytest.mark.parametrize(
    "said", [b"", b"HTT", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["nothing", "letters", "half a head"]
)
async def test_a_connection_that_ends_before_the_answer_is_a_502(gateway: RunningProxy, mode: str, said: bytes) -> None:
    """Requirement 11."""
    backend = await gateway.backend(on_head(said, Wire.close if mode == "close" else Wire.reset))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert answer.status == 502
    record = await proxy.exchange()
    assert [attempt.kind for attempt in record.attempts] == ["reset"]


async def test_a_backend_that_refuses_connections_is_a_502_at_once(gateway: RunningProxy) -> None:
    """Requirement 11."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    proxy = await gateway.proxy(f"http://127.0.0.1:{free.getsockname()[1]}")

    answer = await proxy.ask(get("/"))

    free.close()
    assert answer.status == 502
    record = await proxy.exchange()
    assert [attempt.kind for attempt in record.attempts] == ["connect"]


async def test_a_backend_that_takes_no_connection_is_a_504_within_the_connect_timeout(gateway: RunningProxy) -> None:
    """Requirement 11; a full backlog drops what comes, as a dead host does."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(deaf.getsockname())
    proxy = await gateway.proxy(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_timeout=0.1)

    answer = await proxy.ask(get("/"))

    for sock in (*fillers, deaf):
        sock.close()
    assert answer.status == 504
    record = await proxy.exchange()
    assert [attempt.kind for attempt in record.attempts] == ["connect_timeout"]


async def test_silence_is_a_504_within_the_configured_time_and_the_connection_is_closed(gateway: RunningProxy) -> None:
    """Requirement 11."""
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=7.0)
    client = await proxy.client()
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")

    proxy.turn(6.9)
    assert not proxy.exchanges
    proxy.turn(0.2)
    answer = await client.answer()

    assert answer.status == 504
    assert not answer.closes
    assert await upstream.gone() in ("eof", "reset")
    record = await proxy.exchange()
    assert [(attempt.kind, attempt.failed) for attempt in record.attempts] == [("timeout", True)]
    assert 7.0 <= record.attempts[0].wait <= 7.2


async def test_a_head_that_drips_does_not_prolong_the_time_to_the_first_answer(gateway: RunningProxy) -> None:
    """Requirement 11: silence and an endless head end the same way."""
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\n"))
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=7.0)
    client = await proxy.client()
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")

    for _ in range(8):
        await upstream.send_pieces([b"X-A: 1\r\n"])
        proxy.turn(1.0)

    assert (await client.answer()).status == 504


async def test_an_endless_head_is_a_502(gateway: RunningProxy) -> None:
    """Requirement 11."""

    async def endless(wire: Wire) -> None:
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\n")
        while not wire.ended:
            await wire.send_pieces([b"X-Filler: " + b"x" * 1000 + b"\r\n"])

    backend = await gateway.backend(endless)
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/"))

    assert answer.status == 502
    assert await backend.wires[0].gone() in ("eof", "reset")


async def test_a_flood_of_fields_is_a_502(gateway: RunningProxy) -> None:
    """Requirement 11."""
    flood = "".join(f"X-{number}: 1\r\n" for number in range(2000)).encode()
    backend = await gateway.backend(on_head(b"HTTP/1.1 200 OK\r\n" + flood + b"Content-Length: 0\r\n\r\n"))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).status == 502


async def test_a_502_names_neither_the_backend_nor_what_it_said(gateway: RunningProxy) -> None:
    """What is inside stays inside."""
    backend = await gateway.backend(on_head(b"SECRET garbage\r\n\r\n"))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/path?token=1"))

    problem = orjson.loads(answer.body)
    assert (problem["status"], problem["title"]) == (502, "Bad Gateway")
    assert problem["request_id"]
    assert answer.field("server-timing")
    for secret in (b"SECRET", b"token", b"127.0.0.1", str(backend.port).encode()):
        assert secret not in answer.body


async def test_a_connection_lives_on_after_a_502(gateway: RunningProxy) -> None:
    """The client did nothing wrong: its next request is served on the same connection."""
    backend = await gateway.backend(on_head(b"garbage\r\n\r\n"), answering(ok(b"fine")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    first = await client.ask(get("/1"))
    second = await client.ask(get("/2"))

    assert (first.status, first.closes) == (502, False)
    assert second.body == b"fine"


@pytest.mark.parametrize("status", ["401 Unauthorized", "413 Content Too Large", "403 Forbidden"])
@pytest.mark.parametrize("framing", ["Content-Length: 400000", "Transfer-Encoding: chunked"])
async def test_an_early_refusal_while_a_body_still_comes_is_that_clients_alone(
    gateway: RunningProxy, status: str, framing: str
) -> None:
    """The rest of the body reaches nobody; connections that are kept beside go on, on both sides."""

    async def script(wire: Wire) -> None:
        while True:
            head = await wire.head()
            wire.send(ok(b"no", status=status) if head.startswith(b"POST") else ok(b"kept"))

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend)
    neighbour, client = await proxy.client(), await proxy.client()
    assert (await neighbour.ask(get("/"))).body == b"kept"
    piece = b"x" * 100_000 if "Length" in framing else b"186a0\r\n" + b"x" * 100_000 + b"\r\n"
    client.send(get("/upload", framing, method="POST") + piece)

    answer = await client.answer()
    for _ in range(3):
        client.send(piece)
        assert (await neighbour.ask(get("/"))).body == b"kept"

    assert (answer.status, answer.body, answer.closes) == (int(status[:3]), b"no", True)
    assert await client.rest() == b""
    assert not (await proxy.exchange(1)).attempts[0].failed
    uploads = [wire for wire in backend.wires if b"POST" in wire.received]
    assert len(uploads) == 1
    assert await uploads[0].gone() in ("eof", "reset")
    assert bytes(uploads[0].received).count(b"HTTP/1.1") <= 2


async def test_an_answer_is_heard_although_the_backend_took_no_more_of_the_request(gateway: RunningProxy) -> None:
    """A server that refuses a large upload answers and closes: writing fails, its answer lies ready to be read."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = await gateway.proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
    client = await proxy.client()
    client.send(get("/", "Content-Length: 1000000", method="POST") + b"x" * 100_000)
    await until(lambda: proxy.server.stats()["connections_upstream_active"])
    await breathe()
    backend, _ = listener.accept()
    client.send_now(b"x" * 10_000)  # read first by the proxy, whose writing then fails
    backend.sendall(ok(b"no", "Connection: close", status="413 Content Too Large"))
    backend.close()
    listener.close()

    answer = await client.answer()

    assert (answer.status, answer.body, answer.closes) == (413, b"no", True)
    assert not (await proxy.exchange()).attempts[0].failed
