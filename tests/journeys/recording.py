"""Records the requests of users of the example: nginx before the old application, before any migration."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from examples.paymenter.client import Client, Traffic
from examples.paymenter.sides import token_for
from examples.paymenter.visits import MIX
from tests.journeys.edge import Edge
from tests.journeys.stage import Sides
from tests.support.running import run_command
from tests.support.waiting import until

AT_ONCE = 4
"""As many as PHP has workers."""
STAFF = 1
"""The user who sends recorded reads again: a log has no tokens."""


class Recorder(Edge):
    """The deployed nginx that writes two logs: `combined`, as every nginx does, and the JSON of its own file."""

    def _around(self) -> str:
        whole = super()._around().rstrip().removesuffix("}")
        return f"{whole} access_log {self.folder}/nginx.json strangler; }}\n"


@dataclass(frozen=True)
class Recording:
    """A folder with `access.log`, `nginx.json`, modern's `openapi.json`; `sent` requests are in each of both logs."""

    folder: Path
    sides: Sides
    sent: int

    def path(self, name: str) -> str:
        return str(self.folder / name)

    async def draft(self, log: str, name: str) -> tuple[int, dict[str, Any]]:
        """Have a file drafted from a log and the new API."""
        where = ("--legacy", self.sides.legacy.url, "--modern", self.sides.modern.url)
        known = ("--access-log", self.path(log), "--openapi", self.path("openapi.json"))
        return await self._told("init", *known, *where, "-c", self.path(name))

    async def replay(self, name: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Put the recorded reads to both sides under a file, as one who may read everything."""
        who = token_for(STAFF, self.sides.database.key, "admin")
        fields = ("-H", f"Authorization: Bearer {who}", "-H", f"Cookie: uid={STAFF}")
        return await self._told("replay", self.path("access.log"), "-c", self.path(name), "--rate", "0", *fields, *more)

    async def rejudge(self, pairs: str, name: str) -> tuple[int, dict[str, Any]]:
        """Judge kept pairs under a file."""
        return await self._told("diffs", "rejudge", self.path(pairs), "-c", self.path(name))

    async def against(self, name: str, log: str) -> tuple[int, dict[str, Any]]:
        """Hold a log against a file."""
        return await self._told("check", "-c", self.path(name), "--against", self.path(log))

    async def _told(self, *words: str) -> tuple[int, dict[str, Any]]:
        code, out, err = await run_command(*words, "--json")
        assert out, err
        return code, orjson.loads(out)


async def recorded(sides: Sides, folder: Path) -> Recording:
    """Everybody visits the old application once, through nginx."""
    old = (sides.legacy.host, sides.legacy.port)
    async with Recorder(folder, old, old) as edge:
        traffic = await _visited(f"http://{edge.address[0]}:{edge.address[1]}", sides.database.key)
        # nginx writes a line once the answer is out; lines not written when it is stopped are lost
        logs = [folder / name for name in ("access.log", "nginx.json")]
        await until(lambda: all(len(log.read_bytes().splitlines()) >= traffic.sent for log in logs), "every line")
    assert not traffic.lost, traffic.lost
    async with aiohttp.ClientSession() as session, session.get(f"{sides.modern.url}/openapi.json") as answer:
        (folder / "openapi.json").write_bytes(await answer.read())
    return Recording(folder, sides, traffic.sent)


async def _visited(url: str, key: str) -> Traffic:
    """The example's mix of visits, each as often as it weighs; in an order of its own, the same every time."""
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        client = Client(url, session, key, random.Random(1))
        visits = [visit for visit, often in MIX.items() for _ in range(often)]
        client.draw.shuffle(visits)
        await asyncio.gather(*(visit(client) for visit in visits))
    return client.traffic
