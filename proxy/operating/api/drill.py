"""Runs a drill on one route."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.api.wishes import Field, who_asks, wish_of
from proxy.operating.drill import Drills, Report

_LONGEST, _USUAL = 20.0, 10.0


class Control(Protocol):
    """What a drill asks."""

    @property
    def drills(self) -> Drills:
        """Return what runs drills."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of drills."""
    begun: set[asyncio.Task[Report]] = set()

    async def drill(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("seconds", float, check=_wrong), Field("path", str, check=_no_path))
        work = control.drills.run(
            request.match_info["name"], wish.get("path", ""), float(wish.get("seconds", _USUAL)), who_asks(request)
        )
        task = asyncio.create_task(work, name="drill")
        begun.add(task)
        task.add_done_callback(begun.discard)
        # a client that hangs up must not leave the route rolled back
        return answers.json(asdict(await asyncio.shield(task)))

    return (web.post(f"{PREFIX}/routes/{{name}}/drill", drill),)


def _wrong(seconds: Any) -> str | None:
    return None if 1 <= seconds <= _LONGEST else f"must be between 1 and {_LONGEST:g}"


def _no_path(path: Any) -> str | None:
    good = path.startswith("/") and path.isascii() and path.isprintable() and " " not in path
    return None if good else "must be a path, beginning with a slash"
