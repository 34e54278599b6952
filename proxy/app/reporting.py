"""Reports what a worker counted, whom it saw, to control; keeps the latest outcomes while nobody listens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from proxy.app.mirrored import MirroringReport
from proxy.ipc.channel import Channel
from proxy.ipc.messages import Numbers
from proxy.ipc.messages import Outcomes as OutcomesMessage
from proxy.state.request_outcomes import LastWrites, Outcomes
from proxy.state.user_sample import Recent
from proxy.telemetry import metric_names
from proxy.telemetry.worker_metrics import Counts, gauges

EVERY = 0.5
KEPT_SECONDS = 60


class Reporting:
    """Changes: `_link` by `attach`, the waiting outcomes once a second, `_lag` with each heart-beat."""

    def __init__(
        self,
        counts: Counts,
        outcomes: Outcomes,
        stats: Callable[[], Mapping[str, float]],
        lost: Callable[[], Mapping[metric_names.Metric, float]],
        recent: Recent,
        mirroring: MirroringReport | None = None,
        writes: LastWrites | None = None,
    ) -> None:
        self._counts = counts
        self._outcomes = outcomes
        self._stats = stats
        self._lost = lost
        self._recent = recent
        self._mirroring = mirroring or MirroringReport()
        self._writes = writes or LastWrites(lambda _: False)
        self._link: Channel | None = None
        self._waiting: deque[OutcomesMessage] = deque(maxlen=KEPT_SECONDS)
        self._second = int(monotonic())
        self._lag = 0.0

    def attach(self, link: Channel | None) -> None:
        """Report to `link` from now on, beginning with everything; None: nobody is there."""
        self._link = link
        self._mirroring.attach(link)
        if link is not None:
            self._counts.resend()
            self._recent.resend()
            self._writes.resend()
            self.send_numbers()

    def note_lag(self, seconds: float) -> None:
        """Remember the worst lag until it is reported."""
        self._lag = max(self._lag, seconds)

    def send_numbers(self, ticket: int = 0) -> None:
        """Send every row that changed, now."""
        link = self._link
        if link is None:
            return
        put = self._counts.set
        gauges(self._stats(), put)
        for metric, value in self._lost().items():
            put(metric, (), value)
        put(metric_names.LOOP_LAG, (), round(self._lag, 6))
        put(metric_names.REPORTS_SHED, (), link.dropped)
        rows = (*self._counts.changed(), *self._mirroring.rows())
        if (rows or ticket) and not link.send(Numbers(ticket, rows, tuple(self._counts.exemplars()))):
            self._counts.resend()
            self._mirroring.resend()

    def send_outcomes(self) -> None:
        """Close the current second, send what is complete."""
        self._second = int(monotonic())
        sides, pairs = self._outcomes.take(self._mirroring.waiting()), self._mirroring.take()
        if sides or pairs:
            self._waiting.append(OutcomesMessage(self._second, sides, pairs))
        while self._link is not None and self._waiting:
            if not self._link.send(self._waiting[0]):
                return
            self._waiting.popleft()

    def send_users(self) -> None:
        """Look at whom requests have noted, send what of it is news."""
        now = monotonic()
        self._recent.digest(now)
        link = self._link
        users = self._recent.news(now) if link is not None else None
        if link is not None and users is not None and not link.send(users):
            self._recent.unheard(users)

    def send_writes(self) -> None:
        """Send the latest writes that a rollback would lose."""
        link = self._link
        writes = self._writes.news() if link is not None else None
        if link is not None and writes is not None and not link.send(writes):
            self._writes.unheard(writes)

    async def run(self) -> None:
        """Report for ever."""
        while True:
            await asyncio.sleep(EVERY)
            self.send_numbers()
            self._lag = 0.0
            self.send_users()
            self.send_writes()
            if int(monotonic()) != self._second:
                self.send_outcomes()
