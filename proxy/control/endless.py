"""Runs permanent tasks: a fault is logged and counted, and the task goes on; one that keeps failing ends control.

A control process that has lost its file watch or its guard seems alive and does nothing: better a fresh one, which
begins with all that was set. Workers go on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any

from proxy.ipc.child_process import Tasks
from proxy.telemetry import events
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import TASK_FAILURES

AGAIN_AFTER = 1.0
"""Seconds between a failure and the next run."""
SOUND_AFTER = 10.0
"""Seconds after which a task that has not failed again counts as recovered."""
HOPELESS_AFTER = 60.0
"""Seconds of failing without recovering after which control ends."""
Endless = Callable[[], Coroutine[Any, Any, None]]


class EndlessTasks:
    """All of them, by name. `failures` counts exceptions."""

    def __init__(
        self,
        emit: Emit,
        hopeless: Callable[[str], None],
        *,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.failures: dict[str, int] = {}
        self._emit = emit
        self._hopeless = hopeless
        self._clock = clock
        self._pause = pause
        self._tasks = Tasks()

    def start(self, work: Endless, name: str) -> None:
        """Run `work` for ever, under `name`; one that returns is done."""
        self.failures.setdefault(name, 0)
        self._tasks.start(self._run(work, name), name)

    def series(self) -> dict[Key, Values]:
        """Return how often each has failed."""
        return {(TASK_FAILURES.name, (name,)): (float(count),) for name, count in self.failures.items()}

    async def close(self) -> None:
        """End them."""
        await self._tasks.close()

    async def _run(self, work: Endless, name: str) -> None:
        failing_since: float | None = None
        while True:
            began = self._clock()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the task goes on
                now = self._clock()
                if failing_since is None or now - began >= SOUND_AFTER:
                    failing_since = now
                self._failed(name, error, now - failing_since)
                if now - failing_since >= HOPELESS_AFTER:
                    self._hopeless(name)
                    return
                await self._pause(AGAIN_AFTER)
            else:
                return

    def _failed(self, name: str, error: Exception, seconds: float) -> None:
        self.failures[name] += 1
        self._emit(events.TASK_FAILED, "error", task=name, error=repr(error), failing_for=round(seconds, 1))
