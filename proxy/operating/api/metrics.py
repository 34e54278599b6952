"""Answers scrapes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from proxy.metrics.exemplars import Exemplars
from proxy.metrics.exposition import render
from proxy.metrics.totals import Key, Values


class Control(Protocol):
    """What a scrape asks."""

    async def numbers(self) -> dict[Key, Values]:
        """Return every metric series, fresh."""

    @property
    def exemplars(self) -> Exemplars:
        """Return recent requests behind the histograms."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path that Prometheus scrapes."""

    async def metrics(request: web.Request) -> web.Response:
        sums = await control.numbers()
        # thousands of routes take long to write: the heart-beat goes on meanwhile
        control.exemplars.keep_only(sums)
        accept, exemplars = request.headers.get("Accept", ""), dict(control.exemplars.latest)
        body, content_type = await asyncio.to_thread(render, sums, accept, exemplars)
        return web.Response(body=body, headers={"Content-Type": content_type})

    return (web.get("/metrics", metrics),)
