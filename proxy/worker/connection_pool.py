"""Connections to one backend, least requests first.

A target that fails is left out, first for a second, then longer; it comes back by a probe of ours, never by a user's
request. What nothing was sent to costs nothing to leave: the next address, then the next target are tried at once, or
beside one that is silent (RFC 8305).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from random import random
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from proxy.ipc.messages import AddressState, TargetState
from proxy.state.bindable import is_https, upstream_tls
from proxy.worker.pool_growth import NOT_GUARDED, Growth
from proxy.worker.resolver import Name, Resolver, is_address
from proxy.worker.upstream_connection import FOREVER, ConnectionOwner, UpstreamConnection
from rules.model import Backend

WAITING_AT_MOST: Final = 1024
CROWD: Final = 32
"""Requests that wait in the order in which they came; of more, the latest comes first."""
IDLE_AT_MOST: Final = 60.0
"""Seconds an idle connection is kept; most servers close theirs between 5 and 75."""
RISKY_AFTER: Final = 2.0
"""Seconds of idleness after which a request that may not be sent twice gets a fresh connection instead."""
OUT_FOR: Final = 1.0
"""Seconds that a target is left out at first, doubled with each probe that fails."""
OUT_AT_MOST: Final = 30.0
OUT_AFTER: Final = 3
"""Failures in a row after which a target is left out, where no health check says otherwise."""
NEXT_AFTER: Final = 0.25
"""Seconds of silence after which the next address is tried beside (RFC 8305 5)."""
JITTER: Final = 0.1
"""Part of a connection's greatest age that it may be younger or older, so that not all close together."""
SPOTS_AT_MOST: Final = 64
ENDED_AT_A_TIME: Final = 2
"""Slow clients that are ended before others have the loop."""

Spawn = Callable[[Coroutine[Any, Any, None], str], None]


class Waiter(Protocol):
    """What waits for a connection; `made_way` is the pool's mark that a slow client was ended for it."""

    made_way: bool

    @property
    def request_kind(self) -> str:
        """Which requests are like it; empty where that makes no difference."""

    @property
    def wants_connection(self) -> bool:
        """False once it has given up."""

    def connected(self, connection: UpstreamConnection) -> None:
        """Here it is."""

    def retrying(self, reason: str) -> None:
        """Another address or target is tried, because one failed or is silent."""

    def failed(self, kind: str, detail: str) -> None:
        """There will be none."""


class Spot:
    """One address of a target: how often in a row it failed, until when it comes last."""

    __slots__ = ("address", "failures", "last_until")

    def __init__(self, address: str) -> None:
        self.address = address
        self.failures = 0
        self.last_until = 0.0


