"""Watches the live answer of one call: a bounded copy, how it ended."""

from __future__ import annotations

from proxy.http1 import ResponseHead
from proxy.worker.request_state import RequestState
from proxy.worker.shadow.outcome import SideResult
from proxy.worker.shadow.response_copy import Budget, ResponseCopy


class LiveResponse:
    """The live side of a call, as far as it has got; `over` once `end` was called."""

    kind: str = ""
    seconds: float = 0.0
    over: bool = False

    def __init__(self, side: str, limit: int, budget: Budget) -> None:
        self.side = side
        self.answer = ResponseCopy(limit, budget)

    def began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """The client gets the head, with the first bytes behind it."""
        answer = self.answer
        if lines is head.lines:
            answer.head = head
        answer.began(head.status, lines, payload)
        if head.stream:
            answer.lose("stream")

    def end(self, call: RequestState) -> None:
        """The call is over; whether this side answered, and whole, is known now."""
        self.over = True
        if call.fallback:
            self.kind = "fallback"
            return
        attempts = call.attempts
        if len(attempts) != 1 or attempts[0].side != self.side:
            attempts = tuple(each for each in attempts if each.side == self.side)
        if not attempts:
            self.kind = "client_gone"
            return
        attempt = attempts[-1]
        self.seconds = attempt.wait
        self.kind = "client_gone" if attempt.kind == "client" else attempt.kind
        if not self.kind and not self.answer.status:
            self.kind = "client_gone"

    def side_result(self) -> SideResult:
        """What this side said."""
        return SideResult(self.side, self.answer, self.kind, self.seconds)
