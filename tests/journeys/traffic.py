"""Keeps users busy in the background during a test of the proxy."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from tests.journeys.stage import Visits
from tests.journeys.visiting import Visitor, side_of
from tests.support.messages import Message
from tests.support.running import Running
from tests.support.waiting import until

PAUSE = 0.02
"""Seconds."""


class Traffic:
    """Each user asks for one page again and again: the first half over kept connections, the others over fresh ones.

    Between two requests each of them pauses: what is tested takes seconds, and no request more is needed for it.
    `answers` are in the order they came, `lost` is what came to nothing.
    """

    def __init__(self, proxy: Running, visit: Visits, users: list[int], path: str = "/api/me") -> None:
        self.answers: list[Message] = []
        self.lost: list[BaseException] = []
        self._path = path
        half = len(users) // 2
        self._visitors = [(visit(proxy, user), number < half) for number, user in enumerate(users)]
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._browse(visitor, kept)) for visitor, kept in self._visitors]
        await self.more(20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def more(self, answers: int) -> list[Message]:
        """The next so many answers to requests that begin from now on."""
        begun = len(self.answers) + len(self._visitors)
        await until(lambda: len(self.answers) >= begun + answers, "more traffic")
        return self.answers[begun:]

    @property
    def statuses(self) -> set[int]:
        return {answer.status for answer in self.answers}

    async def _browse(self, visitor: Visitor, kept: bool) -> None:
        while not self._over:
            try:
                self.answers.append(await visitor.get(self._path))
            except Exception as error:  # noqa: BLE001 - told by the test
                self.lost.append(error)
                visitor.close()
            if not kept:
                visitor.close()
            await asyncio.sleep(PAUSE)


def sides_of(answers: list[Message]) -> set[str]:
    return {side_of(answer) for answer in answers}
