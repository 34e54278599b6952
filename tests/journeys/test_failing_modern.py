"""The modern side fails in every way; users of safe requests do not notice, operators do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from examples.paymenter.sides import Modern
from tests.examples.asking import ask
from tests.journeys.configs import Settings, route, weighing
from tests.journeys.counting import Counted
from tests.journeys.edge import free_port
from tests.journeys.failures import REPLY, ROUTES, unwatched
from tests.journeys.stage import Sides, Visits, Workshop
from tests.journeys.visiting import WORKING, count, json_of, side_of
from tests.support.backend import Backend, Wire
from tests.support.messages import Message
from tests.support.running import Running
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HASTE = 0.4
"""Seconds that the modern side has for an answer here."""


def _hasty(settings: Settings) -> None:
    settings["backends"]["modern"]["timeout"] = f"{HASTE * 1000:.0f}ms"
    # on a slow machine its health check would fail often enough to keep the last requests away
    settings["backends"]["modern"].pop("health")


@pytest.fixture(scope="module")
def fragile(sides: Sides) -> Iterator[Modern]:
    """A modern side that may be broken: no other test uses it."""
    with Modern(sides.database) as modern:
        yield modern


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(workshop: Workshop, sides: Sides, fragile: Modern) -> AsyncIterator[Workshop]:
    """Everybody who is known is on the fragile side."""
    own = Sides(sides.database, sides.legacy, fragile)
    await workshop.adopt(own.file(weighing(100, *ROUTES), unwatched))
    yield workshop
    fragile.faults()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(proxy: Workshop, sides: Sides, fragile: Modern) -> Workshop:
    """The same, with little time for the modern side."""
    own = Sides(sides.database, sides.legacy, fragile)
    await proxy.adopt(own.file(weighing(100, *ROUTES), _hasty, unwatched))
    return proxy


async def _crowd(proxy: Running, visit: Visits, requests: int, path: str = "/api/me") -> list[Message]:
    """So many GETs of different users, four at a time."""
    answers: list[Message] = []
    users = iter([WORKING[number % len(WORKING)] for number in range(requests)])

    async def some() -> None:
        for user in users:
            visitor = visit(proxy, user)
            answer = await visitor.get(path)
            visitor.close()
            assert answer.status != 200 or b'"id"' in answer.body or b"balance" in answer.body
            answers.append(answer)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(some())
    return answers


def _sides(answers: list[Message]) -> dict[str, int]:
    names = [side_of(answer) for answer in answers]
    return {name: names.count(name) for name in sorted(set(names))}


# ── errors ──


async def test_no_read_fails_while_modern_answers_500_now_and_then_and_each_rescue_is_counted(
    proxy: Workshop, fragile: Modern, visit: Visits
):
    fragile.faults(error_rate=0.3)

    async with Counted(proxy, requests=80) as counted:
        answers = await _crowd(proxy, visit, 80)

    by = _sides(answers)
    rescued = by["legacy"]
    assert {answer.status for answer in answers} == {200}
    assert by.keys() == {"legacy", "modern"}
    assert counted.grew("strangler_fallbacks_total", route="profile", reason="status") == rescued
    assert counted.grew("strangler_upstream_errors_total", side="modern", kind="status") == rescued
    assert counted.grew("strangler_upstream_errors_total", side="legacy") == 0
    assert counted.grew("strangler_requests_total", route="profile", side="legacy", code="2xx") == rescued
    assert counted.grew("strangler_requests_total", route="profile", side="modern", code="2xx") == 80 - rescued
    assert counted.grew("strangler_requests_total", route="profile") == 80
    assert counted.totals("profile", "modern") == {"requests": 80, "errors": rescued, "client_errors": 0}
    assert counted.totals("profile", "legacy") == {"requests": rescued, "errors": 0, "client_errors": 0}


async def test_the_access_line_of_a_rescued_request_tells_both_attempts(
    proxy: Workshop, fragile: Modern, visit: Visits
):
    fragile.faults(error_rate=1)
    request_id = uuid4().hex

    await visit(proxy, 42).get("/api/me", f"X-Request-Id: {request_id}")

    await until(lambda: any(line["request_id"] == request_id for line in proxy.access), "the access line")
    (line,) = [line for line in proxy.access if line["request_id"] == request_id]
    assert (line["side"], line["answered"], line["status"], line["fallback"]) == ("modern", "legacy", 200, "status")
    assert [(each["side"], each["status"]) for each in line["attempts"]] == [("modern", 500), ("legacy", 200)]


async def test_a_write_that_modern_answered_500_is_not_tried_elsewhere(
    proxy: Workshop, sides: Sides, fragile: Modern, visit: Visits
):
    fragile.faults(error_rate=1)
    message = f"once, {uuid4()}"

    async with Counted(proxy, requests=3) as counted:
        answers = [await visit(proxy, 1).post(REPLY, {"message": message}) for _ in range(3)]

    assert [(answer.status, side_of(answer)) for answer in answers] == [(500, "modern")] * 3
    assert count(sides.database, "ticket_messages", "message = ?", message) == 0
    assert counted.grew("strangler_fallbacks_total") == 0
    assert counted.grew("strangler_upstream_errors_total", side="modern", kind="status") == 3
    assert counted.grew("strangler_requests_total", route="ticket-messages", side="modern", code="5xx") == 3


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_answer_that_is_the_clients_own_affair_is_no_failure_of_modern(
    proxy: Workshop, visit: Visits, status: int
):
    request = {
        401: lambda: visit(proxy, 42, signed_in=False).get("/api/me"),
        403: lambda: visit(proxy, 42).get("/api/v1/admin/tickets"),
        404: lambda: visit(proxy, 1).get("/api/v1/admin/tickets/99999"),
    }[status]

    async with Counted(proxy, requests=1) as counted:
        answer = await request()

    assert (answer.status, side_of(answer)) == (status, "modern")
    assert counted.grew("strangler_upstream_errors_total") == counted.grew("strangler_fallbacks_total") == 0


# ── silence ──


async def test_no_read_fails_while_modern_hangs(hasty: Workshop, fragile: Modern, visit: Visits):
    fragile.faults(hang=True)

    async with Counted(hasty, requests=8) as counted:
        answers = await _crowd(hasty, visit, 8, "/api/credits")

    assert [(answer.status, side_of(answer)) for answer in answers] == [(200, "legacy")] * 8
    assert counted.grew("strangler_fallbacks_total", route="credits", reason="timeout") == 8
    assert counted.grew("strangler_upstream_errors_total", side="modern", kind="timeout") == 8
    assert counted.totals("credits", "modern") == {"requests": 8, "errors": 8, "client_errors": 0}


async def test_a_write_to_a_hanging_modern_is_a_clear_504_and_was_sent_once(
    hasty: Workshop, sides: Sides, fragile: Modern, visit: Visits
):
    fragile.faults(hang=True)
    message = f"hanging, {uuid4()}"

    async with Counted(hasty, requests=1) as counted:
        answer = await visit(hasty, 1).post(REPLY, {"message": message})

    assert (answer.status, side_of(answer)) == (504, "proxy")
    assert json_of(answer)["status"] == 504
    assert count(sides.database, "ticket_messages", "message = ?", message) == 0
    assert counted.grew("strangler_fallbacks_total") == 0
    assert counted.grew("strangler_upstream_errors_total", side="modern", kind="timeout") == 1
    assert counted.grew("strangler_requests_total", route="ticket-messages", side="none", code="5xx") == 1


async def test_a_write_that_modern_does_but_confirms_too_late_is_done_once(
    hasty: Workshop, sides: Sides, fragile: Modern, visit: Visits
):
    async def late(wire: Wire) -> None:
        request = await wire.request()
        fields = {name: value for name, value in request.fields if name.lower() in ("authorization", "content-type")}
        done = await asyncio.to_thread(ask, fragile, "POST", request.target, body=request.body, headers=fields)
        assert done.status == 201
        await wire.gone()

    backend = Backend(late)
    await backend.start()
    await hasty.adopt(hasty.file.read_text().replace(fragile.url, backend.url))
    messages = [f"late {number}, {uuid4()}" for number in range(3)]

    answers = await asyncio.gather(*(visit(hasty, 1).post(REPLY, {"message": each}) for each in messages))
    await backend.stop()

    assert [(answer.status, side_of(answer)) for answer in answers] == [(504, "proxy")] * 3
    assert [count(sides.database, "ticket_messages", "message = ?", each) for each in messages] == [1] * 3


# ── gone ──


async def test_nobody_notices_that_modern_is_killed_in_the_middle_of_traffic_and_comes_back(
    proxy: Workshop, fragile: Modern, visit: Visits
):
    over = asyncio.Event()
    answers: list[Message] = []

    async def browse(user: int) -> None:
        visitor = visit(proxy, user)
        while not over.is_set():
            answers.append(await visitor.get("/api/me" if len(answers) % 2 else "/api/credits"))
            await asyncio.sleep(0.05)  # until the side is back, which takes seconds

    async with asyncio.TaskGroup() as group:
        for user in (21, 22, 23, 24, 25, 26):
            group.create_task(browse(user))
        await until(lambda: len(answers) > 30, "traffic")
        await asyncio.to_thread(fragile.kill)
        killed = len(answers)
        await until(lambda: len(answers) > killed + 60, "traffic without modern")
        await asyncio.to_thread(fragile.revive)
        revived = len(answers)
        await until(lambda: "modern" in map(side_of, answers[revived:]), "modern's return")
        over.set()

    assert {answer.status for answer in answers} == {200}
    assert set(map(side_of, answers[:30])) == {"modern"}
    assert set(map(side_of, answers[killed + 6 : killed + 60])) == {"legacy"}


def _nobody() -> str:
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


async def test_with_modern_dead_every_method_is_answered_by_legacy_and_done_once(
    workshop: Workshop, sides: Sides, visit: Visits
):
    own = sides.file(weighing(100, *ROUTES), unwatched)
    await workshop.adopt(own.replace(sides.modern.url, _nobody()))
    messages = [f"gone {number}, {uuid4()}" for number in range(6)]

    async with Counted(workshop, requests=8) as counted:
        staff = visit(workshop, 1)
        answers = [await staff.post(REPLY, {"message": each}) for each in messages]
        answers.append(await staff.post("/api/v1/admin/orders/12", {"status": "active"}, method="PUT"))
        answers.append(await staff.get("/api/me"))

    assert [(answer.status, side_of(answer)) for answer in answers] == [(201, "legacy")] * 6 + [(200, "legacy")] * 2
    assert [count(sides.database, "ticket_messages", "message = ?", each) for each in messages] == [1] * 6
    fallbacks = counted.grew("strangler_fallbacks_total", reason="connect")
    connects = counted.grew("strangler_upstream_errors_total", side="modern", kind="connect")
    unhealthy = counted.grew("strangler_upstream_errors_total", side="modern", kind="unhealthy")
    # at first each request finds out for itself; then the target is known to be down, which is no less a failure
    assert 1 <= fallbacks == connects
    assert connects + unhealthy == 8
    assert counted.grew("strangler_requests_total", side="legacy") == 8
    assert sum(counted.totals(name, "modern")["errors"] for name in ("ticket-messages", "order", "profile")) == 8


async def test_with_both_sides_dead_the_answer_is_a_clear_502(workshop: Workshop, sides: Sides, visit: Visits):
    dead = _nobody()
    own = sides.file(weighing(100, *ROUTES), unwatched)
    await workshop.adopt(own.replace(sides.legacy.url, dead).replace(sides.modern.url, dead))

    answers = [await visit(workshop, 42).get("/api/me"), await visit(workshop, 1).post(REPLY, {"message": "x"})]

    for answer in answers:
        assert (answer.status, side_of(answer)) == (502, "proxy")
        assert json_of(answer)["title"] == "Bad Gateway"
        assert dead.rpartition(":")[2] not in answer.body.decode()


@pytest.mark.parametrize(
    ("mode", "read", "write_refused"), [("none", 500, 502), ("connect", 500, 201), ("safe", 200, 201)]
)
async def test_a_route_falls_back_as_far_as_its_file_says(
    proxy: Workshop, sides: Sides, fragile: Modern, visit: Visits, mode: str, read: int, write_refused: int
):
    def limited(settings: Settings) -> None:
        settings["backends"]["nobody"] = {"url": _nobody()}
        route(settings, "profile")["fallback"] = {"mode": mode}
        route(settings, "ticket-messages").update({"fallback": {"mode": mode}, "modern": {"backend": "nobody"}})

    own = Sides(sides.database, sides.legacy, fragile)
    await proxy.adopt(own.file(weighing(100, *ROUTES), limited, unwatched))
    fragile.faults(error_rate=1)

    page = await visit(proxy, 42).get("/api/me")
    refused = await visit(proxy, 1).post(REPLY, {"message": f"mode {mode}, {uuid4()}"})

    assert (page.status, refused.status) == (read, write_refused)
