"""Each second: evaluate, decide, act.

1. evaluate: windows, sequential tests and pairs become evidence, evidence a verdict
2. decide: the verdict and the route's stage become an action
3. act: roll back at once, everything else in its own time; emit once what only an operator can decide
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from time import monotonic, time
from typing import Any, Final

import orjson

from proxy.control.audit_log import AuditLog
from proxy.control.errors import RefusedError
from proxy.control.fleet.window_exchange import WindowExchange
from proxy.control.reload import Current
from proxy.control.route_actions import RouteActions, UnconfirmedError
from proxy.control.route_evidence import EvidenceCollector, Judged, RouteWindows, since
from proxy.ipc.child_process import Tasks
from proxy.ipc.messages import Trip
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.guard.analysis import judge
from rules.guard.evidence import BAD, Verdict
from rules.guard.rollout import Readiness, RolloutAction, Volume, concerns, next_move, readiness, slow_copies
from rules.guard.window import ComparedTally, added
from rules.model import LEGACY, MODERN, Override, Route

# Evaluates how each route behaves: the verdict, its readiness, the volume of its present step.
#
# It only evaluates; the guard acts on the result.


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """One evaluation of a route; `readiness` is None where nothing is mirrored.

    `others` are the other instances whose traffic the verdict includes; none where ours alone decides.
    """

    verdict: Verdict
    readiness: Readiness | None
    volume: Volume
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the totals of a route were when its present step began."""

    step_since: float
    requests: int
    compared: int


class HealthWatch:
    """All routes that have a guard.

    `_steps` holds the totals at the start of each step, `_restarts` those of each window.
    Our own traffic is judged alone, and `together` with that of the other instances: a fault of one host must not
    be hidden by ten healthy ones, nor a fault of all of them by the little that each sees.
    """

    def __init__(
        self,
        windows: RouteWindows,
        collected: EvidenceCollector,
        judged: Judged,
        together: WindowExchange | None = None,
    ) -> None:
        self.evidence = collected
        self._windows = windows
        self._judged = judged
        self._window_exchange = together
        self._steps: dict[str, _Mark] = {}
        self._restarts: dict[str, ComparedTally] = {}

    def restart(self, route: str, number: int) -> None:
        """Restart a route: what was decided before generation `number` does not count any more."""
        self._windows.restart(route, number)
        self.evidence.restart(route)
        self._judged.restart(route, number)
        if self._window_exchange is not None:
            self._window_exchange.restart(route, number)
        self._restarts[route] = self._totals(route)

    def look(self, route: Route, override: Override | None, now: float, at: float, trip: str = "") -> RouteHealth:
        """Evaluate a route that has a guard; `now` is monotonic, `at` epoch seconds."""
        assert route.guard is not None  # noqa: S101 - the caller's promise
        name = route.name
        compared, violations = self._judged.counts(name), self._judged.violations(name)
        evidence = self.evidence.evidence(name, int(now), compared, violations, trip)
        verdict = judge(route.guard, evidence, at)
        others = (
            self._window_exchange.others(name) if self._window_exchange is not None and verdict.outcome != BAD else ()
        )
        if self._window_exchange is not None and others:
            whole = self._window_exchange.merged.evidence(name, int(now), compared, violations)
            verdict = judge(route.guard, whole, at)
        return RouteHealth(verdict, self._readiness(route, int(now)), self._volume(name, override), others)

    def _readiness(self, route: Route, now: int) -> Readiness | None:
        if route.shadow.sample <= 0 or route.guard is None:
            return None
        whole = since(self._totals(route.name), self._restarts.get(route.name, ComparedTally()))
        return readiness(
            whole,
            route.guard.mismatch_rate,
            open_groups=self._judged.open_groups(route.name),
            never_compared=self._judged.never_compared(route.name),
            slow=slow_copies(
                route.guard,
                self._windows.copies(route.name, MODERN, now),
                self._windows.lately(route.name, LEGACY, now),
            ),
        )

    def _volume(self, name: str, override: Override | None) -> Volume:
        windows = self._windows if self._window_exchange is None else self._window_exchange.merged.windows
        requests = windows.totals(name, MODERN).requests
        compared = self._totals(name).compared
        began = override.step_since if override is not None else 0.0
        mark = self._steps.get(name)
        if mark is None or mark.step_since != began:
            # after a restart of control it counts from here: a step then only takes longer
            mark = self._steps[name] = _Mark(began, requests, compared)
        return Volume(requests - mark.requests, compared - mark.compared)

    def _totals(self, name: str) -> ComparedTally:
        """Return the results of all mirrored requests, those of other instances included."""
        own = self._judged.totals(name)
        return own if self._window_exchange is None else added(own, self._window_exchange.merged.totals(name))


