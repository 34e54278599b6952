"""Decides whether a request is mirrored.

Everything here is shed first: a copy has its own connections, its own limits; where the worker, the backend or the
memory has enough to do, there is none, and that is counted with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import random
from time import time
from typing import Final

from proxy.ipc.messages import Message
from proxy.state.mirror_outcomes import NOT_COMPARED, NOT_SAMPLED
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import NOT_ELIGIBLE
from proxy.telemetry.records import Shadowed, make
from proxy.worker.bindings import Bindings
from proxy.worker.connection_pool import Spawn
from proxy.worker.context import ServerContext
from proxy.worker.request_state import RequestObserver, RequestState
from proxy.worker.resolver import Resolver
from proxy.worker.shadow.live_response import LiveResponse
from proxy.worker.shadow.mirrored_request import MirroredRequest
from proxy.worker.shadow.observers import ModernOnlyObserver
from proxy.worker.shadow.rechecks import Rechecks
from proxy.worker.shadow.request_copy import UNTRANSLATED, LiveRequest, Translations
from proxy.worker.shadow.route_state import NOT_MIRRORED, ShadowRoute
from proxy.worker.shadow.services import ShadowServices
from proxy.worker.shadow.session_cookies import SessionCookies
from proxy.worker.shadow.value_equality import LookBudget
from proxy.worker.transform import translation_of
from rules.model import DEFAULT_ROUTE, MODERN, SAFE_METHODS, Backend, Route, Snapshot, other_side

# Finds the prepared mirroring of a route; prepares it when it is first asked for.


class ShadowRoutes:
    """The routes of one configuration. `any`: whether there is something to watch; `sharing`: sessions are, too.

    `mirrored` are those of which some share is.
    `_known` fills as routes are asked for; None stands for a route without a shadow, without invariants. A route that
    is the same under the next configuration keeps what it has come to.
    """

    def __init__(self, looks: LookBudget) -> None:
        self.any = False
        self.sharing = False
        self.mirrored: frozenset[str] = frozenset()
        self._known: dict[str, ShadowRoute | None] = {}
        self._backends: dict[str, Backend] = {}
        self._looks = looks
        self._identity: tuple[str, ...] = ()
        self._sessions = SessionCookies()

    def apply_bindings(self, bound: Bindings) -> None:
        """Know the routes of another generation."""
        snapshot = bound.generation.snapshot
        self._backends = {backend.name: backend for backend in snapshot.backends}
        if snapshot.identity != self._identity:
            self._identity, self._sessions = snapshot.identity, SessionCookies(snapshot.identity)
            self._known = {}
        self.any = any(route.shadow.sample > 0 or route.invariants for route in snapshot.routes)
        self.sharing = any(route.shadow.sample > 0 and route.shadow.session == "share" for route in snapshot.routes)
        self.mirrored = frozenset(route.name for route in snapshot.routes if route.shadow.sample > 0)
        names = {route.name for route in snapshot.routes}
        self._known = {name: known for name, known in self._known.items() if name in names}

    def of(self, bound: Bindings, route: Route) -> ShadowRoute | None:
        """The mirroring of `route`; None where it has none."""
        name = route.name
        known = self._known.get(name)
        if known is not None and known.route is route:
            return known
        if name == DEFAULT_ROUTE or not (route.shadow.sample > 0 or route.invariants):
            return None
        made = ShadowRoute(route, self._backends, self._translations(bound, route), self._looks, self._sessions)
        if known is not None:
            made.take_over(known)
        self._known[name] = made
        return made

    def _translations(self, bound: Bindings, route: Route) -> Translations:
        """As for live calls; where a backend of its own stands in for modern, with that one's address."""
        legacy, modern = bound.translations.get(route.name) or UNTRANSLATED
        if route.shadow.backend is not None:
            modern = translation_of(route.modern, self._backends[route.shadow.backend])
        return legacy, modern


HELD_BACK: Final = 1.0
"""Seconds without a copy after the event loop was late: the worker has enough to do with its users."""
LIVE_AT_MOST: Final = 60.0
"""Seconds that a live answer may take while its copy's waits for it in memory."""
SWEPT_EVERY: Final = 5.0


