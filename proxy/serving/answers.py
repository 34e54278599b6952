"""Writes the answers that the proxy makes itself, as problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import orjson

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
