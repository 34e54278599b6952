"""Answers probes: alive, ready."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.current import Current


class Control(Protocol):
    """What probes ask."""

    def current(self) -> Current:
        """Return what runs now."""

    def unready(self) -> tuple[str, ...]:
        """Return why the proxy is not ready, empty when it is."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the probes' paths."""

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        reasons = control.unready()
        current = control.current()
        body = {
            "ready": not reasons,
            "reasons": list(reasons),
            "config": {"digest": current.configuration.snapshot.digest, "accepted": not current.problems},
        }
        return answers.json(body, HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK)

    return (web.get("/healthz", health), web.get("/readyz", ready))
