"""Streams decisions as they are made, by route, side, status, user."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX
from proxy.control.decision_streams import DecisionReader, TooManyReadersError
from proxy.control.errors import RefusedError, no_such_route
from proxy.ipc.messages import DecisionFilter, DecisionRecord
from proxy.telemetry.events import timestamp
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN

HEART_BEAT = 15
"""Seconds of silence after which a stream shows that it is there."""
_KNOWN = ("route", "side", "status", "user")
_STATUS = re.compile(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.IGNORECASE)
_STATUSES_AT_MOST = 16


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of the stream."""

    async def stream(request: web.Request) -> web.StreamResponse:
        wanted = filter_of(request.query)
        generation = control.current().generation
        # requests that no route takes are on `_default`
        if wanted.route and generation.table.compiled_route_of(wanted.route) is None and wanted.route != DEFAULT_ROUTE:
            raise no_such_route(wanted.route, generation)
        try:
            with control.decisions.reading(wanted) as reader:
                return await _send(request, reader)
        except TooManyReadersError:
            return http.problem(HTTPStatus.SERVICE_UNAVAILABLE, "as many as can read decisions do; try again later")

    return (web.get(f"{PREFIX}/decisions/stream", stream, allow_head=False),)


def filter_of(query: Mapping[str, str]) -> DecisionFilter:
    """Return the filter that a query string describes; RefusedError (422) with what is wrong with it."""
    for name in query:
        if name not in _KNOWN:
            raise _refused(f"{name} is not known here; there are {', '.join(_KNOWN)}")
    side, user = query.get("side", ""), query.get("user", "")
    if side not in ("", LEGACY, MODERN):
        raise _refused(f"side must be {LEGACY} or {MODERN}, not {side}")
    return DecisionFilter(0, query.get("route", ""), side, statuses(query.get("status", "")), user)


def statuses(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges that `404`, `5xx`, `400-499`, or several with commas, mean; RefusedError (422)."""
    if not text.strip():
        return ()
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > _STATUSES_AT_MOST:
        raise _refused(f"status names more than {_STATUSES_AT_MOST} ranges")
    return tuple(map(_range, parts))


def _range(text: str) -> tuple[int, int]:
    found = _STATUS.fullmatch(text)
    if found is None:
        raise _refused(f"status must be such as 404, 5xx or 400-499, not {text}")
    if found[1]:
        return int(found[1]) * 100, int(found[1]) * 100 + 99
    low, high = int(found[2]), int(found[3] or found[2])
    if high < low:
        raise _refused(f"status ends before it begins: {text}")
    return low, high


def _refused(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


async def _send(request: web.Request, reader: DecisionReader) -> web.StreamResponse:
    """Send what `reader` gets until the other end hangs up."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await answer.prepare(request)
    await answer.write(b":\n\n")
    silent = 0
    # looked at each second: one that has hung up must not keep its place until the next heart-beat
    while not reader.is_over and not http.has_hung_up(request):
        try:
            async with asyncio.timeout(1.0):
                records, dropped = await reader.take()
        except TimeoutError:
            silent += 1
            if silent % HEART_BEAT == 0:
                await answer.write(b":\n\n")
            continue
        silent = 0
        pieces = [_event("decision", document(record)) for record in records]
        if dropped:
            pieces.append(_event("dropped", {"dropped": dropped}))
        if pieces:
            await answer.write(b"".join(pieces))
    return answer


def document(record: DecisionRecord) -> dict[str, Any]:
    """Return one decision, JSON-ready; the user is not in it."""
    return {
        "at": timestamp(record.at),
        "request_id": record.request_id,
        "method": record.method,
        "path": record.path,
        "route": record.route,
        "generation": record.generation,
        "side": record.side,
        "reason": record.reason,
        "bucket": record.bucket,
        "weight": record.weight,
        "answered": record.answered,
        "status": record.status,
        "target": record.target,
        "fallback": record.fallback,
        "error": record.error,
        "seconds": round(record.seconds, 6),
    }


def _event(name: str, data: dict[str, Any]) -> bytes:
    """Return an event in the form of server-sent events (WHATWG HTML 9.2)."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data, default=str))
