"""Tells what an event loop found nobody to handle, as an event like others instead of a traceback among lines of JSON.

Asked by the loop itself, for instance when there is no memory for what a client sent: that client's connection is
gone, everybody else's goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from traceback import extract_tb
from typing import Any

from proxy.telemetry import events
from proxy.telemetry.events import Tell

EVERY = 1.0
"""Seconds between two that are told: a worker without memory meets thousands."""


class Unexpected:
    """A loop's exception handler. `_told_at` is when one was told last, `_more` how many were not since."""

    def __init__(self, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._told_at = -EVERY
        self._more = 0

    def __call__(self, _: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Tell of `context`, at most once a second; `more` says how many passed unsaid before."""
        now = self._clock()
        if now - self._told_at < EVERY:
            self._more += 1
            return
        self._told_at, more, self._more = now, self._more, 0
        error: BaseException | None = context.get("exception")
        frames = extract_tb(error.__traceback__) if error is not None else []
        self._tell(
            events.UNEXPECTED,
            "error",
            where=context.get("message", ""),
            error=repr(error),
            at=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "",
            more=more,
        )
