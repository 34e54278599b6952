"""Marks a copy of a request, so that whoever gets it knows that no user waits for it.

X-Shadow, X-Shadow-Id, X-Shadow-Time (epoch milliseconds of the live request, for backends that pin their clock);
traceparent with a span of its own, tracestate saying so (W3C Trace Context 3.3); the key of Idempotency-Key changed,
so that a copy can neither use up nor replay the live one.
"""

from __future__ import annotations

from typing import Final

from proxy.http1.fields import as_read
from proxy.serving.ids import new_id

_TRACE: Final = "\r\ntraceparent: "
_STATE: Final = "tracestate: "
_MEMBER: Final = "strangler=shadow"
_PARENT_AT: Final = len("00-") + 32 + len("-")
_FLAGS_AT: Final = _PARENT_AT + 16
_TRACE_LENGTH: Final = _FLAGS_AT + len("-01")
_KEY: Final = "idempotency-key:"
_TRACE_WRITTEN: Final = _TRACE.encode()
_PARENT_BEGINS: Final = len(_TRACE) + _PARENT_AT
_PARENT_TO_END: Final = _TRACE_LENGTH - _PARENT_AT


def marked(own: str, request_id: str, at: float) -> str:
    """The proxy's own lines of a live request, as a copy carries them; `at` is the live request's epoch time."""
    return f"{_with_own_span(own)}X-Shadow: 1\r\nX-Shadow-Id: {request_id}\r\nX-Shadow-Time: {int(at * 1000)}\r\n"


def marked_head(live: bytes, traceparent: str, request_id: str, at: float) -> bytes:
    """The whole head of a live request as a copy carries it; `traceparent` is its caller's, who sent no tracestate.

    Our own lines come last in a head, so the last traceparent is ours.
    """
    begin = live.rfind(_TRACE_WRITTEN) + _PARENT_BEGINS
    flags = traceparent[-3:] or "-01"
    own = (
        f"{new_id()[:15]}1{flags}\r\n{_STATE}{_MEMBER}\r\n"
        f"X-Shadow: 1\r\nX-Shadow-Id: {request_id}\r\nX-Shadow-Time: {int(at * 1000)}"
    )
    return b"".join((live[:begin], own.encode("latin-1"), live[begin + _PARENT_TO_END :]))


def _with_own_span(own: str) -> str:
    """A span beside the live one; the last digit is ours, for nothing but zeroes would be none."""
    found = own.find(_TRACE)
    if found < 0:
        return own
    begin = found + len(_TRACE)
    end = begin + _TRACE_LENGTH
    rest = own[end + 2 :]
    state = f"{_STATE}{_MEMBER},{rest[len(_STATE) :]}" if rest.startswith(_STATE) else f"{_STATE}{_MEMBER}\r\n{rest}"
    trace, flags = own[: begin + _PARENT_AT], own[begin + _FLAGS_AT : end]
    return f"{trace}{new_id()[:15]}1{flags}\r\n{state}"


def with_own_key(lines: list[str]) -> list[str]:
    """The lines with every Idempotency-Key prefixed; inside its quotes where it has some (a structured string)."""
    return [_prefixed(line) if as_read(line[: len(_KEY)].lower()) == _KEY else line for line in lines]


def _prefixed(line: str) -> str:
    name, _, value = line.partition(": ")
    return f'{name}: "shadow-{value[1:]}' if value.startswith('"') else f"{name}: shadow-{value}"
