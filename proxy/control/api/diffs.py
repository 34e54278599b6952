"""Answers what differs; takes what is known of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX, Field, actor_of, limit_of, moment, wish_of
from proxy.control.comparison.reproduce import with_questions
from proxy.control.comparison.results import share
from proxy.control.errors import RefusedError, no_such_route
from proxy.storage.diff_store import DiffsError, Known, Wanted

Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the paths of differences."""

    async def groups(request: web.Request) -> web.Response:
        limit = limit_of(request)
        since = moment(request.query.get("since", ""), time.time())
        route = _route(request.query.get("route", ""))
        transient = request.query.get("transient", "") in ("1", "true")
        wanted = Wanted(route, since, checked_place(request.query.get("after", "")), limit, transient)
        return http.json(await control.differences.groups(wanted))

    async def group(request: web.Request) -> web.Response:
        found = await control.differences.group(request.match_info["id"])
        return http.json(_there(with_questions(found, control.current().configuration.snapshot)))

    async def ignore(request: web.Request) -> web.Response:
        wish = await wish_of(
            request,
            Field("reason", str, required=True),
            Field("owner", str, longest=200),
            Field("until", str, check=_until),
            Field("max_rate", object, check=_share),
        )
        rate = wish.get("max_rate")
        known = Known(
            wish["reason"],
            wish.get("owner") or "",
            wish.get("until") or "",
            None if rate is None else share(rate),
            actor_of(request),
            time.time(),
        )
        return await _noted(request, known)

    async def unignore(request: web.Request) -> web.Response:
        await wish_of(request, Field("reason", str, required=True))
        return await _noted(request, None)

    async def _noted(request: web.Request, known: Known | None) -> web.Response:
        name = request.match_info["id"]
        if not await control.differences.ignore(name, known):
            raise RefusedError(HTTPStatus.NOT_FOUND, _UNKNOWN)
        return http.json(_there(await control.differences.group(name)))

    async def rejudge(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("route", str))
        return http.json(await control.differences.rejudge(_route(wish.get("route") or "")))

    async def noise(request: web.Request) -> web.Response:
        route = _route(request.query.get("route", ""))
        names = [route] if route else [each.name for each in control.current().configuration.snapshot.routes]
        return http.json({"items": control.differences.noise(names), "next": None})

    def _route(name: str) -> str:
        if name and control.current().generation.table.compiled_route_of(name) is None:
            raise no_such_route(name, control.current().generation)
        return name

    return (
        web.get(f"{PREFIX}/diffs", _kept(groups)),
        web.post(f"{PREFIX}/diffs/rejudge", _kept(rejudge)),
        web.get(f"{PREFIX}/diffs/{{id}}", _kept(group)),
        web.post(f"{PREFIX}/diffs/{{id}}/ignore", _kept(ignore)),
        web.post(f"{PREFIX}/diffs/{{id}}/unignore", _kept(unignore)),
        web.get(f"{PREFIX}/noise", noise),
    )


_UNKNOWN = "there is no group of differences with this id"


def _kept(handler: Handler) -> Handler:
    """Answer 503 where the store cannot be asked now."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except DiffsError as error:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"differences cannot be read now: {error}") from error

    return answered


def checked_place(after: str) -> str:
    """Return a place in the list of groups; RefusedError (422) for what was no page's `next`."""
    try:
        Wanted(after=after)
    except ValueError as error:
        detail = "after must be the `next` of the page before"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from error
    return after


def _there(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, _UNKNOWN)
    return found


def _until(text: str) -> str | None:
    try:
        date.fromisoformat(text)
    except ValueError:
        return "must be a day, such as 2027-01-31"
    return None


def _share(value: Any) -> str | None:
    wrong = "must be a share, 0.05 or 5%"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return wrong
    try:
        return None if 0 <= share(value) <= 1 else wrong
    except ValueError:
        return wrong
