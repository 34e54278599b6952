"""Puts work off to the next turn of the event loop, which is told once for all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class NextTurn:
    """What waits for the next turn: `_works` fills with `do`, is emptied by the turn; `mishap` hears of faults."""

    def __init__(self, mishap: Callable[[Exception], None]) -> None:
        self._mishap = mishap
        self._works: list[Callable[[], object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def do(self, work: Callable[[], object]) -> None:
        """Do `work` in the next turn."""
        works = self._works
        works.append(work)
        if len(works) == 1:
            if self._loop is None:  # asking for it each time costs a system call
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        works, self._works = self._works, []
        for work in works:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the others' turn has come as well
                self._mishap(error)
