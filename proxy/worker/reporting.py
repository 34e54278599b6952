"""Reports counts, outcomes, ages of waiting requests to control."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from types import MappingProxyType
from typing import Final, NamedTuple

from proxy.ipc.channel import Channel
from proxy.ipc.messages import JudgeEnded, JudgeLink, Message, Numbers, Pair, PairCounts, Rest, Targets, TargetState
from proxy.ipc.messages import Outcomes as OutcomesMessage
from proxy.state.mirror_outcomes import Pairs
from proxy.state.request_outcomes import Key, LastWrites, Outcomes, waiting
from proxy.state.user_sample import Recent
from proxy.telemetry import events, metric_names
from proxy.telemetry.events import Emit
from proxy.telemetry.records import Exchange, Observers
from proxy.telemetry.worker_metrics import Counts, Row, ShadowCounts, gauges
from proxy.worker.client_transport import ClientTransport
from proxy.worker.request_state import RequestState
from proxy.worker.server import Server
from proxy.worker.shadow.judge_links import JudgeLinks
from rules.guard.window import Tally

# Finds the requests that wait for their answer longer than they should, so that a silent side is noticed in time.


PATIENCE: Final = 1.0
"""Seconds after which an answer is late on a route without a guard's `p95`."""


class WaitingRequest(NamedTuple):
    """One request that waits for the first byte of `side`, since so many seconds."""

    route: str
    side: str
    generation: int
    seconds: float


def waiting_requests(clients: Iterable[ClientTransport], now: float) -> list[WaitingRequest]:
    """The requests that wait longer than the route's P95 limit for an answer's first byte, whole as they are."""
    return [
        age for client in clients if (call := client.request()) is not None and (age := _age(call, now)) is not None
    ]


def _age(call: RequestState, now: float) -> WaitingRequest | None:
    if call.finished or call.head_sent or not call.side or not call.request_body.complete or call.in_line:
        return None  # what waits in line waits for us, not for its side
    route = call.decision.route
    seconds = now - call.waits_since
    patience = route.guard.p95 if route.guard is not None else PATIENCE
    if seconds <= (patience or PATIENCE):
        return None
    return WaitingRequest(route.name, call.side, call.bound.generation.number, seconds)


# Adds what a worker's mirroring has to say to its reports.


class MirroringReport:
    """The counters of mirroring; they fill as they observe, are read by `rows`, emptied by `drain_counts`.

    `watch` says whose mirroring it is. `_link` changes with control: while it is not there, pairs are lost.
    """

    def __init__(self) -> None:
        self._counts = ShadowCounts()
        self._pairs = Pairs()
        self._server: Server | None = None
        self._link: Channel | None = None
        self._judges = JudgeLinks(self._send_to_control, monotonic)

    def watch(self, server: Server, calls: Observers[Exchange], outcomes: Outcomes, emit: Emit) -> None:
        """Observe everything that `server` does from now on."""
        self._server = server
        shadows = server.shadows
        shadows.observe.failed = lambda error: emit(events.OBSERVER_FAILED, "error", error=repr(error))
        shadows.connect(self._send, emit)
        self._pairs.mirrored = lambda: shadows.mirrored
        calls.add_batch(self._pairs.observe_all)
        for observer in (self._pairs.observe_shadows, self._counts.observe_all, outcomes.observe_shadows):
            shadows.observe.add_batch(observer)

    def attach(self, link: Channel | None) -> None:
        """Send pairs to `link` from now on, report everything anew; None: control is gone."""
        self._link = link
        self._counts.resend()
        self._pairs.resend()
        if link is None:
            self._judges.lose_control()

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

    def drain_counts(self) -> tuple[PairCounts, ...]:
        """What became of mirrored requests since the last call."""
        return self._pairs.drain_counts()

    def waiting(self) -> Mapping[Key, Tally]:
        """The ages of requests that wait longer than they should."""
        server = self._server
        return waiting(waiting_requests(server.clients, server.clock())) if server is not None else {}

    def keep_only(self, routes: Iterable[str]) -> None:
        """Forget other routes."""
        self._counts.keep_only(routes)

    def connect_judge(self, message: JudgeLink, descriptors: Sequence[int]) -> None:
        """Have pairs judged by this judge as well."""
        self._judges.connect(message.judge, *descriptors)

    def judge_ended(self, message: JudgeEnded) -> None:
        """Have what a judge has not done judged by another."""
        self._judges.judge_ended(message)

    def rest(self, message: Rest) -> None:
        """Have no pair of a route judged for a while."""
        self._judges.rest(message)

    def sweep(self) -> None:
        """Look after judges that are silent; to be called twice a second."""
        self._judges.sweep()

    def close(self) -> None:
        """Hang up on judges."""
        self._judges.close()

    def _send(self, message: Message) -> bool:
        """Send first answers to judges, anything else to control, which waits for second ones."""
        if isinstance(message, Pair) and not message.again:
            self._judges.put(message)
            return True
        return self._send_to_control(message)

    def _send_to_control(self, message: Message) -> bool:
        return self._link is not None and self._link.send(message)


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
        *,
        targets: Callable[[], tuple[TargetState, ...]] = tuple,
        counted: Mapping[tuple[metric_names.Metric, tuple[str, ...]], int] = MappingProxyType({}),
    ) -> None:
        self._counts = counts
        self._outcomes = outcomes
        self._stats = stats
        self._lost = lost
        self._recent = recent
        self._mirroring = mirroring or MirroringReport()
        self._writes = writes or LastWrites(lambda _: False)
        self._targets = targets
        self._told_targets: tuple[TargetState, ...] | None = None
        self._counted = counted
        self._link: Channel | None = None
        self._waiting: deque[OutcomesMessage] = deque(maxlen=KEPT_SECONDS)
        self._second = int(monotonic())
        self._lag = 0.0

    def attach(self, link: Channel | None) -> None:
        """Report to `link` from now on, beginning with everything; None: control is gone."""
        self._link = link
        self._mirroring.attach(link)
        if link is not None:
            self._counts.resend()
            self._recent.resend()
            self._writes.resend()
            self._told_targets = None
            self.send_targets()
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
        for (metric, labels), count in self._counted.items():
            put(metric, labels, count)
        put(metric_names.LOOP_LAG, (), round(self._lag, 6))
        put(metric_names.REPORTS_SHED, (), link.dropped)
        rows = (*self._counts.changed(), *self._mirroring.rows())
        if (rows or ticket) and not link.send(Numbers(ticket, rows, tuple(self._counts.exemplars()))):
            self._counts.resend()
            self._mirroring.resend()

    def send_outcomes(self) -> None:
        """Close the current second, send what is complete."""
        self._second = int(monotonic())
        sides, pairs = self._outcomes.drain_counts(self._mirroring.waiting()), self._mirroring.drain_counts()
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

    def send_targets(self) -> None:
        """Send how the targets are, where that is another than it was."""
        targets = self._targets()
        if self._link is not None and targets != self._told_targets and self._link.send(Targets(targets)):
            self._told_targets = targets

    async def run(self) -> None:
        """Report for ever."""
        while True:
            await asyncio.sleep(EVERY)
            self._mirroring.sweep()
            self.send_numbers()
            self.send_targets()
            self._lag = 0.0
            self.send_users()
            self.send_writes()
            if int(monotonic()) != self._second:
                self.send_outcomes()
