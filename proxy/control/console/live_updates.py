"""Sends what changed on a page while somebody looks at it, as server-sent events.

A stream ends by itself after some minutes: the browser comes back, who it is gets checked again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import orjson
from aiohttp import web

from dashboards.html import Html
from proxy.control.console.pages import Pages, Query
from proxy.control.errors import RefusedError

EVERY = 2.0
STREAMS = 32
LASTS = 600.0
_STILL_HERE = 7
"""Rounds without a change after which a comment keeps the connection open."""


class Live:
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
            before = dict(await self._pages.blocks(parts.path, query))
            answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
            await answer.prepare(request)
            # the browser may go on to another page, the route may go with a reload: the stream is over then
            with contextlib.suppress(ConnectionError, RefusedError):
                await answer.write(b"retry: 3000\n\n")
                await self._follow(request, answer, parts.path, query, before)
        finally:
            self._open -= 1
        return answer

    async def _follow(
        self, request: web.Request, answer: web.StreamResponse, path: str, query: Query, before: dict[str, Html]
    ) -> None:
        quiet = 0
        for _ in range(int(LASTS / self._every)):
            if await self._is_over_within(self._every) or _is_gone(request):
                return
            now = dict(await self._pages.blocks(path, query))
            changed = {name: html for name, html in now.items() if before.get(name) != html}
            before = now
            quiet = 0 if changed else quiet + 1
            if changed:
                await answer.write(b"data: " + orjson.dumps(changed) + b"\n\n")
            elif quiet % _STILL_HERE == 0:
                await answer.write(b": still here\n\n")

    async def _is_over_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._over.is_set()


def _is_gone(request: web.Request) -> bool:
    """Whether whoever looked has hung up: nothing would tell before the next write."""
    return request.transport is None or request.transport.is_closing()
