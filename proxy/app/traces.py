"""Lets a worker record its part of each trace, where that is wanted and can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from proxy.serving.server import Server
from proxy.telemetry import events
from proxy.telemetry.events import Tell
from proxy.telemetry.records import Observers
from proxy.telemetry.span_exporter import Recorder, Sender
from proxy.telemetry.spans import is_installed, is_wanted, share

LAST_WORDS = 1.0
"""Seconds that a worker which leaves may spend on spans."""


class Traces:
    """Nothing at all, unless the environment asks for it: then a recorder, to which everything is told."""

    def __init__(self, environ: Mapping[str, str], server: Server, observers: Observers, tell: Tell) -> None:
        self._recorder: Recorder | None = None
        if not is_wanted(environ):
            return
        if not is_installed():
            tell(events.SPANS_LOST, "warning", error="the extra is not installed: pip install strangler-proxy[otel]")
            return
        loop = asyncio.get_running_loop()

        def failed(error: BaseException | None) -> None:
            cause = repr(error) if error is not None else "nobody took them"
            loop.call_soon_threadsafe(partial(tell, events.SPANS_LOST, "warning", error=cause))

        recorder = self._recorder = Recorder(_sender, failed, share(environ))
        server.traced = recorder.wants
        server.shadows.asking.trace = recorder.observe_leg
        observers.add_batch(recorder.observe_all)
        recorder.start()

    @property
    def lost(self) -> int:
        """Calls and copies whose spans nobody got."""
        return self._recorder.lost if self._recorder is not None else 0

    async def close(self) -> None:
        """Send what waits."""
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close, LAST_WORDS)


def _sender() -> Sender:
    """Load OpenTelemetry, in the thread that needs it."""
    from proxy.telemetry.otlp import Otlp

    return Otlp()