class Target(ConnectionOwner):
    """One URL of a backend.

    `busy` counts connections with a request, `opening` those being made, `connections` are all there are. `healthy`
    is the result of the health checks; `out` means that it failed too often in a row: it is probed at `probe_at`, then
    left alone for `out_for` longer. `errors` counts what went wrong since the start, `last_error` names the latest.
    `_spots` are its addresses of now and of lately, so that one that comes back is not forgiven by having been away.
    """

    __slots__ = (
        "_pool", "_spots", "busy", "connections", "errors", "failures", "healthy", "host", "idle",
        "last_error", "name", "opening", "out", "out_for", "port", "probe_at", "probing", "tls", "version",
    )  # fmt: skip

    def __init__(self, pool: Pool, url: str, base: Path, resolver: Resolver) -> None:
        self._pool = pool
        self.address = url
        self.idle: list[UpstreamConnection] = []
        self.connections: set[UpstreamConnection] = set()
        self.busy = 0
        self.opening = 0
        self.failures = 0
        self.errors = 0
        self.last_error = ""
        self.healthy = True
        self.out = False
        self.out_for = OUT_FOR
        self.probe_at = 0.0
        self.probing = False
        self.tls = False
        self.port = 0
        self.name: Name | None = None
        self.version = 0
        self._spots: dict[str, Spot] = {}
        if url.startswith("unix:"):
            self.host = str(base / url.removeprefix("unix:").removeprefix("//"))
        else:
            parts = urlsplit(url)
            self.tls = parts.scheme == "https"
            self.host = parts.hostname or ""
            self.port = parts.port or (443 if self.tls else 80)
            if not is_address(self.host):
                self.name = resolver.name(pool.backend.name, self.host, pool.backend.resolve)

    @property
    def backend(self) -> str:
        """The name of its backend."""
        return self._pool.backend.name

    # ── addresses ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses known now, empty before the first look-up."""
        return (self.host,) if self.name is None else self.name.addresses

    def state(self, now: float) -> TargetState:
        """How the target is, for those who look on."""
        known = self.name.missed if self.name is not None else {}
        return TargetState(
            self._pool.backend.name,
            self.address,
            self.healthy,
            self.out,
            round(max(0.0, self.probe_at - now)) if self.out else 0.0,
            self.busy,
            len(self.idle),
            len(self._pool.waiting),
            self.errors,
            self.last_error,
            tuple(
                AddressState(address, self._spot(address).failures, known.get(address, 0)) for address in self.addresses
            )
            if self.port
            else (),
        )

    def spots(self, now: float) -> list[Spot]:
        """The addresses in the order to try them: those that failed lately come last."""
        found = [self._spot(address) for address in self.addresses]
        found.sort(key=lambda spot: spot.last_until > now)
        return found

    def _spot(self, address: str) -> Spot:
        spot = self._spots.get(address)
        if spot is None:
            if len(self._spots) >= SPOTS_AT_MOST:
                del self._spots[next(iter(self._spots))]
            spot = self._spots[address] = Spot(address)
        return spot

    def follow_name(self) -> None:
        """Leave the addresses that are gone: idle connections close now, the others when their request is over."""
        if self.name is None or self.name.version == self.version:
            return
        self.version = self.name.version
        known = self.name.addresses
        for connection in [each for each in self.connections if each.address not in known]:
            connection.expires = 0.0
            if connection in self.idle:
                self.idle.remove(connection)
                connection.close()
                self._pool.gap(self)

    # ── connections ────────────────────────────────────────────────────────────────────────────────────

    def free(self, connection: UpstreamConnection) -> None:
        """A request is done with `connection`."""
        pool = self._pool
        now = pool.clock()
        if self.failures:
            self.note_answer()
        if connection.closed or pool.waiting or pool.retired or now >= connection.expires:
            pool.free(self, connection)
        else:
            connection.busy = False
            self.busy -= 1
            connection.idle_since = now
            self.idle.append(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        """`connection` is gone, in use or not; one whose call has parted from it already leaves no gap."""
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
            self._pool.gap(self)
        elif connection.busy:
            self._pool.free(self, connection)

    # ── how it is ──────────────────────────────────────────────────────────────────────────────────────

    def may_be_tried(self) -> bool:
        """Whether nothing speaks against this target."""
        return self.healthy and not self.out

    def note_error(self, kind: str, *, fresh: bool) -> None:
        """Count what went wrong here; `fresh` ones, before a byte of an answer, in a row leave the target out."""
        self.errors += 1
        self.last_error = kind
        if not fresh:
            return
        self.failures += 1
        health = self._pool.backend.health
        if self.failures >= (health.unhealthy_after if health else OUT_AFTER) and not self.out:
            self.leave_out()

    def leave_out(self) -> None:
        """Send nothing here until a probe succeeds."""
        was_out, self.out = self.out, True
        self.probe_at = self._pool.clock() + self.out_for
        self.out_for = min(2 * self.out_for, OUT_AT_MOST)
        if not was_out:
            self._pool.on_target_change(self)

    def note_answer(self) -> None:
        """A whole answer came: whatever failed before is forgiven."""
        self.failures = 0
        self.out_for = OUT_FOR

    def come_back(self, *, answered: bool) -> None:
        """A health check has its answer, or a probe its connection.

        A port that is forwarded to nothing takes connections as well: after a probe, the first request decides, and one
        that fails leaves the target out again, for longer.
        """
        self.failures = OUT_AFTER - 1
        if answered:
            self.note_answer()
        if self.out:
            self.out = False
            self._pool.on_target_change(self)


class Pool:
    """The targets of one backend, least requests in flight first; `retired` once a reload dropped it.

    `make_way` ends the request of a slow client that holds one of the connections (False: there is none); `growth` says
    when one more may be had; `on_target_change` is called with targets that are left out or come back.
    """

    __slots__ = (
        "_base",
        "_chosen",
        "_only",
        "_served",
        "_spawn",
        "_turn",
        "backend",
        "clock",
        "growth",
        "make_way",
        "on_target_change",
        "resolver",
        "retired",
        "targets",
        "tls",
        "waiting",
    )  # fmt: skip

    def __init__(
        self, backend: Backend, *, clock: Callable[[], float], spawn: Spawn, base: Path, resolver: Resolver
    ) -> None:
        self.backend = backend
        self.clock = clock
        self.resolver = resolver
        self.targets = tuple(Target(self, url, base, resolver) for url in backend.urls)
        self.retired = False
        self.make_way: Callable[[Pool], bool] | None = None
        self.growth = NOT_GUARDED
        self.on_target_change: Callable[[Target], None] = _ignore_target
        self._only = self.targets[0] if len(self.targets) == 1 else None
        self._served = ""
        self._turn = -1
        self._chosen: Target | None = None
        self._spawn = spawn
        self._base = base
        self.tls = upstream_tls(backend, base) if is_https(backend) else None
        self.waiting: deque[Waiter] = deque()

    def keep_for_others(self, held_up: Callable[[Pool, float], Mapping[str, int]]) -> None:
        """Keep what clients hold up, by kind of request, from having every connection."""
        self.growth = Growth(
            self.backend.max_connections, lambda known_for: held_up(self, known_for), self._serve_waiting
        )

    def acquire_connection(self, *, careful: bool) -> UpstreamConnection | None:
        """A connection that is idle, or None.

        `careful` takes none that has been idle for long, because a request that may not be sent twice must not
        meet a server that is just closing (RFC 9112 9.3.1).
        """
        target = self._chosen = self._only or self._choose()
        idle = target.idle
        while idle:
            connection = idle[-1]
            if careful and self.clock() - connection.idle_since > RISKY_AFTER:
                return None
            idle.pop()
            if connection.is_clean():
                connection.busy = True
                target.busy += 1
                return connection
            connection.close()
        return None

    def open_or_queue(self, waiter: Waiter, avoid: ConnectionOwner | None = None) -> bool:
        """Make a connection for `waiter`, or (False) queue it; it is called later with a connection, or with a failure.

        `avoid` is a target that has just failed this request; another is tried first.
        """
        if not self.growth.allows(self.in_use(), waiter.request_kind) or (self.is_full() and not self._make_room()):
            self._queue(waiter)
            return False
        self.open(waiter, self._plan(avoid))
        self.growth.gave(self.in_use())
        return True

    def open(self, waiter: Waiter, plan: Sequence[Target], *, judged: bool = True) -> None:
        """Make a connection for `waiter` to the first of `plan` that takes one; failures count where `judged`."""
        Opening(self, waiter, plan, judged=judged).try_next()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start connecting."""
        self._spawn(work, f"connect {self.backend.name}")

    def is_full(self) -> bool:
        """Whether no further connection may be made."""
        limit = self.backend.max_connections
        return bool(limit) and self.size() >= limit

    def available(self) -> bool:
        """Whether any target may be tried."""
        only = self._only
        if only is not None:
            return only.healthy and not only.out
        return any(target.may_be_tried() for target in self.targets)

    def has_another(self, target: ConnectionOwner) -> bool:
        """Whether another target may be tried as well."""
        return any(other is not target and other.may_be_tried() for other in self.targets)

    def size(self) -> int:
        """Connections that exist or are being made."""
        return sum(target.busy + target.opening + len(target.idle) for target in self.targets)

    def in_use(self) -> int:
        """Connections that have a request, or are being made for one."""
        return sum(target.busy + target.opening for target in self.targets)

    def free(self, target: Target, connection: UpstreamConnection) -> None:
        """Take back a connection that is in use no more: for what waits, for later, or to close it."""
        connection.busy = False
        target.busy -= 1
        stale = self.retired or self.clock() >= connection.expires or (self.waiting and not connection.is_clean())
        if not connection.closed and stale:
            connection.close()
        if connection.closed:
            self.gap(target)
            return
        waiter = self._next_waiter(more=False) if self.waiting else None
        if waiter is None:
            connection.idle_since = self.clock()
            target.idle.append(connection)
        else:
            connection.busy = True
            target.busy += 1
            self.growth.gave(self.in_use())
            waiter.connected(connection)

    def gap(self, target: Target) -> None:
        """One connection fewer: what waits may have a new one."""
        waiter = self._next_waiter(more=True) if self.waiting else None
        if waiter is not None:
            plan = [target, *(other for other in self._plan(None) if other is not target)]
            self.open(waiter, plan if target.may_be_tried() else self._plan(None))
            self.growth.gave(self.in_use())

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long or is too old, look after names and targets that are left out."""
        for target in self.targets:
            idle = target.idle
            while idle and now - idle[0].idle_since > IDLE_AT_MOST:
                idle.pop(0).close()
            for connection in [each for each in idle if now >= each.expires]:
                idle.remove(connection)
                connection.close()
            if target.name is not None and not self.retired:
                self.resolver.refresh(target.name, now)
                target.follow_name()
            if target.out and not target.probing and now >= target.probe_at and not self.is_full():
                self._probe(target)
        if self.growth.guarded:
            self.growth.look(self.in_use())

    def retire(self) -> None:
        """Close what is idle now, the rest as its requests end."""
        self.retired = True
        for target in self.targets:
            while target.idle:
                target.idle.pop().close()

    def names(self) -> Iterator[Name]:
        """Yield the names that are looked up for this backend."""
        return (target.name for target in self.targets if target.name is not None)

    def _choose(self) -> Target:
        """The target with the least to do; of those with the same, the next after the one chosen last."""
        targets = self.targets
        found, least = -1, 0
        for step in range(1, len(targets) + 1):
            number = (self._turn + step) % len(targets)
            target = targets[number]
            load = target.busy + target.opening
            if target.healthy and not target.out and (found < 0 or load < least):
                found, least = number, load
        if found < 0:
            found = min(range(len(targets)), key=lambda number: targets[number].busy + targets[number].opening)
        self._turn = found
        return targets[found]

    def _plan(self, avoid: ConnectionOwner | None) -> list[Target]:
        """The targets in the order to try them; those that are out only where all are."""
        if self._only is not None:
            return [self._only]
        chosen, self._chosen = self._chosen, None
        first = chosen if chosen is not None and chosen is not avoid else self._choose()
        rest = [target for target in self.targets if target is not first]
        rest.sort(key=lambda target: target.busy + target.opening)
        plan = [target for target in (first, *rest) if target.may_be_tried()] or [first, *rest]
        if avoid in plan and len(plan) > 1:
            plan.remove(avoid)
        return plan

    def _probe(self, target: Target) -> None:
        """Try a connection of our own, unless a health check decides; one that is made may be used."""
        if self.retired or self.backend.health is not None:
            return
        target.probing = True
        self.open(_Probe(self, target), (target,), judged=False)

    def _make_room(self) -> bool:
        """Close one idle connection somewhere, so that another may be opened."""
        for target in self.targets:
            if target.idle:
                target.idle.pop(0).close()
                return True
        return False

    def _queue(self, waiter: Waiter) -> None:
        if len(self.waiting) >= WAITING_AT_MOST:
            self.waiting = deque(other for other in self.waiting if other.wants_connection)
        if len(self.waiting) >= WAITING_AT_MOST:
            waiter.failed("busy", "every connection is in use")
        else:
            self.waiting.append(waiter)
            if self.make_way is not None and self._is_taken():
                waiter.made_way = self.make_way(self)

    def _is_used_up(self) -> bool:
        """Whether none is free."""
        return 0 < self.backend.max_connections <= self.in_use()

    def _is_taken(self) -> bool:
        """Whether none is free for a kind of request that clients hold up; others wait only where none is at all."""
        return self._is_used_up() or self.growth.is_kept(self.in_use())

    def _serve_waiting(self) -> None:
        """One more may be in use, idle or new, for what waits; any number for the kinds that nothing holds up."""
        while self.waiting and not self.retired and not self._is_used_up():
            waiter = self._next_waiter(more=True)
            if waiter is None:
                return
            connection = None if self._keeps_idle(waiter.request_kind) else self.acquire_connection(careful=True)
            if connection is not None:
                waiter.connected(connection)
            else:
                if self.is_full():
                    self._make_room()
                self.open(waiter, self._plan(None))
            self.growth.gave(self.in_use())

    def _keeps_idle(self, kind: str) -> bool:
        """Whether what is idle is left for others, who would have to connect anew."""
        return self.growth.keeps_from(kind) and not self.is_full()

    def ask_for_room(self) -> Iterator[None]:
        """End one slow client's request for each that waits, as far as there are any; pauses after each few."""
        ended = 0
        for waiter in tuple(self.waiting) if self._is_taken() else ():
            if not waiter.made_way and waiter.wants_connection:
                if self.make_way is None or not self.make_way(self):
                    return
                waiter.made_way = True
                ended += 1
                if ended % ENDED_AT_A_TIME == 0:
                    yield

    def _next_waiter(self, *, more: bool) -> Waiter | None:
        """The one that has waited longest; where very many wait, the latest, whose user is still there.

        Otherwise many requests that came at once would make each later one wait as long as they do, until none is
        served in time. Where clients hold up most of the pool, the kinds come first that are not held up; while it
        is not known what they hold up, kinds take turns at what is given out one by one. `more` means that this takes
        one more connection into use.
        """
        in_use, growth = self.in_use(), self.growth
        growth.look(in_use)
        if growth.guarded and (found := self._first_of(growth.is_free_of)) is not None:
            return found
        if growth.is_kept(in_use) or ((more or growth.guarded) and not growth.is_open(in_use)):
            return None
        if growth.is_careful(in_use) and (found := self._first_of(self._is_in_turn)) is not None:
            self._served = found.request_kind
            return found
        while self.waiting:
            waiter = self.waiting.popleft() if len(self.waiting) <= CROWD else self.waiting.pop()
            if waiter.wants_connection:
                return waiter
        return None

    def _first_of(self, is_wanted: Callable[[str], bool]) -> Waiter | None:
        """The first that waits with such a kind of request."""
        for waiter in self.waiting:
            if waiter.wants_connection and is_wanted(waiter.request_kind):
                self.waiting.remove(waiter)
                return waiter
        return None

    def _is_in_turn(self, kind: str) -> bool:
        """Whether another kind was served last."""
        return kind != self._served


class _Probe:
    """Waits for our own connection to a target that is out."""

    __slots__ = ("_pool", "_target", "made_way", "request_kind", "wants_connection")

    def __init__(self, pool: Pool, target: Target) -> None:
        self._pool = pool
        self._target = target
        self.request_kind = ""
        self.made_way = False
        self.wants_connection = True

    def connected(self, connection: UpstreamConnection) -> None:
        """The target is back."""
        self.wants_connection = self._target.probing = False
        self._target.come_back(answered=False)
        self._pool.free(self._target, connection)

    def retrying(self, reason: str) -> None:
        """Another address of the same target: no request was repeated."""

    def failed(self, kind: str, detail: str) -> None:  # noqa: ARG002 - as Waiter
        """Still out, for longer."""
        self.wants_connection = self._target.probing = False
        self._target.last_error = kind
        self._target.leave_out()


class Opening:
    """The attempts to make one connection for one waiter.

    1. the first address of the first target; each further one after a failure at once, after a silence beside it
    2. at most `retries` further ones, all within `connect_timeout`, never more than the pool may have
    3. the first that is there wins; another that is made later is kept for whatever comes next

    Changes: `_tried` are the addresses so far of each target, `_left` is how many attempts there may be, `_under_way`
    how many are; `_over` is final.
    """

    __slots__ = (
        "_deadline", "_judged", "_left", "_over", "_plan", "_pool", "_timer", "_tried", "_under_way", "_waiter",
    )  # fmt: skip

    def __init__(self, pool: Pool, waiter: Waiter, plan: Sequence[Target], *, judged: bool) -> None:
        self._pool = pool
        self._waiter = waiter
        self._plan = plan
        self._judged = judged
        self._left = 1 + pool.backend.retries
        self._tried: dict[Target, set[str]] = {}
        self._under_way = 0
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        timeout = pool.backend.connect_timeout
        self._deadline = asyncio.get_running_loop().time() + timeout if timeout else None

    def try_next(self) -> bool:
        """Begin the next attempt; False when there is none to make."""
        target = self._next_target()
        if target is None:
            return False
        self._left -= 1
        self._under_way += 1
        target.opening += 1
        self._tried.setdefault(target, set())
        self._pool.spawn(self._attempt(target, self._next_spot(target)))
        self._watch_silence()
        return True

    def _next_target(self) -> Target | None:
        """The first of the plan that was not tried, or has an address that was not."""
        if self._left:
            for target in self._plan:
                if target not in self._tried or self._has_more(target):
                    return target
        return None

    def _next_spot(self, target: Target) -> Spot | None:
        """Mark the next address of `target` as tried; None while none is known, or no more."""
        tried = self._tried[target]
        for spot in target.spots(self._pool.clock()):
            if spot.address not in tried:
                tried.add(spot.address)
                return spot
        return None

    def _watch_silence(self) -> None:
        if self._timer is None and not self._over and self._next_target() is not None:
            self._timer = asyncio.get_running_loop().call_later(NEXT_AFTER, self._silent)

    def _silent(self) -> None:
        """Nothing was received for a while: also try the next one, where the pool may have another connection."""
        self._timer = None
        if not self._over and self._waiter.wants_connection and not self._pool.is_full() and self.try_next():
            self._waiter.retrying("silent")

    async def _attempt(self, target: Target, spot: Spot | None) -> None:
        connection: UpstreamConnection | None = None
        kind, detail = "connect", "no address"
        try:
            async with asyncio.timeout_at(self._deadline):
                if spot is None and target.name is not None:
                    await self._pool.resolver.wait(target.name)
                    spot = self._next_spot(target)
                    self._watch_silence()
                if spot is not None:
                    connection = await open_connection(target, spot.address, self._pool)
        except TimeoutError:
            kind, detail = "connect_timeout", "no connection within the connect timeout"
        except OSError as error:
            detail = f"no connection: {type(error).__name__}"
        except Exception as fault:  # noqa: BLE001 - of our own: what waits may go elsewhere, and no further
            detail = f"no connection: {type(fault).__name__}"
            emit = asyncio.get_running_loop().call_exception_handler
            emit({"message": "unforeseen: a connection to a backend", "exception": fault})
        finally:
            target.opening -= 1
            self._under_way -= 1
        if connection is None:
            self._failed(target, spot, kind, detail)
        else:
            self._made(target, spot, connection)

    def _made(self, target: Target, spot: Spot | None, connection: UpstreamConnection) -> None:
        if spot is not None:
            spot.failures, spot.last_until = 0, 0.0
        connection.busy = True
        target.busy += 1
        target.connections.add(connection)
        self._cancel_timer()
        if self._over or not self._waiter.wants_connection:
            self._pool.free(target, connection)
        else:
            self._over = True
            self._waiter.connected(connection)

    def _failed(self, target: Target, spot: Spot | None, kind: str, detail: str) -> None:
        pool = self._pool
        if spot is not None:
            spot.failures = min(spot.failures + 1, 10)
            spot.last_until = pool.clock() + min(OUT_FOR * 2 ** (spot.failures - 1), OUT_AT_MOST)
        if self._judged and not (self._left and self._has_more(target)):
            target.note_error(kind, fresh=True)
        self._cancel_timer()
        if self._over or not self._waiter.wants_connection:
            pool.gap(target)
        elif self.try_next():
            self._waiter.retrying(kind)
        elif not self._under_way:
            self._over = True
            pool.gap(target)
            self._waiter.failed(kind, detail)

    def _has_more(self, target: Target) -> bool:
        """Whether the target has an address that was not tried: until then it has not failed."""
        return any(address not in self._tried[target] for address in target.addresses)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def open_connection(target: Target, address: str, pool: Pool) -> UpstreamConnection:
    """Connect to one address of `target`; raises `OSError`. The caller sets the limit in time."""
    loop = asyncio.get_running_loop()
    backend = pool.backend

    def make() -> asyncio.Protocol:
        return cast(asyncio.Protocol, UpstreamConnection(target))

    if not target.port:
        _, protocol = await loop.create_unix_connection(make, target.host)
    else:
        name = (backend.tls and backend.tls.server_name) or target.host
        _, protocol = await loop.create_connection(
            make,
            address,
            target.port,
            ssl=pool.tls if target.tls else None,
            server_hostname=name if target.tls else None,
        )
    connection = cast(UpstreamConnection, protocol)
    if connection.closed:
        raise ConnectionAbortedError("closed before it was used")
    connection.address = address
    age = backend.max_age
    connection.expires = pool.clock() + age * (1 + JITTER * (2 * random() - 1)) if age else FOREVER  # noqa: S311 - jitter
    return connection


def _ignore_target(_: Target) -> None:
    """The callback of a pool that is not connected to anything."""
