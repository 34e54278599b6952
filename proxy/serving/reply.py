"""Frames a backend's answer for the client that gets it."""

from __future__ import annotations

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
    """Tell a trusted peer that asked how this request was decided."""
    if request.field("x-strangler-debug") != "1":
        return ""
    side = LEGACY if fallback else decision.side
    bucket = "" if decision.bucket is None else f"X-Strangler-Bucket: {decision.bucket:.6f}\r\n"
    return (
        f"X-Strangler-Route: {decision.route.name}\r\nX-Strangler-Side: {side}\r\n"
        f"{bucket}X-Strangler-Reason: {decision.reason}\r\n"
    )
