"""What the parsers raise."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not forwarded.

    `status` is what the client gets, `detail` says what was wrong without repeating what was sent. The
    connection closes after it: nothing that follows on it may be parsed (RFC 9112 section 11.2).
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class BrokenAnswer(Exception):
    """A backend's answer that cannot be trusted to mean one thing; the client gets a 502, or an abort."""
