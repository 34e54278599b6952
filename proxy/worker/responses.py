"""Frames responses; writes the proxy's own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import orjson

from proxy.http1 import RequestHead, ResponseHead
from proxy.http1.framing import Body
from rules.model import LEGACY, Decision


def chunks(request: RequestHead, answer: ResponseHead, body: Body | None) -> bool:
    """Whether the answer goes out chunked; an unknown length for HTTP/1.0 ends with the connection instead.

    `body` None means that there is nothing more to read: its length is in the head, or it has none.
    """
    bodyless = body is None and (request.method == "HEAD" or answer.status in (204, 304))
    if answer.length >= 0 or bodyless:
        return False
    if request.minor == 0:
        request.close = True
        return False
    return True


def own_lines(request: RequestHead, *, chunked: bool) -> str:
    """The framing and connection lines of ours, each with its CR LF."""
    own = "Transfer-Encoding: chunked\r\n" if chunked else ""
    if request.close:
        return own + "Connection: close\r\n"
    if request.minor == 0:
        return own + "Connection: keep-alive\r\n"
    return own


def without_length(lines: list[str]) -> list[str]:
    """A 204 carries no Content-Length (RFC 9110 8.6), nor does an answer whose body was rewritten."""
    return [line for line in lines if line[:15].lower() != "content-length:"]


def debug_lines(request: RequestHead, decision: Decision, fallback: str) -> str:
    """Return the lines that show a trusted peer, on its request, how this request was decided."""
    if request.field("x-strangler-debug") != "1":
        return ""
    side = LEGACY if fallback else decision.side
    bucket = "" if decision.bucket is None else f"X-Strangler-Bucket: {decision.bucket:.6f}\r\n"
    return (
        f"X-Strangler-Route: {decision.route.name}\r\nX-Strangler-Side: {side}\r\n"
        f"{bucket}X-Strangler-Reason: {decision.reason}\r\n"
    )


# Writes the answers that the proxy makes itself, as problem+json (RFC 9457).


ALLOW: Final = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def problem(
    status: int,
    detail: str,
    *,
    request_id: str,
    seconds: float,
    body_wanted: bool = True,
    close: bool = False,
) -> bytes:
    """A whole answer; `detail` must not repeat what a client sent or name a backend's address."""
    title = HTTPStatus(status).phrase
    payload = orjson.dumps(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id}
    )
    lines = [
        f"HTTP/1.1 {status} {title}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(payload)}",
        "Cache-Control: no-store",
        f"Server-Timing: strangler;dur={seconds * 1000:.1f}",
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append("Retry-After: 1")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append(ALLOW)
    if close:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head + payload if body_wanted else head
