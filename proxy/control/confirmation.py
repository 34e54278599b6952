"""Makes every worker confirm what was set: sends it again, has a worker that does not confirm replaced.

1. twice a second: find serving workers that have not confirmed what they are to run
2. such a worker is sent all of it once more, each second
3. one that sends nothing for five seconds, or has not applied an override, is replaced; its successor
   starts with the latest of everything
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from proxy.control.worker_links import CONFIRM_WITHIN, Workers
from proxy.telemetry import events
from proxy.telemetry.aggregation import Worker
from proxy.telemetry.events import Emit

EVERY = 0.5
REMIND_EVERY = 1.0
REBUILD_EVERY = 5.0
"""Seconds between two tries with a worker that responds and refuses a file: building one takes time."""
REPLACE_AFTER = 5.0


class Confirmation:
    """The workers that are behind.

    `_since` is when each was found to be, `_reminded` when it was last sent everything again.
    """

    def __init__(
        self,
        workers: Workers,
        replace: Callable[[Worker], None],
        emit: Emit,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._workers = workers
        self._replace = replace
        self._emit = emit
        self._clock = clock
        self._since: dict[Worker, float] = {}
        self._reminded: dict[Worker, float] = {}

    async def run(self) -> None:
        """Check twice a second, for ever."""
        while True:
            self.tick()
            await asyncio.sleep(EVERY)

    @property
    def missing(self) -> tuple[int, ...]:
        """The slots of workers that have not confirmed within the time that a change waits for them."""
        now, named = self._clock(), self._workers.named
        late = {worker for worker, since in self._since.items() if now - since >= CONFIRM_WITHIN} | named
        return tuple(sorted({worker[0] for worker in self._workers.behind() if worker in late}))

    def tick(self) -> None:
        """Check once."""
        now, behind = self._clock(), self._workers.behind()
        self._since = {worker: self._since.get(worker, now) for worker in behind}
        self._workers.named.intersection_update(behind)
        self._reminded = {worker: at for worker, at in self._reminded.items() if worker in self._since}
        for worker, since in self._since.items():
            deaf = self._workers.is_deaf(worker, REPLACE_AFTER)
            if deaf and now - since >= REPLACE_AFTER:
                self._emit(events.WORKER_REPLACED, "error", slot=worker[0], seconds=round(now - since, 1))
                self._since[worker] = now  # its successor has a number of its own; if there is none, once more
                self._replace(worker)
            elif now - self._reminded.get(worker, since) >= (REMIND_EVERY if deaf else REBUILD_EVERY):
                self._reminded[worker] = now
                self._workers.remind(worker)
