"""Tells whether what somebody looked at is still so (If-Match, RFC 9110 13.1.1)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from proxy.operating.api.wishes import RefusedError


def tag(route: dict[str, Any], digest: str) -> str:
    """Return the entity tag of a route's status: it changes with the file or with what was set at run time."""
    return f'"{digest[:12]}-{route.get("revision", 0)}"'


def check(request: web.Request, current: str) -> None:
    """Raise RefusedError (412) when the request's If-Match names another tag than `current`."""
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted or wanted == "*":
        return
    if current not in (each.strip() for each in wanted.split(",")):
        raise RefusedError(HTTPStatus.PRECONDITION_FAILED, "the route has changed since you looked", current=current)
