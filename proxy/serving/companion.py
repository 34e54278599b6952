"""What may go along with a call to see its request, its answer, its end."""

from __future__ import annotations

from typing import Protocol

from proxy.http1 import ResponseHead


class Companion(Protocol):
    """Somebody who watches one call; nothing here may wait, raise, or change what the client gets."""

    def request_data(self, piece: bytes) -> None:
        """A piece of the request's body came from the client."""

    def request_end(self) -> None:
        """The request's body is whole."""

    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """The client gets this head, with `lines` for its fields, these first bytes of the body behind it."""

    def answer_data(self, payload: bytes) -> None:
        """The client gets more of the body."""

    def finished(self) -> None:
        """The call is over, however it went."""
