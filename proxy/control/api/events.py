"""Answers what has happened, afterwards or as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from time import time
from typing import Any

import orjson
from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX, limit_of, moment
from proxy.control.audit_log import AuditLog, Listener, TooManyListenersError, document
from proxy.storage.store import Event

HEART_BEAT = 15.0
"""Seconds of silence after which a stream says that it is there."""
_LOOKED_THROUGH = 1000
_MICRO = 1_000_000


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the paths of events."""

    async def events(request: web.Request) -> web.Response:
        query = request.query
        limit, route = limit_of(request), query.get("route", "")
        since = event_id(query.get("since", "") or query.get("after", ""), time())
        found: list[Event] = []
        reached, more = since, True
        while more and len(found) < limit:
            page = await control.audit_log.since(reached, _LOOKED_THROUGH)
            more = since >= 0 and len(page) == _LOOKED_THROUGH
            reached = page[-1].id if page else reached
            found += [event for event in page if not route or event.route == route]
        shown = found[-limit:] if since < 0 else found[:limit]
        return http.json({"items": [document(event) for event in shown], "next": shown[-1].id if shown else None})

    async def stream(request: web.Request) -> web.StreamResponse:
        known = event_id(request.headers.get("Last-Event-ID", "") or request.query.get("since", ""), time())
        try:
            with control.audit_log.listening() as listener:
                return await _stream_events(request, control.audit_log, listener, known)
        except TooManyListenersError:
            return http.problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many listen already")

    return (web.get(f"{PREFIX}/events", events), web.get(f"{PREFIX}/events/stream", stream))


async def _stream_events(
    request: web.Request, audit_log: AuditLog, listener: Listener, known: int
) -> web.StreamResponse:
    """Send what happened since `known` (negative: nothing of it), then all that happens, until the client hangs up."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await answer.prepare(request)
    await answer.write(b"retry: 1000\n\n")
    last = known
    while last >= 0 and (page := await audit_log.since(last, _LOOKED_THROUGH)):
        for event in page:
            await answer.write(spelled(event))
        last = page[-1].id
    while True:
        try:
            async with asyncio.timeout(HEART_BEAT):
                event_or_end = await listener.next()
        except TimeoutError:
            await answer.write(b":\n\n")
            continue
        if event_or_end is None:
            return answer
        if event_or_end.id > last:
            await answer.write(spelled(event_or_end))


def spelled(event: Event) -> bytes:
    """Return an event in the form of server-sent events (WHATWG HTML 9.2)."""
    data: Any = orjson.dumps(document(event), default=str)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.event.encode(), data)


def event_id(text: str, now: float) -> int:
    """Return the event id that `text` names: an id, a duration back (`1h`) or a timestamp; -1 for nothing.

    Ids are microseconds since the epoch. RefusedError (422) for anything else.
    """
    text = text.strip()
    if not text:
        return -1
    if text.isascii() and text.isdigit():
        return int(text[:18])
    return round(moment(text, now) * _MICRO)
