"""Answers scrapes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from proxy.metrics.exposition import render
from proxy.metrics.totals import Key, Values


class Control(Protocol):
    """What a scrape asks."""

    async def numbers(self) -> dict[Key, Values]:
        """Return every metric series, fresh."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path that Prometheus scrapes."""

    async def metrics(request: web.Request) -> web.Response:
        sums = await control.numbers()
        # thousands of routes take long to write: the heart-beat goes on meanwhile
        body, content_type = await asyncio.to_thread(render, sums, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    return (web.get("/metrics", metrics),)