# Decides which instance acts on what all instances see together: the leader.
#
# All judge the same traffic, so all get the same verdict; one rollback is enough. The others act as
# well when the leader does not in time: it may hang. Two that act at once do no harm, one of them is written
# first.


LEADER_ACTS_WITHIN: Final = 3.0
"""Seconds that the leader has: its own evaluation, and the way through the store."""
_BACK: Final = ("roll_back", "step_back")


class LeaderTurn:
    """Every route. `_since` is when the pending action was first seen, monotonic; changed by every method."""

    def __init__(self, leads: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._leads = leads
        self._clock = clock
        self._since: dict[str, float] = {}

    def keep(self, routes: Collection[str]) -> None:
        """Drop all other routes."""
        self._since = {name: at for name, at in self._since.items() if name in routes}

    def is_another_s(self, route: str, seen: RouteHealth, move: RolloutAction) -> bool:
        """Whether `move` is left to the leader. What our own traffic shows never is."""
        if not seen.others or self._leads():
            self._since.pop(route, None)
            return False
        if move.kind not in _BACK and not move.latch:
            self._since.pop(route, None)
            return True
        now = self._clock()
        return now - self._since.setdefault(route, now) < LEADER_ACTS_WITHIN


EVERY = 1.0
AT_ONCE = 50
"""Routes that are judged before other tasks of the loop run."""
TOLD_AGAIN = 600.0
"""Seconds after which the same event is emitted again."""
WHO = "guard"


class Guard:
    """All routes that have a guard.

    `seen` and `moves` are of the latest evaluation, `_emitted` the time of each emitted event.
    """

    def __init__(
        self,
        current: Callable[[], Current],
        watching: HealthWatch,
        verbs: RouteActions,
        audit_log: AuditLog,
        emit: Emit,
        *,
        writes: Callable[[Route], dict[str, Any]] = lambda _: {},
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = time,
    ) -> None:
        self._current = current
        self._health = watching
        self._route_actions = verbs
        self._audit_log = audit_log
        self._emit = emit
        self._writes = writes
        self._leads = leads
        self._clock = clock
        self._wall = wall
        self.seen: dict[str, RouteHealth] = {}
        self.moves: dict[str, RolloutAction] = {}
        self._emitted: dict[str, tuple[str, str, float]] = {}
        self._turns = LeaderTurn(leads, clock)
        self._busy: set[str] = set()
        self._tasks = Tasks()

    async def run(self) -> None:
        """Evaluate all routes each second, for ever."""
        while True:
            await self.tick()
            await asyncio.sleep(EVERY)

    async def tick(self) -> None:
        """Evaluate all routes once."""
        routes = self._current().configuration.snapshot.routes
        known = {route.name for route in routes if route.guard is not None}
        for table in (self.seen, self.moves, self._emitted):
            for gone in table.keys() - known:
                table.pop(gone)
        self._turns.keep(known)
        for number, route in enumerate(route for route in routes if route.guard is not None):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                self._one(route)
            except Exception as error:  # noqa: BLE001 - a fault with one route must not leave the others alone
                self._fault(route.name, error)

    def apply_local_rollback(self, slot: int, trip: Trip) -> None:
        """Handle a local rollback of a worker: apply it to all of them, or have it undone."""
        override = self._route_actions.override(trip.route)
        if override is not None and override.revision > trip.revision:
            return  # an override set since has precedence; the worker has it or will get it
        compiled = self._current().generation.table.compiled_route_of(trip.route)
        if compiled is None:
            return
        self._audit_log.record("trip", trip.route, f"worker {slot}", "consecutive", trip.detail, "warning")
        route = compiled.route
        if route.guard is not None:
            self._act(route, override, self._look(route, override, spoken(trip.detail)))
        after = self._route_actions.override(trip.route)
        if trip.acted and (after is None or not after.rolled_back):
            self._route_actions.outvote(trip.route)

    def take_violation(self, name: str) -> None:
        """Handle a violated invariant: evaluate at once."""
        compiled = self._current().generation.table.compiled_route_of(name)
        if compiled is not None and compiled.route.guard is not None:
            self._one(compiled.route)

    async def close(self) -> None:
        """Let go of what is not done yet."""
        await self._tasks.close()

    # ── one route ──────────────────────────────────────────────────────────────────────────────────────

    def _one(self, route: Route) -> None:
        override = self._route_actions.override(route.name)
        if not concerns(route, override):
            self.seen.pop(route.name, None)
            self.moves.pop(route.name, None)
            return
        move = self._look(route, override)
        if route.name not in self._busy and not self._turns.is_another_s(route.name, self.seen[route.name], move):
            self._act(route, override, move)

    def _look(self, route: Route, override: Override | None, trip: str = "") -> RolloutAction:
        now = self._wall()
        seen = self.seen[route.name] = self._health.look(route, override, self._clock(), now, trip)
        move = next_move(route, override, seen.verdict, seen.readiness, now, seen.volume)
        self.moves[route.name] = move
        return move

    def _act(self, route: Route, override: Override | None, move: RolloutAction) -> None:
        name, verbs = route.name, self._route_actions
        match move.kind:
            case "roll_back":
                evidence = self._evidence(route, move)
                verbs.roll_back_now((name,), WHO, move.reason, evidence, cause=move.reason, hold_off=move.hold_off)
                self._afresh(name, move)
            case "step_back":
                back = verbs.step_back(
                    name,
                    WHO,
                    move.reason,
                    self._evidence(route, move),
                    weight=move.weight,
                    step=move.step,
                    hold_off=move.hold_off,
                )
                self._spawn(name, back, move)
            case "advance" if reason := verbs.withheld(name):
                self._alert(route, replace(move, kind="stay", reason="data", detail=reason))
            case "advance" if not self._leads():
                pass  # only the leader lets routes advance; a rollback needs no permission
            case "advance":
                self._spawn(name, verbs.advance(name, WHO, move.reason, self._evidence(route, move)), move)
            case "hold" if move.latch:
                self._spawn(name, verbs.hold(name, WHO, move.reason, self._evidence(route, move)), move)
            case "hold" | "ask":
                if override is None or not override.held:
                    self._alert(route, move)
            case _ if self.seen[name].verdict.outcome == BAD:
                self._alert(route, move)
            case _:
                pass

    def _spawn(self, name: str, work: Coroutine[Any, Any, Override], move: RolloutAction) -> None:
        """Run an action that takes time in a task, one at a time for each route."""

        async def do() -> None:
            try:
                with suppress(UnconfirmedError):  # in effect all the same
                    await work
                self._afresh(name, move)
            except RefusedError as error:
                self._emit(events.ALERT, "warning", route=name, wanted=move.kind, detail=error.detail)
            finally:
                self._busy.discard(name)

        self._busy.add(name)
        self._tasks.start(do(), f"{move.kind} {name}")

    def _afresh(self, name: str, move: RolloutAction) -> None:
        if move.fresh:
            self._health.restart(name, self._current().configuration.number)

    def _alert(self, route: Route, move: RolloutAction) -> None:
        """Emit an event for the operator, once as long as it is the same.

        For a step to approve only once: nothing is wrong.
        """
        now = self._wall()
        kind, reason, at = self._emitted.get(route.name, ("", "", 0.0))
        about = f"{move.reason} {move.step}"
        if (kind, reason) == (move.kind, about) and (move.kind == "ask" or now - at < TOLD_AGAIN):
            return
        self._emitted[route.name] = move.kind, about, now
        self._emit(events.ALERT, "warning", route=route.name, wanted=move.kind, reason=move.reason, detail=move.detail)
        if move.kind != "stay":
            self._audit_log.record("hold", route.name, WHO, move.reason, self._evidence(route, move), "warning")

    def _fault(self, name: str, error: Exception) -> None:
        """Emit a fault of the proxy itself, once as long as it is the same."""
        now = self._wall()
        kind, reason, at = self._emitted.get(name, ("", "", 0.0))
        if (kind, reason) != ("fault", repr(error)) or now - at >= TOLD_AGAIN:
            self._emitted[name] = "fault", repr(error), now
            self._emit(events.UNEXPECTED, "error", where=f"guard of {name}", error=repr(error))

    def _evidence(self, route: Route, move: RolloutAction) -> str:
        seen = self.seen[route.name]
        told: dict[str, Any] = {"detail": move.detail, **verdict_document(seen), **self._writes(route)}
        return orjson.dumps(told).decode()


def spoken(detail: str) -> str:
    """Return a worker's reason for a local rollback (JSON) as a sentence; unchanged where it has another form."""
    try:
        told: Any = orjson.loads(detail)
        failures, seconds, kinds, legacy = (told[name] for name in ("failures", "seconds", "kinds", "legacy"))
        how = ", ".join(f"{kind} x {count}" for kind, count in kinds.items())
        aside = f"legacy failed {legacy['failed']} of {legacy['answers']} meanwhile"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return detail
    return f"{failures} failures in a row within {seconds:g} s ({how}); {aside}"


def verdict_document(seen: RouteHealth) -> dict[str, Any]:
    """Return a verdict as the API shows it."""
    verdict = seen.verdict
    checks = [asdict(check) for check in verdict.checks]
    return {
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "window": verdict.window,
        "instances": 1 + len(seen.others),
        "checks": checks,
    }
