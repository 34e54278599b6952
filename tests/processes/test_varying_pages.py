"""An application whose every page varies by itself, asked faster than it can be asked again, stays where it is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random

import pytest

from tests.journeys.answering import patiently
from tests.support.backend import Backend, ok
from tests.support.messages import Message
from tests.support.running import Running, running
from tests.support.waiting import PATIENCE

CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0"}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
routes:
  - name: pages
    match: {{path: "/p/{{number}}"}}
    shadow: {{sample: 100%}}
    rollout: {{weight: 50, by: request}}
    compare: {{preset: php}}
"""
PAGES = 60
DRAW = Random(3)


def page(request: Message, total: str = "12 rows") -> bytes:
    """The page of a target, with an id that no two answers share."""
    number = int(request.target.rpartition("/")[2])
    body = f'<h1>Page {number}</h1><div id="tab{number}_{DRAW.getrandbits(64):016x}"><p>{total}</p></div>'
    return ok(body.encode(), "Content-Type: text/html")


def wrong(request: Message) -> bytes:
    """Modern's with another number in it."""
    return page(request, "13 rows")


async def totals(proxy: Running, eligible: int, *, is_wrong: bool) -> dict[str, int]:
    """What the pairs came to once all are counted, or the route was rolled back where that is to come."""
    end = time.monotonic() + PATIENCE
    while True:
        (route,) = (await proxy.json("/api/v1/status"))["routes"][:1]
        found: dict[str, int] = {**route["compare"]["totals"], "rolled_back": int(route["rolled_back"] is not None)}
        settled = sum(found[each] for each in ("equal", "different", "noise", "transient", "not_compared"))
        if found["rolled_back"] or (settled >= eligible and not is_wrong):
            return found
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("is_wrong", [False, True])
async def test_pages_with_something_new_in_each_are_no_difference_but_another_number_is(tmp_path: Path, is_wrong: bool):
    legacy, modern = Backend(patiently(page)), Backend(patiently(wrong if is_wrong else page))
    for each in (legacy, modern):
        await each.start()
    async with running(tmp_path, CONFIG.format(legacy=legacy.url, modern=modern.url)) as proxy:
        for number in range(4 * PAGES):
            await proxy.get(f"/p/{number % PAGES}")
        found = await totals(proxy, 4 * PAGES, is_wrong=is_wrong)
    for each in (legacy, modern):
        await each.stop()

    assert found["rolled_back"] == is_wrong
    assert (found["different"] > 0) == is_wrong
