"""Says which trace a request belongs to (W3C Trace Context)."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

_TRACE_AT: Final = len("00-")
_TRACE_ENDS: Final = _TRACE_AT + 32
_PARENT_AT: Final = _TRACE_ENDS + 1
_PARENT_ENDS: Final = _PARENT_AT + 16
_hex: Final = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch


def trace_id(request_id: str, traceparent: str) -> str:
    """The trace's 32 digits: the caller's, else the request's own id, or what always follows from that.

    Because it follows, every attempt, every copy, every record of a request names the same trace.
    """
    if traceparent:
        return traceparent[_TRACE_AT:_TRACE_ENDS]
    if _hex(request_id) is not None:
        return request_id
    return blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def parent_id(traceparent: str) -> str:
    """The caller's own 16 digits; empty where nobody called."""
    return traceparent[_PARENT_AT:_PARENT_ENDS]


def is_sampled(traceparent: str) -> bool:
    """Whether the caller records its part of the trace (the lowest bit of the flags); true where nobody called."""
    return not traceparent or traceparent[-1] in "13579bdf"
