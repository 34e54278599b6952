"""Cuts a list into pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from proxy.operating.api.wishes import RefusedError

DEFAULT = 100
MOST = 1000


def limit_of(request: web.Request) -> int:
    """Return how many items the request wants at most; RefusedError (422) when that is no number from 1 to MOST."""
    text = request.query.get("limit", str(DEFAULT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"limit must be a whole number from 1 to {MOST}")
    return int(text)


def page(request: web.Request, items: Sequence[Any], key: Callable[[Any], str]) -> dict[str, Any]:
    """Return the page of `items` that follows the one whose `key` is the parameter `after`.

    `next` is what to ask `after` for the following page, None on the last one. An unknown `after` begins anew.
    """
    limit, after = limit_of(request), request.query.get("after", "")
    start = next((index + 1 for index, item in enumerate(items) if after and key(item) == after), 0)
    cut = list(items[start : start + limit])
    return {"items": cut, "next": key(cut[-1]) if cut and start + limit < len(items) else None}
