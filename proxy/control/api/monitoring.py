"""What machines read of the admin port: probes and metrics."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.telemetry.exposition import render


def probe_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the probes' paths."""

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        reasons = control.unready()
        current = control.current()
        body = {
            "ready": not reasons,
            "reasons": list(reasons),
            "config": {
                "digest": current.configuration.snapshot.digest,
                "accepted": not current.problems,
                "unconfirmed": [f"worker {slot}" for slot in control.unconfirmed()],
            },
        }
        return http.json(body, HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK)

    return (web.get("/healthz", health), web.get("/readyz", ready))


# Answers scrapes.


_WORTH_PACKING = 1400
"""Bytes; less goes out in one packet anyway."""
_QUICKLY = 1


def metrics_routes(control: ControlPort) -> Sequence[web.RouteDef]:
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
