"""Writes the admin port's answers: JSON, or problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return `value` as an answer."""
    return web.Response(
        body=orjson.dumps(value, default=str), status=status, content_type="application/json", headers=_HEADERS
    )


def problem(status: HTTPStatus, detail: str, **more: Any) -> web.Response:
    """Return what went wrong; `more` members say what else is known."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **more}
    headers = dict(_HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="strangler"'
    return web.Response(
        body=orjson.dumps(body, default=str),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )
