"""Users at a steady rate, whatever happens: no request waits for another's response."""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from tests.journeys.stage import Visits
from tests.journeys.visiting import WORKING, Visitor
from tests.support.messages import Message
from tests.support.running import Running
from tests.support.waiting import until


class Steady:
    """So many requests a second of many users. `answers` are in the order they came, `lost` came to nothing."""

    def __init__(self, proxy: Running, visit: Visits, rate: float, path: str = "/api/me") -> None:
        self.answers: list[Message] = []
        self.lost: list[BaseException] = []
        self.sent = 0
        self._proxy = proxy
        self._path = path
        self._every = 1 / rate
        self._free: list[Visitor] = [visit(proxy, user) for user in WORKING]
        self._tasks: set[asyncio.Task[None]] = set()
        self._pacer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._pacer = asyncio.create_task(self._pace())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._pacer is not None
        self._pacer.cancel()
        await asyncio.gather(self._pacer, return_exceptions=True)
        await asyncio.gather(*self._tasks)

    async def more(self, count: int, seconds: float = 20) -> None:
        """Wait for so many answers from now on."""
        wanted = len(self.answers) + count
        await until(lambda: len(self.answers) >= wanted, "steady traffic", seconds)

    @property
    def statuses(self) -> set[int]:
        return {answer.status for answer in self.answers}

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._free:
                task = asyncio.create_task(self._visit(self._free.pop(0)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            due += self._every
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _visit(self, visitor: Visitor) -> None:
        self.sent += 1
        try:
            self.answers.append(await visitor.get(self._path))
        except Exception as error:  # noqa: BLE001 - told by the test
            self.lost.append(error)
            visitor.close()
        self._free.append(visitor)


def sent_to_modern(proxy: Running, route: str) -> list[float]:
    """When each request began that was sent to modern, seconds since the epoch."""
    return [
        moment(line["ts"])
        for line in proxy.access
        if line.get("route") == route and line["reason"] == "weight" and line["side"] == "modern"
    ]


def last_on_modern(proxy: Running, route: str) -> float:
    """When the last of them began."""
    return max(sent_to_modern(proxy, route))


def moment(text: Any) -> float:
    return datetime.fromisoformat(text).timestamp()
