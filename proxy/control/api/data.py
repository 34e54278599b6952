"""Answers what verifying both databases found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.http import PREFIX


class Control(Protocol):
    """What the data's page asks."""

    def data(self) -> dict[str, Any]:
        """Return what is known of every table and check."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of the data."""

    async def data(_: web.Request) -> web.Response:
        return http.json(control.data())

    return (web.get(f"{PREFIX}/data", data),)
