"""Sends what changed on an open page, as server-sent events.

The page says what it shows by a digest: a stream begins with all that differs from it, so that nothing is missed
between drawing and streaming, while the tab was hidden, while the connection was lost.

A stream ends by itself after some minutes: the browser comes back, and its login is checked again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from aiohttp import web

from dashboards.pages.layout import Blocks, digest
from proxy.control.api.http import has_hung_up
from proxy.control.console.pages import Pages, Query
from proxy.control.errors import RefusedError

EVERY = 2.0
STREAMS = 32
LASTS = 600.0


class LiveUpdates:
    """The streams: `_open` counts them, `_over` is set once when the port closes."""

    def __init__(self, pages: Pages, every: float = EVERY) -> None:
        self._pages = pages
        self._every = every
        self._open = 0
        self._over = asyncio.Event()

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the path of the streams."""
        return (web.get("/live", self._stream, allow_head=False),)

    async def close(self, _: web.Application) -> None:
        """End every stream."""
        self._over.set()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        parts = urlsplit(request.query.get("page", "/"))
        query = dict(parse_qsl(parts.query))
        if self._open >= STREAMS:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"{STREAMS} pages are watched already")
        self._open += 1
        try:
            shown = request.headers.get("Last-Event-ID") or request.query.get("shows", "")
            first = await self._pages.blocks(parts.path, query)
            answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
            await answer.prepare(request)
            # the browser may go on to another page, the route may go with a reload: the stream is over then
            with contextlib.suppress(ConnectionError, RefusedError):
                await answer.write(b"retry: 1000\n\n")
                before = first if digest(first) == shown else {}
                await answer.write(_message(first, before))
                await self._follow(request, answer, parts.path, query, first)
        finally:
            self._open -= 1
        return answer

    async def _follow(
        self, request: web.Request, answer: web.StreamResponse, path: str, query: Query, before: Blocks
    ) -> None:
        for _ in range(int(LASTS / self._every)):
            if await self._is_over_within(self._every) or has_hung_up(request):
                return
            now = await self._pages.blocks(path, query)
            await answer.write(_message(now, before))
            before = now

    async def _is_over_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._over.is_set()


def _message(now: Blocks, before: Blocks) -> bytes:
    """Return what differs, under the digest of all that the page shows then.

    The state is sent each time: it has the time as of which the page is true. `rows` is the order of a table's rows
    where it is another one.
    """
    changed: dict[str, Any] = {name: html for name, html in now.items() if before.get(name) != html or name == "state"}
    if _rows(now) != _rows(before):
        changed["rows"] = _rows(now)
    return b"id: " + digest(now).encode() + b"\ndata: " + orjson.dumps(changed) + b"\n\n"


def _rows(blocks: Blocks) -> list[str]:
    return [name for name in blocks if name.startswith("route-")]
