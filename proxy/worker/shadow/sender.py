"""Sends copies over their own pools, as far as backends can spare it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import time
from typing import Final

from proxy.http1 import RequestHead
from proxy.state.mirror_outcomes import ANSWERED, FAILURES
from proxy.telemetry.spans import Leg
from proxy.worker.connection_pool import Pool, Spawn
from proxy.worker.context import ServerContext
from proxy.worker.resolver import Resolver
from proxy.worker.shadow.request_copy import LiveRequest, RequestCopy, probe_for, question, same_request
from proxy.worker.shadow.response_copy import Budget, ResponseCopy
from proxy.worker.shadow.route_state import FAILURES as FAILED_IN_A_ROW
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.shadow_call import Confirmed, DryRunCall, ShadowCall
from rules.model import LEGACY, MODERN, SAFE_METHODS, Backend
from rules.routing.mirroring import meant_method

# Keeps the connections that copies travel on: never those of live requests, never more than the backend can spare.


CONNECTIONS: Final = 256
"""Connections that copies may use of a backend without a limit of its own."""
READS: Final = "reads"
WRITES: Final = "writes"
"""Copies of writes have connections of their own: each is asked first whether it keeps them without effects."""


def busy(pool: Pool) -> int:
    """Connections of a pool that have a call, or are being made for one."""
    count = 0
    for target in pool.targets:
        count += target.busy + target.opening
    return count


class ShadowPools:
    """One pool for each backend that copies go to, made when first wanted, retired with its backend."""

    def __init__(self, *, clock: Callable[[], float], spawn: Spawn, base: Path, resolver: Resolver) -> None:
        self._clock = clock
        self._resolver = resolver
        self._spawn = spawn
        self._base = base
        self._pools: dict[tuple[str, str], Pool] = {}
        self._made: dict[tuple[str, str], tuple[Backend, Pool]] = {}

    def pool(self, backend: Backend, use: str) -> Pool:
        """The pool for copies of reads, or of writes, to `backend`."""
        key = backend.name, use
        made = self._made.get(key)
        if made is not None and made[0] is backend:
            return made[1]
        self._prepare(key, backend)
        self._made[key] = backend, self._pools[key]
        return self._pools[key]

    def _prepare(self, key: tuple[str, str], backend: Backend) -> None:
        wanted = replace(backend, health=None, max_connections=backend.max_connections or CONNECTIONS)
        pool = self._pools.get(key)
        if pool is not None and pool.backend == wanted:
            return
        if pool is not None:
            pool.retire()
        self._pools[key] = Pool(wanted, clock=self._clock, spawn=self._spawn, base=self._base, resolver=self._resolver)

    @property
    def size(self) -> int:
        """Connections of all pools."""
        return sum(pool.size() for pool in self._pools.values())

    def can_spare(self, live: Pool, own: Pool) -> bool:
        """Whether a backend has little enough to do for a copy: live requests use less than half of it."""
        limit = own.backend.max_connections
        if len(live.targets) == len(own.targets) == 1:  # as a rule; without going through lists of one
            target, copies = live.targets[0], own.targets[0]
            asked = target.busy + target.opening
            return asked * 2 < limit and asked + copies.busy + copies.opening < limit
        asked = busy(live)
        return asked * 2 < limit and asked + busy(own) < limit

    def keep(self, backends: Iterable[Backend]) -> None:
        """Retire the pools of backends that are gone."""
        names = {backend.name for backend in backends}
        for key in [key for key in self._pools if key[0] not in names]:
            self._pools.pop(key).retire()
            del self._made[key]

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long."""
        for pool in self._pools.values():
            pool.sweep(now)

    def retire(self) -> None:
        """Close everything as it becomes idle."""
        for pool in self._pools.values():
            pool.retire()


# Records a copy that is over as a leg of its request's trace.


_TRACE: Final = b"\r\ntraceparent: "
_PARENT_AT: Final = len("00-") + 32 + len("-")


def leg_of(route: str, origin: LiveRequest, call: ShadowCall) -> Leg | None:
    """What became of `call`, under the id that its backend got as its parent; None where nothing was asked."""
    attempt, data = call.attempt(), call.request_copy.data
    found = data.find(_TRACE)
    if attempt is None or found < 0:
        return None
    begin = found + len(_TRACE) + _PARENT_AT
    head, now = origin.head, time()
    return Leg(
        route=route,
        method=head.method,
        request_id=origin.request_id,
        traceparent=head.traceparent,
        parent=origin.span,
        span=data[begin : begin + 16].decode("latin-1"),
        attempt=attempt,
        began=now - call.seconds,
        ended=now,
    )


Ended = Callable[[ShadowCall], None]


