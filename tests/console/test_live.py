"""Changes of a page are sent while it is open, nothing else is."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
import pytest

from proxy.control.console.live_updates import STREAMS
from tests.console.conftest import OPERATOR, VIEWER, Browser
from tests.support import raw
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def stream(proxy: Running, page: str) -> tuple[raw.RawClient, int]:
    """Begin to watch a page; the status says whether that is possible."""
    host, _, port = proxy.admin_url.removeprefix("http://").rpartition(":")
    client = await raw.connect((host, int(port)))
    client.send(raw.get(f"/live?page={page}", f"Authorization: Bearer {VIEWER}", host="127.0.0.1"))
    head = await client.until(b"\r\n\r\n")
    return client, int(head.split(b" ")[1])


async def changes(client: raw.RawClient) -> dict[str, Any]:
    """The next blocks that are sent."""
    while True:
        line = await client.until(b"\n")
        if line.startswith(b"data: "):
            found: dict[str, Any] = orjson.loads(line.removeprefix(b"data: "))
            return found


async def test_only_the_blocks_that_changed_are_sent(proxy: Running):
    client, _ = await stream(proxy, "%2F")
    wish = {"reason": "look here"}
    whole = await changes(client)

    await proxy.admin("/api/v1/routes/steps/hold", f"Authorization: Bearer {OPERATOR}", method="POST", body=wish)
    sent = await changes(client)
    while "route-steps" not in sent:
        sent = await changes(client)
    client.close()

    assert {"state", "route-_default", "route-steps", "rows"} <= whole.keys()
    assert "held" in sent["route-steps"]
    assert "route-_default" not in sent
    await proxy.admin("/api/v1/routes/steps/resume", f"Authorization: Bearer {OPERATOR}", method="POST", body=wish)


async def test_a_page_that_shows_all_there_is_is_sent_only_the_time(proxy: Running, viewer: Browser):
    shows = re.search(r'data-live="/live\?page=%2Fevents&amp;(shows=\w+)"', await viewer.page("/events"))
    assert shows
    client, _ = await stream(proxy, f"/events&{shows[1]}")
    sent = await changes(client)
    client.close()

    assert sent.keys() == {"state"}
    assert "as of" in sent["state"]


@pytest.mark.parametrize("page", ["/", "/routes/steps", "/events", "/instances", "/backends", "/data"])
async def test_a_page_that_shows_something_else_is_sent_all_at_once(proxy: Running, page: str):
    client, _ = await stream(proxy, f"{page}&shows=older")
    sent = await changes(client)
    client.close()

    assert len(sent) > 1


@pytest.mark.parametrize(("page", "status"), [("/routes/nobody", 404), ("/explain", 404), ("//evil", 404)])
async def test_a_page_on_which_nothing_changes_cannot_be_watched(viewer: Browser, page: str, status: int):
    assert (await viewer.get(f"/live?page={page}")).status == status


async def test_a_stranger_watches_nothing(proxy: Running):
    assert (await proxy.admin("/live?page=/")).status == 401


async def test_only_so_many_pages_are_watched_at_once_and_whoever_leaves_makes_room(proxy: Running):
    watching: list[raw.RawClient] = []
    try:
        for _ in range(STREAMS + 1):
            client, status = await stream(proxy, "/instances")
            watching.append(client)
            if status != 200:
                break
    finally:
        for client in watching:
            client.close()

    again = 503
    for _ in range(100):
        again = await stream_once(proxy)
        if again == 200:
            break
        await asyncio.sleep(0.1)
    assert (status, again) == (503, 200)


async def stream_once(proxy: Running) -> int:
    client, status = await stream(proxy, "/instances")
    client.close()
    return status
