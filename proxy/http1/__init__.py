"""HTTP/1.1 without sockets: bytes in, heads, bodies or refusals out (RFC 9110, RFC 9112).

The names that others import to read heads, strictly: those of `request`, `response` and `request_line`.
"""

from __future__ import annotations

from proxy.http1 import request, response
from proxy.http1.request import RequestHead, request_head, seen_head
from proxy.http1.request_line import early_refusal, first_offence
from proxy.http1.response import ResponseHead, response_head, seen_answer

__all__ = [
    "RequestHead",
    "ResponseHead",
    "early_refusal",
    "first_offence",
    "forget",
    "request_head",
    "response_head",
    "seen_answer",
    "seen_head",
]


def forget() -> None:
    """Drop the heads that were not used since the last call."""
    request.seen.turn()
    response.seen.turn()
