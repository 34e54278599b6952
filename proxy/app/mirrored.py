"""Adds what a worker's mirroring has to say to its reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proxy.ipc.channel import Channel
from proxy.ipc.messages import Message, PairCounts
from proxy.serving.ages import ages
from proxy.serving.server import Server
from proxy.state.mirror_outcomes import Pairs
from proxy.state.request_outcomes import Key, Outcomes, waiting
from proxy.telemetry import events
from proxy.telemetry.events import Tell
from proxy.telemetry.records import Observers
from proxy.telemetry.worker_metrics import Row, ShadowCounts
from rules.guard.window import Tally


class MirroringReport:
    """The counters of mirroring; they fill as they observe, are read by `rows`, emptied by `take`.

    `watch` says whose mirroring it is. `_link` changes with control: while nobody is there, pairs are lost.
    """

    def __init__(self) -> None:
        self._counts = ShadowCounts()
        self._pairs = Pairs()
        self._server: Server | None = None
        self._link: Channel | None = None

    def watch(self, server: Server, calls: Observers, outcomes: Outcomes, tell: Tell) -> None:
        """Hear of everything that `server` does from now on."""
        self._server = server
        shadows = server.shadows
        shadows.observe.failed = lambda error: tell(events.OBSERVER_FAILED, "error", error=repr(error))
        shadows.connect(self._send, tell)
        self._pairs.mirrored = lambda: shadows.mirrored
        calls.add_batch(self._pairs.observe_all)
        for observer in (self._pairs.observe_shadows, self._counts.observe_all, outcomes.observe_shadows):
            shadows.observe.add_batch(observer)

    def attach(self, link: Channel | None) -> None:
        """Send pairs to `link` from now on, report everything anew; None: nobody is there."""
        self._link = link
        self._counts.resend()
        self._pairs.resend()

    def again(self, pair: str) -> None:
        """Control wants to know whether a difference stays."""
        if self._server is not None:
            self._server.shadows.rechecks.again(pair)

    def rows(self) -> list[Row]:
        """The metric rows that changed."""
        return self._counts.changed()

    def resend(self) -> None:
        """What was read did not arrive."""
        self._counts.resend()

    def take(self) -> tuple[PairCounts, ...]:
        """What became of mirrored requests since the last call."""
        return self._pairs.take()

    def waiting(self) -> Mapping[Key, Tally]:
        """The ages of requests that wait longer than they should."""
        server = self._server
        return waiting(ages(server.clients, server.clock())) if server is not None else {}

    def keep_only(self, routes: Iterable[str]) -> None:
        """Forget other routes."""
        self._counts.keep_only(routes)

    def _send(self, message: Message) -> bool:
        return self._link is not None and self._link.send(message)
