"""Takes the answer of a modern side that runs alone, so that its invariants go on being checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from proxy.http1 import ResponseHead
from proxy.serving.shadowing.harmless import harmless
from proxy.serving.shadowing.live import Live

if TYPE_CHECKING:
    from proxy.serving.answering import Answering


class Alone:
    """A companion that copies the answer, hands it on when it came whole."""

    def __init__(
        self, call: Answering, live: Live, take: Callable[[Live], None], mishap: Callable[[Exception], None]
    ) -> None:
        self._call: Answering | None = call
        self._live = live
        self._take = take
        self.mishap = mishap

    def request_data(self, piece: bytes) -> None:
        """Nothing is asked again."""

    def request_end(self) -> None:
        """Nothing is asked again."""

    @harmless
    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Copy the first bytes."""
        self._live.began(head, lines, payload)

    @harmless
    def answer_data(self, payload: bytes) -> None:
        """Copy more."""
        self._live.answer.add(payload)

    @harmless
    def finished(self) -> None:
        """Hand on what came."""
        call, self._call = self._call, None
        if call is not None:
            self._live.end(call)
            self._take(self._live)
