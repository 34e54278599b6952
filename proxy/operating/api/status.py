"""Answers what every route does now."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.api.revisions import tag


class Control(Protocol):
    """What the status asks."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the paths of the status."""

    async def status(_: web.Request) -> web.Response:
        return answers.json(await control.status())

    async def route(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        document = await control.status()
        found = next((route for route in document["routes"] if route["name"] == name), None)
        if found is None:
            return answers.problem(HTTPStatus.NOT_FOUND, f"no route is called {name}")
        answer = answers.json(found)
        answer.headers["ETag"] = tag(found, document["config"]["digest"])
        return answer

    return (web.get(f"{PREFIX}/status", status), web.get(f"{PREFIX}/routes/{{name}}", route))
