"""Companions that note that a call is there: a write, a session in use; whoever else goes along goes inside."""

from __future__ import annotations

from collections.abc import Callable

from proxy.http1 import ResponseHead
from proxy.serving.companion import Companion


class Around:
    """Passes everything to `inner`, if there is one; calls `ended` first when the call is over."""

    def __init__(self, inner: Companion | None, ended: Callable[[], None]) -> None:
        self._inner = inner
        self._ended = ended

    def request_data(self, piece: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.request_data(piece)

    def request_end(self) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.request_end()

    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.answer_began(head, lines, payload)

    def answer_data(self, payload: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.answer_data(payload)

    def finished(self) -> None:
        """The call is over."""
        self._ended()
        if self._inner is not None:
            self._inner.finished()
