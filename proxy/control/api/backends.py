"""Answers how the targets of every backend are."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of the backends."""

    async def backends(_: web.Request) -> web.Response:
        return http.json({"items": await control.backends(), "next": None})

    return (web.get(f"{PREFIX}/backends", backends),)
