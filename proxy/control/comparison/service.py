"""Puts together what compares: judges, verdicts, re-checks, noise, the store of differences.

No request waits for any of it. The rules that judges go by are sent anew when the file, what was learned, what is
over its rate, or the day is another one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from proxy.control.comparison.counters import ComparisonCounters, WithoutSessions
from proxy.control.comparison.judge_links import JudgeLinks
from proxy.control.comparison.judge_pool import JudgePool, JudgeProcess, judge_environment
from proxy.control.comparison.pair_pipeline import PairPipeline
from proxy.control.comparison.policies import JudgePolicies, Noise, today
from proxy.control.comparison.queries import Differences
from proxy.control.comparison.rechecks import Rechecks
from proxy.control.comparison.results import ComparisonResults, KnownDifferences, Rates, ViolationSeen
from proxy.control.fleet.shared_differences import SharedDifferences
from proxy.control.status import compared
from proxy.control.worker_links import Workers
from proxy.ipc.messages import Outcomes
from proxy.settings import Settings, worker_count
from proxy.state.live import Configuration
from proxy.storage.diff_store import Diffs, DiffsError, DiffsThread
from proxy.storage.fleet import Fleet
from proxy.telemetry import events
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.events import Emit
from rules.guard.evidence import Violation
from rules.guard.window import ComparedTally
from rules.model import Route, Snapshot

EVERY = 1.0
LOOK_EVERY = 10
"""Ticks between two looks at what was learned, at what is over its rate."""
TRIM_EVERY = 600
FIRST_TRIM = 5
NOISE = "noise"
Spans = Mapping[str, tuple[float, int]]
"""For each route the seconds of its window, the generation from which on outcomes count."""


class ComparisonService:
    """All of it.

    Changes: `_configuration` with `_routes` by `apply_configuration`, what else is plain data with the ticks.
    """

    def __init__(
        self,
        configuration: Configuration,
        spans: Spans,
        settings: Settings,
        workers: Workers,
        *,
        on_violation: Callable[[ViolationSeen], None],
        emit: Emit,
        fleet: Fleet | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configuration = configuration
        self._emit = emit
        self._routes: dict[str, Route] = {}
        self._open: Mapping[str, int] = {}
        self._sessions = WithoutSessions(emit)
        self._loop = asyncio.get_running_loop()
        self._store = DiffsThread(lambda: diffs_of(settings), self._complain)
        self.shared_differences = SharedDifferences(fleet, lambda: self._snapshot.diffs.keep)
        self._counters = ComparisonCounters(clock)
        self._rates = Rates(clock)
        self._known = KnownDifferences(self._rates, today)
        self._noise = Noise(today, emit)
        self._judges = JudgePool(
            lambda heard, gone: JudgeProcess(judge_environment(_named(self._snapshot)), heard, gone),
            self._snapshot.judges.count(worker_count(0)),
            emit,
        )
        self._policies = JudgePolicies(self._judges, self._rates, self._noise, settings.base_dir)
        verdicts = ComparisonResults(
            self._counters,
            self._known,
            self._rates,
            keep=self.shared_differences.counting(self._store.add_difference),
            invariants=lambda route: self._routes[route].invariants if route in self._routes else (),
            on_violation=on_violation,
            observe=self._noise.observe,
            emit=emit,
        )
        self._pipeline = PairPipeline(
            self._judges,
            verdicts,
            Rechecks(clock),
            workers.send,
            lambda route: self._routes[route].shadow if route in self._routes else None,
            clock,
            self._loop.call_later,
        )
        links = JudgeLinks(workers.hand)
        self._judges.link(links, self._pipeline.on_judge_message)
        self.differences = Differences(self._store, self._pipeline, self._known, self._noise, self.shared_differences)
        self.apply_configuration(configuration, spans)
        workers.subscribe(links.on_message)
        workers.subscribe(self._pipeline.on_message)

    # ── for the guard, for the status, for scrapes ─────────────────────────────────────────────────────

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add what one worker decided in one second."""
        self._counters.record_outcomes(outcomes)
        for pairs in outcomes.pairs:
            if pairs.equal:
                self._rates.note(pairs.route, (), pairs.equal)

    def counts(self, route: str) -> ComparedTally:
        """Return what became of the route's mirrored requests within its window."""
        return self._counters.lately(route)

    def seen(self, route: str) -> ComparedTally:
        """Return the same since the route's rules are what they are."""
        return self._counters.seen(route)

    def open_groups(self, route: str) -> int:
        """Return how many groups of differences of the route, of all instances, are not explained yet; seconds old."""
        return max(self._open.get(route, 0), self.shared_differences.open_groups(route))

    def never_compared(self, route: str) -> frozenset[str]:
        """Return which kinds of request users send of which no pair was compared."""
        return self._counters.never_compared(route)

    def totals(self, route: str) -> ComparedTally:
        """Return the same since the start."""
        return self._counters.totals(route)

    def violations(self, route: str) -> tuple[Violation, ...]:
        """Return which invariants were broken within the route's window."""
        return self._counters.violations(route)

    def standing(self, route: str) -> dict[str, Any]:
        """Return what the status of a route contains about its mirrored requests."""
        return compared(self.counts(route), self.totals(route), self._counters.invariants(route))

    def restart(self, route: str, generation: int) -> None:
        """Begin the window of `route` anew: what was decided before `generation` does not count any more."""
        self._counters.restart(route, generation)

    def series(self) -> Iterator[tuple[Key, Values]]:
        """Yield the series that comparing adds to a scrape."""
        return self._counters.series()

    # ── its own life ───────────────────────────────────────────────────────────────────────────────────

    def apply_configuration(self, configuration: Configuration, spans: Spans) -> None:
        """Compare by this configuration from now on; a route whose own rules changed is counted anew."""
        self._configuration = configuration
        snapshot = configuration.snapshot
        self._routes = {route.name: route for route in snapshot.routes if route.shadow.sample > 0 or route.invariants}
        self._judges.allow(snapshot.judges.count(worker_count(0)))
        self._counters.apply_spans({name: span for name, span in spans.items() if name in self._routes})
        self._noise.apply_snapshot(snapshot)
        self._policies.apply_configuration(configuration, self._routes)

    async def run(self) -> None:
        """Look after everything that takes time, for ever."""
        await self._remember()
        ticks = 0
        while True:
            await asyncio.sleep(EVERY)
            ticks += 1
            try:
                await self._tick(ticks)
            except Exception as error:  # noqa: BLE001 - the next tick comes all the same
                self._emit(events.UNEXPECTED, "error", where="comparing", error=repr(error))

    async def _tick(self, number: int) -> None:
        self._pipeline.tick()
        if number % LOOK_EVERY == 0:
            await self._look()
        if number % TRIM_EVERY == FIRST_TRIM:
            await self._trim()

    def close(self) -> None:
        """End the judges, write what waits."""
        self._judges.close()
        self._store.close()

    @property
    def _snapshot(self) -> Snapshot:
        return self._configuration.snapshot

    async def _remember(self) -> None:
        try:
            self._known.learn(await self._store.query(lambda store: store.known()))
            self._noise.restore(await self._store.query(lambda store: store.noted(NOISE)))
        except DiffsError as error:
            self._complained(str(error))
        self._policies.publish()

    async def _look(self) -> None:
        for route in self._routes:
            self._sessions.look(route, self.counts(route))
        learned = self._noise.look()
        if self._policies.look() or learned:
            self._policies.publish()
        packed = self._noise.pack() if learned else b""
        try:
            if learned:
                await self._store.query(lambda store: store.note(NOISE, packed))
            self._open = await self._store.query(lambda store: store.open_groups())
        except DiffsError as error:
            self._complained(str(error))

    async def _trim(self) -> None:
        keeping = self._snapshot.diffs
        try:
            await self._store.query(lambda store: store.trim(time.time(), keeping.keep, keeping.max_bytes))
        except DiffsError as error:
            self._complained(str(error))

    def _complain(self, what: str) -> None:
        # from the store's own thread; the loop may be gone by the time it says its last words
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._complained, what)

    def _complained(self, what: str) -> None:
        if what:
            self._emit(events.DIFFERENCES_LOST, "error", reason=what)
        else:
            self._emit(events.DIFFERENCES_KEPT, lost=self._store.lost)


def diffs_of(settings: Settings) -> Diffs:
    """Return the difference store that goes with the store that a file names: a file beside its file."""
    store = settings.store
    if store == "memory" or settings.legacy_only:
        from proxy.storage.diff_store_memory import MemoryDiffs

        return MemoryDiffs()
    from proxy.storage.diff_store_sqlite import SqliteDiffs

    named = store.removeprefix("sqlite:") if store.startswith("sqlite:") else "var/strangler.db"
    path = settings.base_dir / named
    return SqliteDiffs(path.with_name(f"{path.stem}.diffs.db"))


def _named(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the variables that hold secrets, as far as the file names them."""
    hooks = [name for hook in snapshot.notify for name in (hook.url_env, hook.secret_env) if name]
    return (snapshot.admin.token_env, snapshot.admin.view_token_env, *hooks)