class ShadowSender:
    """Every copy that is under way, by side in `in_flight`; backends whose writes are no longer copied.

    `trace` is called with copies that are over, where traces are recorded.
    """

    def __init__(
        self,
        server: ServerContext,
        budget: Budget,
        pools: ShadowPools,
        told: Callable[[str, str], None],
        thinned: Callable[[str, str, str], None],
    ) -> None:
        self.in_flight = {LEGACY: 0, MODERN: 0}
        self.trace: Callable[[Leg], None] | None = None
        self._server = server
        self._budget = budget
        self._pools = pools
        self._told = told
        self._thinned = thinned
        self._calls: set[ShadowCall] = set()
        self._confirmed = Confirmed()
        self._unconfirmed: dict[str, str] = {}

    @property
    def connections(self) -> int:
        """Connections that copies use, or may use again."""
        return self._pools.size

    def apply_backends(self, backends: Iterable[Backend]) -> None:
        """Know these backends; after a reload each may confirm its dry runs anew."""
        self._pools.keep(backends)
        self._unconfirmed.clear()

    def obstacle(self, route: ShadowRoute, side: str) -> str:
        """Why `side` is not asked now: `unhealthy`, `failing`, `busy`; empty where it is."""
        server, name = self._server, route.targets[side].name
        now = server.clock()
        own = route.reads.get(side)
        if own is None or own.retired:
            own = self._reads(route, side)
        if name in server.unhealthy or not own.available():
            return "unhealthy"
        breaker = route.breakers[side]
        if breaker.failed and breaker.is_open(now):
            return "failing"
        live = server.bound.pools.get(name)
        return "busy" if live is not None and not self._pools.can_spare(live, own) else ""

    def are_writes_off(self, route: ShadowRoute) -> bool:
        """Whether the backend that copies of writes go to did not confirm that it keeps them without effects."""
        return route.targets[MODERN].name in self._unconfirmed

    def refusal(self, route: ShadowRoute, head: RequestHead, body: bytes) -> str:
        """Why a write is not copied now that its body is known; empty where it is."""
        if head.method in SAFE_METHODS:
            return ""
        if self.are_writes_off(route):
            return "writes_off"
        meant = meant_method(head.method, head.target, body)
        return "override" if route.mirror is not None and meant not in route.mirror.methods else ""

    def send(
        self, route: ShadowRoute, origin: LiveRequest, side: str, body: bytes, ended: Ended, *, share: bool = False
    ) -> ShadowCall:
        """Put a copy to `side`; raises TranslationError. Without `share`, legacy gets no session's cookies."""
        asked = question(origin, side, body, strip=route.sessions if side == LEGACY and not share else None)
        if origin.head.method in SAFE_METHODS:
            return self._read(route, origin, asked, ended)
        policy, backend = route.policy, route.targets[side]
        recorder = ResponseCopy(policy.max_body, self._budget)
        pool = self._pools.pool(backend, WRITES)
        finish = partial(self._ended, route, origin, ended)
        clock = self._server.clock
        if policy.writes == "dry_run":
            off = partial(self._switch_off, backend.name)
            dry_run = DryRunCall(
                asked, pool, recorder, clock, policy.timeout, finish,
                probe=probe_for(asked), confirmed=self._confirmed, unconfirmed=off,
            )  # fmt: skip
            return self._start(route, side, dry_run)
        return self._start(route, side, ShadowCall(asked, pool, recorder, clock, policy.timeout, finish))

    def send_as_live(
        self, route: ShadowRoute, origin: LiveRequest, side: str, live: bytes, ended: Ended
    ) -> ShadowCall | None:
        """Put a copy that has the live request's bytes, as most have but for the marks; None where it has others."""
        asked = same_request(origin, side, live)
        return self._read(route, origin, asked, ended) if asked is not None else None

    def _read(self, route: ShadowRoute, origin: LiveRequest, asked: RequestCopy, ended: Ended) -> ShadowCall:
        side, policy = asked.side, route.policy
        pool = route.reads.get(side)
        if pool is None or pool.retired:
            pool = self._reads(route, side)
        recorder = ResponseCopy(policy.max_body, self._budget)
        finish = partial(self._ended, route, origin, ended)
        return self._start(route, side, ShadowCall(asked, pool, recorder, self._server.clock, policy.timeout, finish))

    def _reads(self, route: ShadowRoute, side: str) -> Pool:
        """The pool for copies of the route's reads; a reload may have retired the one that it used last."""
        pool = route.reads[side] = self._pools.pool(route.targets[side], READS)
        return pool

    def _start(self, route: ShadowRoute, side: str, call: ShadowCall) -> ShadowCall:
        breaker = route.breakers[side]
        if breaker.failed:
            breaker.tried(self._server.clock())
        self._calls.add(call)
        self.in_flight[side] += 1
        call.start()
        return call

    def _ended(self, route: ShadowRoute, origin: LiveRequest, ended: Ended, call: ShadowCall) -> None:
        side = call.request_copy.side
        self._calls.discard(call)
        self.in_flight[side] -= 1
        breaker = route.breakers[side]
        # a side that answers 5xx may be overloaded by the copies themselves
        if call.kind in FAILURES or call.response_copy.status >= 500:  # noqa: PLR2004 - HTTP
            breaker.note(failed=True, now=self._server.clock())
            if breaker.failed == FAILED_IN_A_ROW:
                self._thinned(route.route.name, side, call.kind or "status")
        elif breaker.failed and call.kind in ANSWERED:
            breaker.note(failed=False, now=self._server.clock())
        if origin.span and self.trace is not None:
            self._trace(route.route.name, origin, call)
        ended(call)

    def _trace(self, route: str, origin: LiveRequest, call: ShadowCall) -> None:
        leg = leg_of(route, origin, call)
        if leg is not None and self.trace is not None:
            self.trace(leg)

    def _switch_off(self, backend: str, reason: str) -> None:
        if backend not in self._unconfirmed:
            self._unconfirmed[backend] = reason
            self._told(backend, reason)

    def sweep(self, now: float) -> None:
        """End what has taken too long."""
        for call in [call for call in self._calls if 0.0 < call.deadline <= now]:
            call.expired()
        self._pools.sweep(now)

    def leave(self) -> None:
        """End everything."""
        for call in tuple(self._calls):
            call.give_up("over")
        self._pools.retire()
