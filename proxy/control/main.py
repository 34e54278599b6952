"""The control process: reloads, the admin port, reports of all workers.

1. start with the last good configuration that the supervisor kept
2. serve the admin port; connect to workers as the supervisor sends their connections
3. read the file at once, then whenever it changes or a reload is asked for
4. exit on order; workers go on without control
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Any

from proxy.control import data_verifying
from proxy.control.admin_server import AdminPort
from proxy.control.api.access import Access
from proxy.control.api.sessions import REVOKED, Revocations
from proxy.control.audit_log import AuditLog
from proxy.control.backend_states import BackendStates
from proxy.control.comparison.queries import Differences
from proxy.control.comparison.results import ViolationSeen
from proxy.control.comparison.service import ComparisonService
from proxy.control.confirmation import Confirmation
from proxy.control.data_verifying import DataVerifying
from proxy.control.decision_streams import DecisionStreams
from proxy.control.drill import Drills, FrontDoorProbe
from proxy.control.effective import Effective
from proxy.control.endless import EndlessTasks
from proxy.control.fleet.membership import Membership, rules_digest
from proxy.control.history import History, HistorySampler
from proxy.control.metrics import numbers
from proxy.control.reload import Current, Outcome, Reloader, current, look_slowly, planned, settled, watch
from proxy.control.report import report, resources
from proxy.control.retirement import Retirements
from proxy.control.rollout import RolloutController
from proxy.control.route_actions import RouteActions
from proxy.control.route_evidence import RouteWindows
from proxy.control.status import instance, status, worker_documents
from proxy.control.worker_links import Workers
from proxy.ipc import messages
from proxy.ipc.child_process import Lifeline, Tasks, beat, run
from proxy.ipc.messages import Prepare
from proxy.settings import EXIT_NO, EXIT_YES, parse_address, worker_count
from proxy.state.bindable import client_tls
from proxy.state.identity_keys import Keys, keys_from
from proxy.state.live import Configuration, unpack, with_effects
from proxy.state.user_sample import Recent
from proxy.storage import fleet_of, store_of
from proxy.telemetry import events
from proxy.telemetry.aggregation import Exemplars, Key, Values, Worker
from proxy.telemetry.structured_log import events_through_structlog
from rules.model import Snapshot

FRESH_WITHIN = 0.2
"""Seconds that a scrape waits for workers; a slower one shows what it last reported."""
FIRST_AGREEMENT_WITHIN = 1.0
"""Seconds that the admin port waits for the store to say which sessions were revoked; until then none is believed."""


def main(arguments: list[str]) -> int:
    """Run control over the lifeline named by `arguments`; the admin port's socket follows over it."""
    lifeline, *given = arguments
    return run(lambda: _main(int(lifeline), given))


async def _main(lifeline_fd: int, given: list[str]) -> int:
    lifeline = Lifeline(lifeline_fd)
    beginning = await lifeline.beginning(given)
    if beginning is None:
        return EXIT_YES
    begin, listener = beginning
    return await Control(lifeline, listener, begin).run()


