"""Writes the admin port's answers: JSON, or problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Any

import orjson
from aiohttp import web

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return `value` as an answer."""
    return web.Response(
        body=orjson.dumps(value, default=str), status=status, content_type="application/json", headers=HEADERS
    )


def too_many(seconds: float) -> web.Response:
    """Return the answer to somebody who has to wait for `seconds`."""
    answer = problem(HTTPStatus.TOO_MANY_REQUESTS, f"too many requests; wait {seconds:.1f} s")
    answer.headers["Retry-After"] = str(ceil(seconds))
    return answer


def problem(status: HTTPStatus, detail: str, **more: Any) -> web.Response:
    """Return what went wrong; `more` members say what else is known."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **more}
    headers = dict(HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="strangler"'
    return web.Response(
        body=orjson.dumps(body, default=str),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )
