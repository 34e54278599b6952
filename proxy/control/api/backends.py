"""Answers how the targets of every backend are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.http import PREFIX


class Control(Protocol):
    """What this asks."""

    async def backends(self) -> list[dict[str, Any]]:
        """Return every backend with its targets, fresh."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of the backends."""

    async def backends(_: web.Request) -> web.Response:
        return http.json({"items": await control.backends(), "next": None})

    return (web.get(f"{PREFIX}/backends", backends),)