class Shadows(ShadowServices):
    """All copies of one worker. Changes: `active`, `mirrored` with the generation; the parts as calls come and go."""

    def __init__(self, server: ServerContext, spawn: Spawn, resolver: Resolver, key: bytes, base: Path) -> None:
        super().__init__(server, spawn, resolver, key, base)
        self.active = False
        self.mirrored: frozenset[str] = frozenset()
        self.rechecks = Rechecks(self)
        self._routes = ShadowRoutes(self.looks)
        self._mirrored: set[MirroredRequest] = set()
        self._shed: dict[tuple[str, int, str, str], int] = {}
        self._snapshot: Snapshot | None = None
        self._swept = 0.0

    def connect(self, send: Callable[[Message], bool], emit: Emit) -> None:
        """Send pairs by `send` (False: it was not taken), events by `emit`; before that both are dropped."""
        self.pairs_out.connect(send, emit)

    def apply_bindings(self, bound: Bindings) -> None:
        """Know the routes of another generation, unless only what was set at run time is another."""
        snapshot = bound.generation.snapshot
        if snapshot is self._snapshot:
            return
        self._snapshot = snapshot
        self._routes.apply_bindings(bound)
        self.active = self._routes.any
        self.mirrored = self._routes.mirrored
        self.sender.apply_backends(snapshot.backends)

    # ── a call begins ──────────────────────────────────────────────────────────────────────────────────

    def begin(self, call: RequestState) -> RequestObserver | None:
        """Return what observes `call`, None where nothing has to."""
        try:
            route = self._routes.of(call.bound, call.decision.route)
            request_observer = self._mirror(route, call) if route is not None else None
            sharing = self._routes.sharing
            read = (
                type(request_observer) is MirroredRequest and call.head.method in SAFE_METHODS
            )  # it would not be mirrored else
            if read and not sharing:
                return request_observer
            return self.conflict_tracker.noting(call, request_observer, sharing=sharing, known_read=read)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's call goes on
            self.mishap(error)
            return None

    def _mirror(self, route: ShadowRoute, call: RequestState) -> RequestObserver | None:
        now = self.clock()
        ineligible = route.ineligible(call.head, call.decision)
        if ineligible:
            if ineligible != NOT_MIRRORED:
                self._server.counted[NOT_ELIGIBLE, (route.route.name, ineligible)] += 1
        else:
            side = other_side(call.decision.side)
            reason = self._obstacle(route, call, side, now)
            if not reason:
                mirrored = MirroredRequest(self, route, call, _origin(route, call), now, self._mirrored)
                self._mirrored.add(mirrored)
                route.in_flight += 1
                route.floor.took(now)
                return mirrored
            self._note_shed((route.route.name, call.bound.generation.number, side, reason))
        if route.has_invariants and call.decision.side == MODERN and route.alone.spend(now):
            origin = _origin(route, call)
            live = LiveResponse(MODERN, route.policy.max_body, self.budget)
            return ModernOnlyObserver(
                call, live, partial(self._alone, origin, call.bound.generation.number), self.mishap
            )
        return None

    def _note_shed(self, key: tuple[str, int, str, str]) -> None:
        """Count a request without a copy; a busy worker makes one record of all of a turn."""
        shed = self._shed
        shed[key] = shed.get(key, 0) + 1
        if len(shed) == 1 and shed[key] == 1:
            self.observe.do_soon(self._tell_shed)

    def _tell_shed(self) -> None:
        shed, self._shed = self._shed, {}
        for (route, number, side, reason), times in shed.items():
            self.observe.emit(Shadowed(route, number, side, NOT_COMPARED, reason, (), None, times=times))

    def _obstacle(self, route: ShadowRoute, call: RequestState, side: str, now: float) -> str:  # noqa: PLR0911 - one a line
        """Why an eligible request is not mirrored now, empty where it is."""
        policy = route.policy
        if route.suspended:
            return "suspended"
        if policy.sample < 1.0 and route.mirror is not None and not route.floor.wants(now):
            user = call.decision.user or self.user(call.head, call.peer.trusted)
            if not route.mirror.sampled(user, random()):  # noqa: S311 - a share, not a secret
                return NOT_SAMPLED
        if now < self.held_back or self.next_turn.is_behind:
            return "load"
        if 0 < policy.max_in_flight <= route.in_flight:
            return "capacity"
        if self.budget.held * 2 > self.budget.at_most:
            return "memory"
        if call.head.method not in SAFE_METHODS and self.sender.are_writes_off(route):
            return "writes_off"
        return self.sender.obstacle(route, side)

    def _alone(self, origin: LiveRequest, generation: int, live: LiveResponse) -> None:
        self.pairs_out.send_alone(origin, generation, self.user(origin.head, origin.peer.trusted), live)

    # ── following the clock ────────────────────────────────────────────────────────────────────────────

    def hold_back(self) -> None:
        """The event loop was late: users first."""
        self.held_back = self.clock() + HELD_BACK

    def sweep(self, now: float) -> None:
        """End what has taken too long."""
        self.sender.sweep(now)
        if now - self._swept < SWEPT_EVERY:
            return
        self._swept = now
        for mirrored in [each for each in self._mirrored if now - each.started > LIVE_AT_MOST]:
            mirrored.expire()
        self.conflict_tracker.sweep(now)
        self.sent.sweep(now)

    def leave(self) -> None:
        """End everything: the worker goes."""
        self.active = False
        for mirrored in tuple(self._mirrored):
            mirrored.expire("shed")
        self.sender.leave()


def _origin(route: ShadowRoute, call: RequestState) -> LiveRequest:
    known = (call.head, call.peer, call.decision, route.translations, call.request_id, time(), call.span)
    return make(LiveRequest, known)
