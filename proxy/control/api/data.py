"""Answers what verifying both databases found."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of the data."""

    async def data(_: web.Request) -> web.Response:
        return http.json(control.data())

    return (web.get(f"{PREFIX}/data", data),)
