"""Makes spans of finished calls.

One id of 15 random digits belongs to a call; with a last digit it is the call's own span (`f`) or that of an attempt
(its number). Backends got the attempt's as the parent of theirs, so that one trace runs through the client, every
attempt, every copy. When an attempt began is not recorded: each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from proxy.observe import Attempt, Exchange
from proxy.trace import parent_id, trace_id

SERVER = "server"
CLIENT = "client"
_OWN = "f"
Values = Mapping[str, str | int | float | bool]


class Leg(NamedTuple):
    """One copy that was put to a side; `parent` is the call's `Exchange.span`, times are epoch seconds."""

    route: str
    method: str
    request_id: str
    traceparent: str
    parent: str
    span: str
    attempt: Attempt
    began: float
    ended: float


class Span(NamedTuple):
    """One span; ids are hexadecimal digits, `parent` empty at the trace's beginning, times epoch seconds."""

    trace: str
    span: str
    parent: str
    kind: str
    name: str
    began: float
    ended: float
    failed: bool
    values: Values


def spans_of(record: Exchange | Leg) -> Iterator[Span]:
    """Yield the spans of what was recorded; nothing in them says more than an access line does."""
    if isinstance(record, Leg):
        yield _copy(record)
        return
    trace = trace_id(record.request_id, record.traceparent)
    own = record.span + _OWN
    began, ended = record.at, record.at + record.duration
    values: dict[str, str | int | float | bool] = {
        "http.request.method": record.method,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "server.address": record.host,
        "url.path": record.path,
        "client.address": record.client,
        "strangler.side": record.side,
        "strangler.answered": record.answered,
        "strangler.reason": record.reason,
        "strangler.weight": record.weight,
        "strangler.generation": record.generation,
        "strangler.request_id": record.request_id,
    }
    if record.fallback:
        values["strangler.fallback"] = record.fallback
    name, failed = f"{record.method} {record.route}", record.status >= 500  # noqa: PLR2004 - HTTP
    yield Span(trace, own, parent_id(record.traceparent), SERVER, name, began, ended, failed, values)
    for number, attempt in enumerate(record.attempts, 1):
        until = ended if number == len(record.attempts) else min(began + attempt.wait, ended)
        told = _attempted(record.method, record.route, attempt, "live")
        yield Span(trace, f"{record.span}{number}", own, CLIENT, attempt.side, began, until, attempt.failed, told)
        began = until


def _copy(leg: Leg) -> Span:
    trace, attempt = trace_id(leg.request_id, leg.traceparent), leg.attempt
    told = _attempted(leg.method, leg.route, attempt, "shadow")
    name = f"{attempt.side} (shadow)"
    return Span(trace, leg.span, leg.parent + _OWN, CLIENT, name, leg.began, leg.ended, attempt.failed, told)


def _attempted(method: str, route: str, attempt: Attempt, role: str) -> Values:
    values: dict[str, str | int | float | bool] = {
        "http.request.method": method,
        "http.route": route,
        "server.address": attempt.target,
        "strangler.side": attempt.side,
        "strangler.backend": attempt.backend,
        "strangler.role": role,
    }
    if attempt.status:
        values["http.response.status_code"] = attempt.status
    if attempt.kind:
        values["error.type"] = attempt.kind
    return values
