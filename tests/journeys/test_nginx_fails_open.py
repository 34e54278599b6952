"""The proxy crashes behind nginx: users go on, on legacy, nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.journeys.answering import patiently
from tests.journeys.configs import repository
from tests.journeys.edge import BELIEVING, Edge, free_port
from tests.journeys.stage import Sides, Visits, address_of
from tests.journeys.visiting import JSON, Visitor, count, json_of, side_of, users_on
from tests.support.backend import Backend, Wire, ok
from tests.support.messages import Message
from tests.support.running import Running, running
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_users_go_to_legacy_while_the_proxy_is_dead_then_back_through_it(
    sides: Sides, visit: Visits, tmp_path: Path
):
    port = free_port()
    listen = {"STRANGLER_LISTEN__ADDRESS": f"127.0.0.1:{port}"}
    user, admin = users_on("modern", "account", 25)[7], users_on("modern", "tickets", 50, range(1, 21))[0]
    (tmp_path / "edge").mkdir()
    message = {"message": f"Is anybody there, {port}?"}
    reply = "/api/v1/admin/tickets/7/messages"

    async with Edge(tmp_path / "edge", ("127.0.0.1", port), address_of(sides.legacy.url)) as edge:
        client, staff = visit(edge.address, user), visit(edge.address, admin)
        async with running(tmp_path, repository(), **sides.around(tmp_path, **listen)) as proxy:
            before = await client.get("/api/me"), await staff.post(reply, message)

            _kill_all_of(proxy)
            gone = [await client.get("/api/me") for _ in range(3)]
            gone_writes = [await staff.post(reply, message) for _ in range(2)]
        async with running(tmp_path, repository(), **sides.around(tmp_path, **listen)):
            back = await _until_modern(client)

    assert [side_of(answer) for answer in before] == ["modern", "modern"]
    assert [(answer.status, side_of(answer)) for answer in gone] == [(200, "legacy")] * 3
    assert [(answer.status, side_of(answer)) for answer in gone_writes] == [(201, "legacy")] * 2
    assert json_of(gone[0])["id"] == str(user)
    assert back.status == 200
    assert count(sides.database, "ticket_messages", "message = ?", message["message"]) == 3


def _kill_all_of(proxy: Running) -> None:
    """kill -9 of everything, as the kernel does when memory runs out."""
    children = proxy.pids()
    proxy.process.kill()
    for pid in children:
        os.kill(pid, signal.SIGKILL)


async def _until_modern(client: Visitor) -> Message:
    """nginx tries the proxy again after fail_timeout."""
    for _ in range(100):
        answer = await client.get("/api/me")
        assert answer.status == 200
        if side_of(answer) == "modern":
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError("nginx never came back to the proxy")


async def test_what_is_in_flight_when_the_proxy_dies_is_repeated_only_where_nothing_can_happen_twice(
    visit: Visits, tmp_path: Path
):
    async def silent(wire: Wire) -> None:
        await wire.request()
        await wire.gone()

    legacy, modern = Backend(patiently(ok(b"legacy"))), Backend(silent)
    await legacy.start()
    await modern.start()
    (tmp_path / "edge").mkdir()
    try:
        async with (
            running(tmp_path, BELIEVING.format(legacy=legacy.url, modern=modern.url)) as proxy,
            Edge(tmp_path / "edge", address_of(proxy.users), ("127.0.0.1", legacy.port)) as edge,
        ):
            page = asyncio.create_task(visit(edge.address).get("/new/page"))
            order = asyncio.create_task(visit(edge.address).ask("POST", "/new/order", JSON, body=b"{}"))
            await until(lambda: len(modern.requests) == 2, "both requests at the modern side")

            _kill_all_of(proxy)
            answers = await page, await order

        assert (answers[0].status, answers[0].body) == (200, b"legacy")
        assert answers[1].status == 502  # better an error that the user sees than an order placed twice
        assert [request.target for request in legacy.requests] == ["/new/page"]
    finally:
        await legacy.stop()
        await modern.stop()
