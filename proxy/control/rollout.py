"""Connects what changes routes at run time: store, audit log, route actions, guard, webhooks, drills.

1. the store's overrides are merged with the running ones as soon as it answers
2. the store writer, the guard and webhooks run as tasks of their own
3. messages of workers and actions of operators come in here
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic, time
from typing import Any

import orjson

from proxy.control.audit_log import AuditLog, Changes
from proxy.control.drill import Drills, FrontDoorProbe
from proxy.control.endless import Endless
from proxy.control.fleet.override_sync import OverrideSync
from proxy.control.fleet.window_exchange import WindowExchange
from proxy.control.guard import TOLD_AGAIN, Guard, HealthWatch
from proxy.control.override_changes import reconciled
from proxy.control.reload import Current, Outcome, Reloader
from proxy.control.retirement import UnseenWrites
from proxy.control.route_actions import RouteActions
from proxy.control.route_evidence import EvidenceCollector, Judged, RouteWindows
from proxy.control.status import standing
from proxy.control.store_writer import StoreWriter
from proxy.control.webhooks import Notifier, hooks_of
from proxy.control.worker_links import Workers
from proxy.ipc.messages import DrillCount, Message, Outcomes, Trip, Writes
from proxy.storage.fleet import Fleet
from proxy.storage.store import Store
from proxy.telemetry.aggregation import Key, Values, Worker
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import MODERN_WRITES, STORE_UP

LAST_WORDS = 2.0
"""Seconds that the store has for waiting writes when control stops."""


class RolloutController:
    """Everything that changes routes at run time. `_violations` says when each broken invariant was last recorded."""

    def __init__(
        self,
        reloader: Reloader,
        workers: Workers,
        windows: RouteWindows,
        judged: Judged,
        store: Store,
        emit: Emit,
        front_door: FrontDoorProbe,
        *,
        fleet: Fleet | None = None,
        name: str = "",
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = time,
    ) -> None:
        self._reloader = reloader
        self._workers = workers
        self._clock = clock
        self._violations: dict[tuple[str, str], float] = {}
        snapshot = reloader.current.configuration.snapshot
        self.changes = Changes()
        self.unseen_writes = UnseenWrites(self._modern_writes)
        self.writer = StoreWriter(store, emit)
        self.audit_log = AuditLog(self.writer, emit, wall)
        self.evidence = EvidenceCollector(windows, snapshot)
        self.window_exchange: WindowExchange | None = None
        if fleet is not None:
            self.window_exchange = WindowExchange(
                fleet, name, lambda: reloader.current, windows, judged, emit, clock, lambda: self.writer.up
            )
        self.health = HealthWatch(windows, self.evidence, judged, self.window_exchange)
        self.route_actions = RouteActions(
            reloader, self.writer, self.audit_log, self.changes, self.health.restart, wall
        )
        self.route_actions.lost = self.unseen_writes.words
        self.following = OverrideSync(
            reloader, self.writer, self.route_actions, self.health.restart, emit, fleet, clock
        )
        self.guard = Guard(
            lambda: reloader.current,
            self.health,
            self.route_actions,
            self.audit_log,
            emit,
            writes=self.unseen_writes.evidence,
            leads=lambda: leads() and (self.window_exchange is None or self.window_exchange.is_receiving()),
            clock=clock,
            wall=wall,
        )
        self.drills = Drills(lambda: reloader.current, workers, windows, self.route_actions, self.audit_log, front_door)
        self._notifier = Notifier(emit)
        self._notifier.apply_hooks(hooks_of(snapshot.notify))
        self.audit_log.subscribe(self._notifier.queue_event)
        workers.subscribe(self._on_message)

    def begin(self, start: Callable[[Endless, str], None]) -> None:
        """Start the permanent tasks."""
        start(self._meet_store, "meet-store")
        start(self.writer.run, "store-writer")
        start(self.guard.run, "guard")
        if self.window_exchange is not None:
            start(self.window_exchange.run, "together")

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one second of one of our workers."""
        self.evidence.record_outcomes(outcomes)
        if self.window_exchange is not None:
            self.window_exchange.record_outcomes(outcomes)

    async def close(self) -> None:
        """Stop, after a last try to write what waits."""
        self.audit_log.dismiss_all()
        await self.guard.close()
        await self._notifier.close()
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self.writer.flush()
                await self.writer.store.close()
        except TimeoutError:
            return

    def apply_configuration(self, before: Current, now: Current, restarted: frozenset[str]) -> None:
        """Apply another file, of which the `restarted` routes are judged afresh."""
        if before.configuration.snapshot is not now.configuration.snapshot:
            self.evidence.apply_snapshot(now.configuration.snapshot, restarted)
            if self.window_exchange is not None:
                self.window_exchange.apply_configuration(now)
            self._violations.clear()
            self.unseen_writes.keep_only(route.name for route in now.configuration.snapshot.routes)
            self._notifier.apply_hooks(hooks_of(now.configuration.snapshot.notify))

    def reloaded(self, who: str, outcome: Outcome) -> None:
        """Record a reload that had an effect."""
        if outcome.changed:
            self.audit_log.record("reload", "", who, outcome.current.configuration.snapshot.digest)
        elif not outcome.ok:
            self.audit_log.record("config_refused", "", who, outcome.current.error or "refused")

    def violated(self, route: str, invariant: str, on_violation: str, detail: str, pair: str) -> None:
        """Record a violated invariant, once as long as it lasts, and have the guard evaluate at once."""
        now = self._clock()
        if now - self._violations.get((route, invariant), -TOLD_AGAIN) >= TOLD_AGAIN:
            self._violations[route, invariant] = now
            evidence = {"invariant": invariant, "on_violation": on_violation, "detail": detail, "pair": pair}
            self.audit_log.record("invariant", route, "judge", invariant, orjson.dumps(evidence).decode(), "warning")
        self.guard.take_violation(route)

    def standing(self, route: str) -> dict[str, Any]:
        """Return the status members of a route: verdict, readiness, step."""
        compiled = self._reloader.current.generation.table.compiled_route_of(route)
        override = self.route_actions.override(route)
        if compiled is None:
            return {**standing(None, override, None, None), "together": None}
        found = standing(compiled.route, override, self.guard.seen.get(route), self.guard.moves.get(route))
        return {**found, "together": None if self.window_exchange is None else self.window_exchange.standing(route)}

    def series(self) -> dict[Key, Values]:
        """Return the metrics of all that."""
        return {**self.changes.series(), (STORE_UP.name, ()): (float(self.writer.up),)}

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    async def _meet_store(self) -> None:
        kept = await self.writer.kept()
        running = self._reloader.current.generation.overrides.values()
        newer, untold, forgotten = reconciled(running, kept)
        # what was done while the store could not be read is merged with it when it is written
        waiting = self.writer.unwritten()
        self.route_actions.adopt([one for one in newer if one.route not in waiting], forgotten)
        for override in untold:
            self.writer.write(override)
        await self.following.run()

    def _on_message(self, worker: Worker, message: Message) -> None:
        match message:
            case Trip():
                self.guard.apply_local_rollback(worker[0], message)
            case Writes():
                self.unseen_writes.record_writes(worker, message)
            case DrillCount():
                self.drills.record_count(worker, message)
            case _:
                pass

    def _modern_writes(self, route: str) -> int:
        found = self._workers.totals.sums().get((MODERN_WRITES.name, (route,)), (0.0,))
        return int(found[0])
