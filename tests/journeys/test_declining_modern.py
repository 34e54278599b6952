"""The modern side declines or reports itself unhealthy: legacy serves the request, with the same body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.journeys.answering import patiently
from tests.journeys.configs import Settings, route, weighing
from tests.journeys.counting import Counted
from tests.journeys.failures import REPLY, ROUTES, unwatched
from tests.journeys.stage import Sides, Visits, Workshop
from tests.journeys.visiting import Visitor, count, json_of, side_of
from tests.support.backend import Backend, ok
from tests.support.messages import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def declining(workshop: Workshop, sides: Sides) -> AsyncIterator[Backend]:
    """A modern side that has not got that far: it reads each request, then says so."""
    declined = ok(b"not ported yet", "X-Strangler-Decline: 1", status="501 Not Implemented")
    backend = Backend(patiently(lambda request: ok(b"{}") if request.target == "/health" else declined))
    await backend.start()
    await workshop.adopt(sides.file(weighing(100, *ROUTES), unwatched).replace(sides.modern.url, backend.url))
    yield backend
    await backend.stop()


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_write_that_modern_declines_is_done_by_legacy_with_the_same_body(
    workshop: Workshop, sides: Sides, declining: Backend, visit: Visits, framing: str
):
    message = f"declined, {uuid4()} — ünïcode"
    staff = visit(workshop, 1)

    async with Counted(workshop, requests=1) as counted:
        if framing == "length":
            answer = await staff.post(REPLY, {"message": message})
        else:
            body = f'{{"message": "{message}"}}'.encode()
            pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:11], body[11:])) + b"0\r\n\r\n"
            lines = "\r\n".join([*staff.lines, "Cookie: uid=1", "Content-Type: application/json"])
            head = f"POST {REPLY} HTTP/1.1\r\nHost: shop.test\r\n{lines}\r\nTransfer-Encoding: chunked\r\n\r\n"
            answer = await staff.send(head.encode() + pieces, "POST")

    assert (answer.status, side_of(answer)) == (201, "legacy")
    assert json_of(answer)["message"] == message
    assert count(sides.database, "ticket_messages", "message = ?", message) == 1
    assert [request.method for request in declining.requests if request.target != "/health"] == ["POST"]
    assert not [name for name in answer.names if name.lower().startswith("x-strangler")]
    assert counted.grew("strangler_fallbacks_total", route="ticket-messages", reason="declined") == 1
    # having said "nothing done" is no failure
    assert counted.grew("strangler_upstream_errors_total") == 0
    assert counted.totals("ticket-messages", "modern")["errors"] == 0


async def test_a_declined_write_too_large_to_repeat_is_a_counted_502(
    workshop: Workshop, sides: Sides, declining: Backend, visit: Visits
):
    message = f"{uuid4()}" + "x" * 1_100_000

    async with Counted(workshop, requests=1) as counted:
        answer = await visit(workshop, 1).post(REPLY, {"message": message})

    assert (answer.status, side_of(answer)) == (502, "proxy")
    assert "declined" in json_of(answer)["detail"]
    assert [request.method for request in declining.requests if request.target != "/health"] == ["POST"]
    assert count(sides.database, "ticket_messages", "message = ?", message) == 0
    assert counted.grew("strangler_requests_total", route="ticket-messages", side="none", code="5xx") == 1


async def test_a_read_that_modern_declines_is_answered_by_legacy_whatever_the_mode(
    workshop: Workshop, sides: Sides, declining: Backend, visit: Visits
):
    def strict(settings: Settings) -> None:
        route(settings, "profile")["fallback"] = {"mode": "none"}

    own = sides.file(weighing(100, *ROUTES), strict, unwatched)
    await workshop.adopt(own.replace(sides.modern.url, declining.url))

    answer = await visit(workshop, 42).get("/api/me")

    assert (answer.status, side_of(answer), json_of(answer)["id"]) == (200, "legacy", "42")


# ── unwell ──


async def test_a_modern_side_whose_health_check_fails_is_not_asked_until_it_is_well_again(
    workshop: Workshop, sides: Sides, visit: Visits
):
    well = True

    def answer(request: Message) -> bytes:
        if request.target == "/health":
            return ok(b"{}", status="200 OK" if well else "503 Service Unavailable")
        return ok(b"{}", "Server: uvicorn", "Content-Type: application/json")

    def checked(settings: Settings) -> None:
        health = {"path": "/health", "every": "100ms", "unhealthy_after": 2, "healthy_after": 2}
        settings["backends"]["modern"]["health"] = health

    backend = Backend(patiently(answer))
    await backend.start()
    own = sides.file(weighing(100, *ROUTES), checked, unwatched).replace(sides.modern.url, backend.url)
    await workshop.adopt(own)
    staff = visit(workshop, 1)

    try:
        first = side_of(await staff.get("/api/me"))
        well = False
        sick = await _until_side(staff, "legacy")
        written = await staff.post(REPLY, {"message": f"unwell, {uuid4()}"})
        well = True
        again = await _until_side(staff, "modern")
    finally:
        await backend.stop()

    assert (first, sick, again) == ("modern", "unhealthy", "weight")
    assert (written.status, side_of(written)) == (201, "legacy")


async def test_a_reload_that_puts_a_well_side_in_place_of_an_unwell_one_counts_at_once(
    workshop: Workshop, sides: Sides, visit: Visits
):
    def checked(settings: Settings) -> None:
        settings["backends"]["modern"]["health"] = {"path": "/health", "every": "100ms", "unhealthy_after": 1}

    ill = ok(b"", status="503 Service Unavailable")
    backend = Backend(patiently(lambda request: ill if request.target == "/health" else ok(b"{}", "Server: uvicorn")))
    await backend.start()
    good = sides.file(weighing(100, *ROUTES), checked, unwatched)
    staff = visit(workshop, 1)

    try:
        found = []
        for _ in range(3):
            await workshop.adopt(good.replace(sides.modern.url, backend.url))
            await _until_side(staff, "legacy")
            await workshop.adopt(good)
            found.append(side_of(await staff.get("/api/me")))
    finally:
        await backend.stop()

    assert found == ["modern"] * 3


async def _until_side(visitor: Visitor, side: str) -> str | None:
    """The reason, as soon as that side answers."""
    for _ in range(40):
        answer = await visitor.get("/api/me", "X-Strangler-Debug: 1")
        assert answer.status == 200
        if side_of(answer) == side:
            return answer.field("x-strangler-reason")
        await asyncio.sleep(0.05)
    raise AssertionError(f"{side} never answered")
