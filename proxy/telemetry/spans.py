"""Spans of finished requests: their ids, their making, whether traces are wanted.

One id of 15 random digits belongs to a request; with a last digit it is the request's own span (`f`) or that of an
attempt (its number). Backends got the attempt's as the parent of theirs, so that one trace runs through the client,
every attempt, every copy. When an attempt began is not recorded: each begins where the one before it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from importlib.util import find_spec
from typing import Final, NamedTuple

from proxy.telemetry.records import Attempt, Exchange

# Finds the trace that a request belongs to (W3C Trace Context).


_TRACE_AT: Final = len("00-")
_TRACE_ENDS: Final = _TRACE_AT + 32
_PARENT_AT: Final = _TRACE_ENDS + 1
_PARENT_ENDS: Final = _PARENT_AT + 16
_hex: Final = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch


def trace_id(request_id: str, traceparent: str) -> str:
    """The trace's 32 digits: the caller's, else the request's own id, or digits derived from it.

    Because it is derived, every attempt, every copy, every record of a request names the same trace.
    """
    if traceparent:
        return traceparent[_TRACE_AT:_TRACE_ENDS]
    if _hex(request_id) is not None:
        return request_id
    return blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def parent_id(traceparent: str) -> str:
    """The caller's own 16 digits; empty without a caller."""
    return traceparent[_PARENT_AT:_PARENT_ENDS]


def is_sampled(traceparent: str) -> bool:
    """Whether the caller records its part of the trace (the lowest bit of the flags); true without a caller."""
    return not traceparent or traceparent[-1] in "13579bdf"


SERVER: Final = "server"
CLIENT: Final = "client"
_OWN: Final = "f"
Values = Mapping[str, str | int | float | bool]


class Leg(NamedTuple):
    """One copy that was sent to a side; `parent` is the request's `Exchange.span`, times are epoch seconds."""

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
    """Yield the spans of what was recorded; they hold nothing that an access line does not."""
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


# Decides whether traces are recorded, by OpenTelemetry's own variables.


SWITCH: Final = "STRANGLER_OTEL"
"""1: record, to whatever the exporter's own default is; 0: do not, whatever else is set."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SHARE: Final = "OTEL_TRACES_SAMPLER_ARG"
_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether spans are collected: an OTLP endpoint is named, or the switch is on."""
    switch = environ.get(SWITCH, "").strip().lower()
    if switch in _NO or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() not in ("", "otlp"):
        return False
    return switch in _YES or any(environ.get(name, "").strip() for name in _ENDPOINTS)


def is_installed() -> bool:
    """Whether the extra `otel` is there; nothing of it is loaded."""
    try:
        return find_spec("opentelemetry.sdk") is not None and find_spec("opentelemetry.exporter.otlp.proto") is not None
    except ModuleNotFoundError:
        return False


def share(environ: Mapping[str, str]) -> float:
    """Return how many of the traces that begin here are recorded, 0 to 1; those of a caller follow the caller."""
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if sampler.endswith("always_off"):
        return 0.0
    if not sampler.endswith("traceidratio"):
        return 1.0
    try:
        return min(max(float(environ.get(_SHARE, "1")), 0.0), 1.0)
    except ValueError:
        return 1.0
