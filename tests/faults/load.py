"""Users who read and write all the time behind nginx, while the proxy has a fault."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import TracebackType
from typing import Self

from tests.support import raw
from tests.support.backend import Backend
from tests.support.line import Ended
from tests.support.waiting import until

USERS = 6
PAUSE = 0.02
PATIENCE = 60.0
"""Seconds that a user waits: longer than it takes to notice that a process hangs."""


class Load:
    """`reads` and `writes` are the statuses seen, 0 for none (`broken` says why); each write has a number."""

    def __init__(self, address: tuple[str, int], *backends: Backend) -> None:
        self.reads: list[int] = []
        self.writes: dict[int, int] = {}
        self.broken: list[str] = []
        self._address = address
        self._backends = backends
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False
        self._number = 0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._user()) for _ in range(USERS)]
        await self.more(20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def more(self, answers: int) -> None:
        """Wait for so many reads that end from now on."""
        wanted = len(self.reads) + answers
        await until(lambda: len(self.reads) >= wanted, "more answers")

    @property
    def done(self) -> Counter[int]:
        """How often backends were asked to do each write."""
        starts = [request.start.split() for backend in self._backends for request in backend.requests]
        return Counter(int(target.rpartition("/")[2]) for method, target, _ in starts if method == "POST")

    @property
    def lost_writes(self) -> int:
        """Writes that were answered with an error, or not at all."""
        return sum(status != 200 for status in self.writes.values())

    def claim(self) -> None:
        """No read lost, no write done twice, none said to be done that was not."""
        assert set(self.reads) == {200}, (Counter(self.reads), self.broken)
        assert set(self.done.values()) <= {1}
        assert {number for number, status in self.writes.items() if status == 200} <= self.done.keys()

    async def _user(self) -> None:
        while not self._over:
            self.reads.append(await self._ask(raw.get("/read")))
            self._number += 1
            number = self._number
            self.writes[number] = await self._ask(raw.post(b"x", target=f"/write/{number}"))
            await asyncio.sleep(PAUSE)

    async def _ask(self, request: bytes) -> int:
        client = await raw.connect(self._address)
        try:
            client.send(request)
            while not client.received and not client.ended:
                await client.news(PATIENCE)
            return (await client.answer()).status
        except (Ended, TimeoutError) as error:
            self.broken.append(f"{request[:20]!r}: {error!r}")
            return 0
        finally:
            client.close()
