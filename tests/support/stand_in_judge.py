"""A judge whose verdicts a test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.ipc.judge_messages import Case, Opinion, Seated
from proxy.ipc.messages import Message


class StandInJudge:
    """Sits where a judge process would; says nothing that a test does not have it say."""

    def __init__(self, heard: Callable[[Message], None], gone: Callable[[bool], None]) -> None:
        self.told: list[Message] = []
        self.ended = False
        self.heard, self._gone = heard, gone

    def send(self, message: Message) -> None:
        self.told.append(message)

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().call_soon(self._gone, False)

    def sit_down(self) -> None:
        self.heard(Seated())

    def send_verdict(self, verdict: str = "equal", **more: object) -> None:
        """Answer the latest case."""
        self.heard(Opinion(self.tickets[-1], verdict, **more))  # type: ignore[arg-type]

    @property
    def cases(self) -> list[Case]:
        return [message for message in self.told if isinstance(message, Case)]

    @property
    def tickets(self) -> list[int]:
        return [case.ticket for case in self.cases]
