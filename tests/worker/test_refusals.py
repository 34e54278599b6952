"""What is refused (requirements 1, 2, 4, 6): same verdict however it is split, and no backend gets it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.backend import always, ok
from tests.support.proxying import RunningProxy
from tests.support.raw import get
from tests.support.socketless import Wired, halves, single_bytes
from tests.support.tables import cases, wire

SMUGGLED = get("/smuggled")


@pytest.mark.parametrize("case", cases("http_refusals"))
async def test_a_malformed_request_is_refused_under_every_split(case: dict[str, Any]) -> None:
    """Requirement 1."""
    data = wire(case)

    for pieces in [(data,), single_bytes(data), *halves(data)]:
        wired = Wired()
        wired.send(*pieces)

        assert wired.status == case["status"], pieces
        assert wired.over
        assert wired.asked_at_all == b""


@pytest.mark.parametrize("case", cases("http_refusals"))
async def test_after_a_refusal_nothing_more_is_parsed(gateway: RunningProxy, case: dict[str, Any]) -> None:
    """Requirements 2 and 4, on a real connection: whole, then byte by byte."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    data = wire(case)

    for pieces in ([data + SMUGGLED], [*single_bytes(data), SMUGGLED]):
        client = await proxy.client()
        await client.send_pieces(pieces)
        answer = await client.answer()

        assert answer.status == case["status"]
        assert answer.closes
        assert await client.rest() == b""
    assert backend.received == b""


@pytest.mark.parametrize("case", cases("http_refusals"))
async def test_a_verdict_does_not_depend_on_what_was_seen_before(case: dict[str, Any]) -> None:
    """Requirement 1: spellings are remembered from request to request, verdicts must not change by that."""
    Wired().send(get("/", "Accept: */*", "Connection: x", "Keep-Alive: 5", "X-Forwarded-For: b", "X-A: 1"))
    for _ in range(3):
        wired = Wired()
        wired.send(wire(case))

        assert wired.status == case["status"]


async def test_a_refusal_is_a_problem_that_repeats_nothing_of_what_was_sent(gateway: RunningProxy) -> None:
    """Requirement 4."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/secret-path", "X-Evil : <script>"))

    problem = orjson.loads(answer.body)
    assert answer.field("content-type") == "application/problem+json"
    assert answer.field("server-timing")
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert b"secret-path" not in answer.body
    assert b"script" not in answer.body


async def test_a_refusal_is_nobodys_failure_but_the_clients(gateway: RunningProxy) -> None:
    """Requirement 4: it is recorded without an attempt, so no side is judged by it."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    await proxy.ask(b"NONSENSE\r\n\r\n")

    record = await proxy.exchange()
    assert (record.status, record.answered, record.attempts) == (400, "none", ())


async def test_a_405_says_what_is_allowed(gateway: RunningProxy) -> None:
    """RFC 9110 15.5.6."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(get("/", method="TRACE"))

    assert answer.status == 405
    assert "GET" in (answer.field("allow") or "")
    assert "TRACE" not in (answer.field("allow") or "")


async def test_a_client_that_goes_on_sending_still_reads_its_refusal(gateway: RunningProxy) -> None:
    """Requirement 4: the connection ends in order; a reset could destroy the answer on its way (RFC 9112 9.6)."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()

    await client.send_pieces([b"BAD\r\n\r\n", *[b"x" * 10_000] * 20])
    answer = await client.answer()

    assert answer.status == 400
    assert await client.gone() == "eof"


async def test_two_empty_lines_before_a_request_are_overlooked(gateway: RunningProxy) -> None:
    """RFC 9112 2.2."""
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)

    answer = await proxy.ask(b"\r\n\r\n" + get("/"))

    assert answer.status == 200