class Control:
    """Everything the control process consists of.

    `_draining` changes once, `_reported_reasons` with each new readiness, `_hopeless` once: to the task that cannot go
    on.
    """

    def __init__(self, lifeline: Lifeline, listener: socket.socket, begin: messages.Begin) -> None:
        self._lifeline = lifeline
        self._listener = listener
        self._begin = begin
        self._emit = events_through_structlog("control")
        kept = unpack(begin.payload)
        configuration = with_effects(kept, begin.effects)
        self._keys = keys_from(os.environ, begin.settings.base_dir, kept.sticky_key, kept.jwt_key)
        self._windows = RouteWindows(configuration.snapshot, configuration.number)
        self._recent = Recent(configuration.sticky_key, _route_names(configuration.snapshot))
        self._workers = Workers(
            Prepare(kept.number, begin.payload),
            self._take_outcomes,
            self._emit,
            self._take_users,
            expected=worker_count(begin.settings.workers),
        )
        if begin.effects:
            self._workers.remember(messages.Effects(configuration.number, begin.effects))
        self._backend_states = BackendStates()
        self._workers.subscribe(self._backend_states.record)
        self.decisions = DecisionStreams(self._workers)
        self._reloader = Reloader(
            begin.settings,
            current(configuration, kept.number),
            self._workers,
            keep=self._keep,
            keep_effects=self._keep_effects,
            changed=self._changed,
            told=self._reloaded,
            emit=self._emit,
        )
        self._confirmation = Confirmation(self._workers, self._replace, self._emit)
        self._effective = Effective(self._workers, self._reloader.current)
        store = store_of(begin.settings.store, begin.settings.base_dir, configuration.overrides)
        fleet = fleet_of(begin.settings.store)
        self._comparison = ComparisonService(
            configuration,
            self._windows.spans(),
            begin.settings,
            self._workers,
            on_violation=self._violated,
            emit=self._emit,
            fleet=fleet,
        )
        name = f"{socket.gethostname()} {begin.addresses[1]}"
        self._instances = Membership(fleet, name, self._describe)
        front_door = FrontDoorProbe(begin.addresses[0], tls=begin.settings.tls)
        self._rollouts = RolloutController(
            self._reloader,
            self._workers,
            self._windows,
            self._comparison,
            store,
            self._emit,
            front_door,
            fleet=fleet,
            name=name,
            leads=self._instances.leads,
        )
        self._verifying = DataVerifying(
            begin.settings.base_dir, self._emit, self._data_violated, leads=self._instances.leads
        )
        self._rollouts.route_actions.withheld = self._verifying.withheld
        self._rules = rules_digest(configuration.snapshot)
        self._history_sampling = HistorySampler(self.current, self._comparison.totals)
        self._retirements = Retirements(self.current, self._windows, self._comparison.open_groups, store)
        self._begun = configuration
        access = Access(configuration.snapshot.admin, parse_address(begin.addresses[1]))
        self._revocations = Revocations(store, access.sessions, forgets=begin.settings.store == "memory")
        self._admin = AdminPort(self, access, self._emit)
        self._endless = EndlessTasks(self._emit, self._give_up)
        self._hopeless = ""
        self._draining = False
        self._reported_reasons: tuple[str, ...] | None = None
        self._tasks = Tasks(self._ended)

    async def run(self) -> int:
        """Operate until the order to leave; returns the exit code."""
        self._tasks.start(beat(self._lifeline.channel), "heart-beat")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._lifeline.put, messages.Leave())
        folder = self._begin.settings.base_dir
        tls = self._begun.snapshot.admin.tls
        with suppress(TimeoutError):
            await asyncio.wait_for(self._revocations.agree(), FIRST_AGREEMENT_WITHIN)
        await self._admin.start(self._listener, None if tls is None else client_tls(tls, folder))
        start = self._endless.start
        self._rollouts.begin(start)
        self._verifying.apply_snapshot(self.current().configuration.snapshot)
        start(self._verifying.run, "data")
        start(self._confirmation.run, "confirmation")
        start(self._instances.run, "instances")
        start(self._comparison.run, "comparing")
        start(self._comparison.shared_differences.run, "differences-everywhere")
        start(self._history_sampling.run, "history")
        start(self._retirements.run, "retiring")
        start(self._revocations.run, "sessions")
        start(lambda: watch(folder, self._look), "watch")
        start(lambda: look_slowly(self._look), "watch-slowly")
        # the file may have changed before the watch began
        self._tasks.start(self._look(), "first-look")
        await self._follow_supervisor()
        await self._leave()
        return EXIT_NO if self._hopeless else EXIT_YES

    # ── what the admin port needs ───────────────────────────────────────────────────────────────────

    def current(self) -> Current:
        """Return the present moment."""
        return self._reloader.current

    def unready(self) -> tuple[str, ...]:
        """Return why the proxy is not ready, empty when it is."""
        reasons = ["draining"] if self._draining else []
        states = self._workers.census.workers
        if not states:
            reasons.append("the workers are not known yet")
        reasons += [f"worker {state.slot} does not accept" for state in states if not state.accepting]
        return tuple(reasons)

    def identity_keys(self) -> Keys:
        """Return what workers verify identities with."""
        return self._keys

    def unconfirmed(self) -> tuple[int, ...]:
        """Return the slots of workers that have not confirmed what they are to run."""
        return self._confirmation.missing

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""
        backends = await self.backends()
        document = status(
            self.current(),
            self._windows,
            self._instances.documents(),
            standing=self._standing,
            effective=self._effective.weight,
            workers=worker_documents(self._workers),
            data=self._verifying.summary(),
        )
        return {**document, "backends": backends}

    async def backends(self) -> list[dict[str, Any]]:
        """Return every backend with its targets, fresh."""
        await self._workers.refresh(FRESH_WITHIN)
        self._backend_states.keep_only(self._workers.living())
        return self._backend_states.documents(self.current().configuration.snapshot.backends)

    async def numbers(self) -> dict[Key, Values]:
        """Return every metric series, fresh."""
        await self._workers.refresh(FRESH_WITHIN)
        self._backend_states.keep_only(self._workers.living())
        targets = self._backend_states.series(self.current().configuration.snapshot.backends)
        own = {
            **self._rollouts.series(),
            **dict(self._comparison.series()),
            **self._endless.series(),
            **dict(targets),
            **self._verifying.series(),
        }
        return numbers(
            self.current(),
            self._workers.totals,
            self._workers.census,
            own,
            effective=self._effective.weight,
            missing=self._confirmation.missing,
        )

    @property
    def exemplars(self) -> Exemplars:
        """Return recent requests behind the histograms."""
        return self._workers.exemplars

    @property
    def route_actions(self) -> RouteActions:
        """Return what changes routes."""
        return self._rollouts.route_actions

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""
        document = await self.status()
        used = await asyncio.to_thread(resources, self.current().configuration.snapshot.backends)
        return report(document, self.history, self._comparison.totals, used, time())

    def data(self) -> dict[str, Any]:
        """Return the results of verifying both databases."""
        return self._verifying.document()

    @property
    def history(self) -> History:
        """Return the history of every route over the last day."""
        return self._history_sampling.history

    @property
    def audit_log(self) -> AuditLog:
        """Return the audit log."""
        return self._rollouts.audit_log

    @property
    def drills(self) -> Drills:
        """Return what runs drills."""
        return self._rollouts.drills

    @property
    def differences(self) -> Differences:
        """Return the stored differences."""
        return self._comparison.differences

    async def rejudge(self, route: str) -> dict[str, Any]:
        """Judge the stored pairs of `route` (empty: of all) again under the current file."""
        return await self._comparison.differences.rejudge(route)

    async def revoke_sessions(self, name: str, who: str, reason: str) -> bool:
        """End every session of the console, of `name` where it is not empty; whether the store has it already."""
        kept = await self._revocations.revoke(name)
        self.audit_log.record(REVOKED, "", who, f"of {name}: {reason}" if name else reason)
        return kept

    async def reload(self, who: str) -> Outcome:
        """Read the file again; return the outcome."""
        channel = self._lifeline.channel
        channel.send(messages.Rereading(done=False, ok=False, detail=""))
        outcome = await self._reloader.reload(who)
        detail = "ready" if outcome.ok else "the file is refused, the old configuration stays"
        channel.send(messages.Rereading(done=True, ok=outcome.ok, detail=detail))
        return outcome

    async def plan(self, text: str, *, variables: bool) -> dict[str, Any]:
        """Return what `text`, as the file, would change; ConfigError with every problem of it."""
        await self._workers.refresh(FRESH_WITHIN)
        seen, everybody = self._recent.samples(monotonic())
        return await asyncio.to_thread(
            planned, self._begin.settings, self.current(), text, seen, everybody, variables=variables
        )

    # ── messages of the supervisor ─────────────────────────────────────────────────────────────────────────

    async def _follow_supervisor(self) -> None:
        while True:
            message, descriptors = await self._lifeline.next()
            match message:
                case messages.Attach():
                    worker = message.slot, message.incarnation
                    self._workers.attach(worker, socket.socket(fileno=descriptors[0]))
                case messages.Census():
                    self._workers.take_census(message)
                case messages.Reread():
                    self._tasks.start(self.reload(message.who), "reload-by-signal")
                case messages.Drain():
                    self._draining = True
                    if message.handover:
                        # the new program's control serves here now: a request to this one would have no effect
                        self.decisions.close()
                        await self._admin.stop()
                case messages.Leave():
                    return
                case _:
                    pass
            self._emit_readiness()

    def _emit_readiness(self) -> None:
        reasons = self.unready()
        if reasons != self._reported_reasons:
            self._reported_reasons = reasons
            self._lifeline.channel.send(messages.Readiness(not reasons, reasons))

    # ── reloading ──────────────────────────────────────────────────────────────────────────────────────

    async def _look(self) -> None:
        await settled(Path(self._begin.settings.config))
        await self._reloader.reload("file", only_if_changed=True)

    def _keep(self, configuration: Configuration, payload: bytes) -> None:
        drain = configuration.snapshot.listen.drain
        self._lifeline.channel.send(messages.Keep(configuration.number, drain, payload))

    def _violated(self, seen: ViolationSeen) -> None:
        self._rollouts.violated(seen.route, seen.invariant, seen.on_violation, seen.detail, seen.pair)

    def _data_violated(self, routes: tuple[str, ...], check: str, evidence: str) -> None:
        known = {route.name for route in self.current().configuration.snapshot.routes}
        found = [route for route in routes if route in known]
        self._rollouts.route_actions.roll_back_now(
            found, data_verifying.WHO, check, evidence, cause=data_verifying.REASON
        )

    def _reloaded(self, who: str, outcome: Outcome) -> None:
        self._rollouts.reloaded(who, outcome)

    def _keep_effects(self, number: int, payload: bytes) -> None:
        self._lifeline.channel.send(messages.KeepEffects(number, payload))

    def _replace(self, worker: Worker) -> None:
        self._lifeline.channel.send(messages.Replace(*worker))

    def _changed(self, before: Current, now: Current) -> None:
        self._effective.changed(now)
        snapshot = now.configuration.snapshot
        self._history_sampling.changed()
        self._retirements.look()
        if snapshot is before.configuration.snapshot:
            return
        self._rules = rules_digest(snapshot)
        restarted = self._windows.apply_snapshot(snapshot, now.configuration.number)
        self._comparison.apply_configuration(now.configuration, self._windows.spans())
        self._rollouts.apply_configuration(before, now, restarted)
        self._recent.apply_routes(_route_names(snapshot))
        self._verifying.apply_snapshot(snapshot)

    def _describe(self) -> dict[str, Any]:
        following = self._rollouts.following
        return {
            **instance(self.current(), self._workers, self.unready()),
            "rules": self._rules,
            "revision": following.version.number,
            "lag": following.lag,
        }

    def _standing(self, route: str) -> dict[str, Any]:
        own = {"retirement": self._retirements.document(route)}
        return {**self._comparison.standing(route), **self._rollouts.standing(route), **own}

    def _take_outcomes(self, outcomes: messages.Outcomes) -> None:
        self._windows.record_outcomes(outcomes)
        self._history_sampling.history.record_outcomes(outcomes)
        self._rollouts.record_outcomes(outcomes)
        self._comparison.record_outcomes(outcomes)

    def _take_users(self, users: messages.Users) -> None:
        self._recent.merge_users(users, monotonic())

    # ── stopping ────────────────────────────────────────────────────────────────────────────────────────

    async def _leave(self) -> None:
        await self._endless.close()
        await self._tasks.close()
        await self._rollouts.close()
        await self._instances.leave()
        self._comparison.close()
        self._verifying.close()
        self.decisions.close()
        await self._admin.stop()
        self._workers.close()
        self._emit.close()

    def _give_up(self, task: str) -> None:
        self._hopeless = task
        self._lifeline.put(messages.Leave())

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._emit(events.UNEXPECTED, "error", where=task.get_name(), error=repr(error))


def _route_names(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(route.name for route in snapshot.routes)
