"""Answers where a described request would go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.described import facts_of
from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.current import Current
from rules.routing.explain import explain as explained

_EVEN_DRAW = 0.5


class Control(Protocol):
    """What an explanation asks."""

    def current(self) -> Current:
        """Return what runs now."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of explanations."""

    async def explain(request: web.Request) -> web.Response:
        query = request.query
        path = query.get("path", "")
        if not path.startswith("/"):
            return answers.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "path must be given, beginning with a slash")
        headers = [(name.strip(), value.strip()) for name, _, value in _split(query.getall("header", []))]
        generation = control.current().generation
        facts = facts_of(generation, query.get("method", "GET"), path, headers, query.get("user"))
        return answers.json(asdict(explained(generation, facts, draw=_EVEN_DRAW)))

    return (web.get(f"{PREFIX}/explain", explain),)


def _split(headers: list[str]) -> list[tuple[str, str, str]]:
    return [header.partition(":") for header in headers]
