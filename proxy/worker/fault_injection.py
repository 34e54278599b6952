"""Fails modern's attempts at requests that bear the mark of a drill, no others."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Final

from proxy.http1 import RequestHead
from proxy.ipc.messages import Drill as DrillMessage
from proxy.ipc.messages import DrillCount

FIELD: Final = "x-strangler-drill"
"""The field that marks a request: the secret of the drill, a dot, the made-up user."""
USER: Final = "drill-"
KIND: Final = "reset"
TARGET: Final = "drill"


class Drill:
    """One drill in one worker: counts what it fails; over at `until` (seconds of `clock`), ended or not."""

    def __init__(
        self, route: str, mark: str, until: float, clock: Callable[[], float], told: Callable[[DrillCount], object]
    ) -> None:
        self.route = route
        self._mark = mark.encode()
        self._until = until
        self._clock = clock
        self._told = told
        self._failed = 0
        self._first = self._last = 0.0

    def user(self, head: RequestHead) -> str:
        """The made-up user of a request that bears the mark, empty for every other."""
        mark, _, user = (head.field(FIELD) or "").partition(".")
        if not user or self._clock() > self._until or not hmac.compare_digest(mark.encode(), self._mark):
            return ""
        return f"{USER}{user}"

    def fail(self, failed: Callable[[str, str], None]) -> None:
        """Let an attempt of a marked request fail by `failed`, as if modern had closed the connection."""
        now = self._clock()
        self._first = self._first or now
        self._last = now
        self._failed += 1
        asyncio.get_running_loop().call_soon(failed, KIND, "a drill")
        self.report_progress()

    def report_progress(self) -> None:
        """Report to control how far it went."""
        self._told(DrillCount(self.route, self._failed, self._first, self._last))


def drilling(
    before: Drill | None, message: DrillMessage, clock: Callable[[], float], told: Callable[[DrillCount], object]
) -> Drill | None:
    """Return the drill that control asks for, None where it ends the present one."""
    if message.seconds > 0:
        return Drill(message.route, message.mark, clock() + message.seconds, clock, told)
    if before is not None:
        before.report_progress()
    return None
