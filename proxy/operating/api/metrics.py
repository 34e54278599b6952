"""Answers scrapes."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from proxy.telemetry.aggregation import Exemplars, Key, Values
from proxy.telemetry.exposition import render

_WORTH_PACKING = 1400
"""Bytes; less goes out in one packet anyway."""
_QUICKLY = 1


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
        headers = {"Content-Type": content_type, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(body) > _WORTH_PACKING:
            # the same names again and again: a twentieth remains, for a twentieth of what writing them took
            body = await asyncio.to_thread(gzip.compress, body, _QUICKLY)
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    return (web.get("/metrics", metrics),)
