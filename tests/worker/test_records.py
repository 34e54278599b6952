"""What observers get of a finished request (law 5: frozen, handed out, harmless)."""

from __future__ import annotations

import pytest

from proxy.telemetry.records import Exchange
from tests.support.backend import always, chunks, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import RunningProxy
from tests.support.raw import get, post


async def test_a_record_says_who_asked_for_what_and_who_answered_how(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"hello", status="201 Created")))
    proxy = await gateway.proxy(backend, backend)

    await proxy.ask(post(b"body", target="/a/b?token=secret"))

    record = await proxy.exchange()
    assert (record.method, record.host, record.path, record.client) == ("POST", "example.test", "/a/b", "127.0.0.1")
    assert (record.route, record.side, record.reason, record.answered) == ("all", "modern", "weight", "modern")
    assert (record.status, record.bytes_in, record.bytes_out) == (201, 4, 5)
    assert (record.generation, record.digest, record.error, record.fallback) == (1, "test", "", "")
    assert "secret" not in str(record)


async def test_bytes_are_those_of_bodies_whatever_their_framing(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(chunks(b"hel", b"lo")))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")

    record = await proxy.exchange()
    assert (record.bytes_in, record.bytes_out) == (4, 5)


async def test_time_spent_waiting_for_the_backend_is_not_the_proxys(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock())
    client = await proxy.client()
    client.send(get("/"))
    upstream = await backend.wire()
    await upstream.seen(b"\r\n\r\n")
    proxy.turn(3.0)
    upstream.send(ok())
    await client.answer()

    record = await proxy.exchange()
    assert record.duration == pytest.approx(3.0)
    assert record.overhead == pytest.approx(0.0, abs=0.01)
    assert record.attempts[0].wait == pytest.approx(3.0)


async def test_an_attempt_names_the_target_that_was_asked(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    await proxy.ask(get("/"))

    attempt = (await proxy.exchange()).attempts[0]
    assert (attempt.side, attempt.backend, attempt.target, attempt.status) == ("legacy", "legacy", backend.url, 200)


async def test_a_trusted_edges_client_is_the_one_on_record(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend, trusted=["127.0.0.1"])

    await proxy.ask(get("/", "X-Forwarded-For: 192.0.2.1, 192.0.2.2"))

    assert (await proxy.exchange()).client == "192.0.2.2"


async def test_an_observer_that_raises_is_not_noticed_by_the_user(gateway: RunningProxy) -> None:
    """Law 5."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    failures: list[Exchange] = []

    def broken(record: Exchange) -> None:
        failures.append(record)
        raise ValueError("an observer's own affair")

    proxy.server.observe.add_observer(broken)
    client = await proxy.client()

    for _ in range(3):
        assert (await client.ask(get("/"))).status == 200
    assert len(failures) == len(proxy.exchanges) == 3
    assert proxy.server.observe.failures == 3
    proxy.observer_failures.clear()


async def test_an_answer_to_head_made_by_the_proxy_has_no_body(gateway: RunningProxy) -> None:
    """RFC 9110 9.3.2; the connection goes on."""
    proxy = await gateway.proxy("http://127.0.0.1:1")
    client = await proxy.client()

    for _ in range(2):
        assert (await client.ask(get("/", method="HEAD"), "HEAD")).status == 502
    assert client.unread == b""


async def test_a_backend_that_closes_does_not_close_its_client(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok(b"", "Connection: close")))
    proxy = await gateway.proxy(backend)

    assert (await proxy.ask(get("/"))).field("connection") is None
