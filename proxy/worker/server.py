"""Accepts, sweeps deadlines, drains."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final, cast

from proxy import http1
from proxy.ipc.child_process import Tasks
from proxy.ipc.messages import TargetState
from proxy.state.identity_keys import Keys
from proxy.state.live import Live
from proxy.telemetry import events
from proxy.telemetry.metric_names import LOOKUPS
from proxy.telemetry.records import Exchange, Observers
from proxy.worker.bindings import Bindings, bind
from proxy.worker.client_connection import ClientConnection
from proxy.worker.connection_pool import Pool, Target
from proxy.worker.context import ServerContext
from proxy.worker.handshake import Handshake, accept
from proxy.worker.health_checks import watches
from proxy.worker.pool_growth import NOT_GUARDED
from proxy.worker.resolver import ANSWERED, LookUp, Resolver
from proxy.worker.shadow.admission import Shadows
from rules.model import LEGACY, MODERN
from rules.routing.decide import Generation

SWEEP: Final = 0.1
"""Seconds between two looks at the deadlines: how late a time-out may fire."""
LATE: Final = 0.2
BUSY: Final = 0.05
"""Seconds of lag from which on the worker has enough to do with its users: nothing is mirrored for a while."""
CATCH_UP: Final = 0.01
AT_A_TIME: Final = 256
"""Deadlines of clients that are looked at before others have the loop."""
OVER: Final = 32
"""How many of them one counts as that is over: its answer has to be written."""
FORGOTTEN_AFTER: Final = 10.0
"""Seconds between two turns of what is remembered of heads: one that does not come again is gone after two."""
BACKLOG: Final = 4096
QUICK_HEAD: Final = 8192
TURNED_AWAY_AT_MOST: Final = 1024
"""Clients over the limit that are sent a refusal at the same time; further ones are cut off."""


class Server(ServerContext):
    """The data path of one process: accepts, follows the clock and the generations, drains.

    Changes: what `ServerContext` holds, by `live.swap` and the sweep; `draining` by `stop_accepting`.
    """

    def __init__(
        self,
        live: Live,
        observe: Observers[Exchange],
        *,
        tls_context: ssl.SSLContext | None = None,
        base_dir: Path = Path(),
        keys: Keys = Keys(),  # noqa: B008 - frozen
        clock: Callable[[], float] = monotonic,
        instance: str = "",
    ) -> None:
        super().__init__(live.generation, observe, clock)
        self.live = live
        self.resolver = Resolver(clock, self._looked_up)
        self.busy_after = BUSY
        self._silent_names: set[tuple[str, str]] = set()
        self._base = base_dir
        self._keys = keys
        self._instance = instance
        self._tls = tls_context
        self._tasks = Tasks()
        self._listener: asyncio.Server | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._sock: socket.socket | None = None
        self._sweeper: asyncio.Handle | None = None
        self._sweep_due = 0.0
        self._stalled = False
        self._forget_at = clock() + FORGOTTEN_AFTER
        self.shadows = Shadows(self, self.spawn, self.resolver, keys.sticky, base_dir)
        self._bind(live.generation, None)
        live.subscribe(self._swapped)

    # ── living ─────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, listening_socket: socket.socket) -> None:
        """Accept from `listening_socket` from now on; the caller keeps its own reference to it."""
        loop = asyncio.get_running_loop()
        self._sock = listening_socket
        self.observe.emit_by(loop.call_soon)
        self.shadows.observe.emit_by(loop.call_soon)
        if self._tls is None:
            # Never create_unix_server: since Python 3.13 it removes, when closed, the name under which others listen.
            self._listener = await loop.create_server(self._client, sock=listening_socket, backlog=BACKLOG)
        else:
            listening_socket.settimeout(0)
            listening_socket.listen(BACKLOG)
            self._accepting = loop.create_task(accept(listening_socket, self._shake_hands, self.spawn), name="accept")
            self._accepting.add_done_callback(lambda _: listening_socket.close())
        self._sweep_due = self.clock() + SWEEP
        self._sweeper = loop.call_later(SWEEP, self._sweep)
        self._watch(self.bound.pools.values())

    def _client(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, ClientConnection(self))

    def _shake_hands(self, accepted: socket.socket) -> Coroutine[Any, Any, None] | None:
        """The handshake of a connection that speaks TLS; None where there are too many to send each a refusal."""
        limit = self.limits.connections
        there_are = len(self.clients) + len(self.handshakes)
        if self._tls is None or 0 < limit <= there_are - TURNED_AWAY_AT_MOST:
            return None
        return self._handshake(accepted).run(self._tls)

    def _handshake(self, accepted: socket.socket) -> Handshake:
        patience = self.limits.header_timeout or self.limits.idle_timeout
        return Handshake(ClientConnection(self), accepted, patience, self.handshakes)

    def stop_accepting(self) -> None:
        """Take no more connections; answers from now on say `Connection: close`, idle clients are closed."""
        self.draining = True
        if self._listener is not None or self._accepting is not None:
            self._take_queued()
        if self._listener is not None:
            self._listener.close()
        if self._accepting is not None:
            self._accepting.cancel()
        for client in tuple(self.clients):
            client.drain()

    def _take_queued(self) -> None:
        """Accept what the kernel has queued already: on a socket that is about to go it would be reset."""
        sock = self._sock
        while sock is not None:
            try:
                accepted, _ = sock.accept()
            except OSError:
                return
            self.spawn(self._adopt(accepted), "queued client")

    async def _adopt(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        if self._tls is not None:
            await self._handshake(accepted).run(self._tls)
            return
        await asyncio.get_running_loop().connect_accepted_socket(self._client, accepted)

    async def drained(self, seconds: float) -> int:
        """Wait until what is in flight has ended, at most `seconds`; returns how many calls were cut."""
        deadline = asyncio.get_running_loop().time() + seconds
        while any(client.is_busy() for client in self.clients):
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.02)
        cut = sum(client.cut() for client in tuple(self.clients))
        await self._leave()
        return cut

    async def _leave(self) -> None:
        """Let last bytes go out, then close every connection and end every task."""
        for _ in range(50):
            if not self.clients:
                break
            await asyncio.sleep(0.02)
        for client in tuple(self.clients):
            client.abort()
        for handshake in tuple(self.handshakes.values()):
            handshake.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.mirror = None
        self.shadows.leave()
        for pool in self.bound.pools.values():
            pool.retire()
        await self._tasks.close()
        await asyncio.sleep(0)

    def stats(self) -> Mapping[str, int]:
        """Plain numbers for metrics and heart-beats."""
        targets = [target for pool in self.bound.pools.values() for target in pool.targets]
        return {
            "connections_client": len(self.clients) + len(self.handshakes),
            "connections_upstream_active": sum(target.busy + target.opening for target in targets),
            "connections_upstream_idle": sum(len(target.idle) for target in targets),
            "in_flight_legacy": self.in_flight[LEGACY],
            "in_flight_modern": self.in_flight[MODERN],
            "connections_shadow": self.shadows.sender.connections,
            "shadows_in_flight_legacy": self.shadows.sender.in_flight[LEGACY],
            "shadows_in_flight_modern": self.shadows.sender.in_flight[MODERN],
        }

    def targets(self) -> tuple[TargetState, ...]:
        """How every target is."""
        now = self.clock()
        return tuple(target.state(now) for pool in self.bound.pools.values() for target in pool.targets)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start a named task that is kept, and awaited when the server leaves."""
        self._tasks.start(work, name)

    def _looked_up(self, look_up: LookUp) -> None:
        """Count a look-up; report a name server that does not answer, and one that answers again."""
        self.counted[LOOKUPS, (look_up.backend, look_up.result)] += 1
        key = look_up.backend, look_up.host
        if look_up.result == ANSWERED:
            if key in self._silent_names:
                self._silent_names.discard(key)
                self.emit(events.NAME_ANSWERED, backend=look_up.backend, host=look_up.host)
        elif key not in self._silent_names:
            self._silent_names.add(key)
            kept = look_up.addresses
            self.emit(events.NAME_SILENT, "warning", backend=look_up.backend, host=look_up.host, kept=kept)

    def _target_changed(self, target: Target) -> None:
        event = events.TARGET_OUT if target.out else events.TARGET_BACK
        level = "warning" if target.out else "info"
        self.emit(event, level, backend=target.backend, target=target.address, error=target.last_error)

    # ── following the clock, the generations ───────────────────────────────────────────────────────────

    def sweep(self) -> None:
        """Look at every deadline once, all at once: a test calls it when it has turned the clock."""
        for _ in self._looks():
            pass

    def _looks(self) -> Iterator[None]:
        """Look at every deadline once; pauses where others may have the loop.

        A fault of our own in one of them leaves the others as they are.
        """
        now, looked_at = self.clock(), 0
        for client in tuple(self.clients):
            try:
                looked_at += OVER if client.sweep(now) else 1
            except Exception as error:  # noqa: BLE001 - every other deadline is looked at all the same
                client.unforeseen(error, "a deadline")
            if looked_at >= AT_A_TIME:
                looked_at = 0
                yield
        yield from self.watched.look()
        pools = tuple(self.bound.pools.values())
        parts: list[Callable[[float], None]] = [self._sweep_handshakes, *(pool.sweep for pool in pools)]
        for part in (*parts, self.shadows.sweep, self._forget, self._note_health):
            try:
                part(now)
            except Exception as error:  # noqa: BLE001 - as above
                self.unforeseen(error, "what is looked at from time to time")
        for pool in pools:
            yield from pool.ask_for_room()

    def _sweep_handshakes(self, now: float) -> None:
        for handshake in tuple(self.handshakes.values()):
            if 0.0 < handshake.expires_at <= now:
                handshake.abort()

    def _forget(self, now: float) -> None:
        if now >= self._forget_at:
            self._forget_at = now + FORGOTTEN_AFTER
            http1.forget()

    def _note_health(self, _now: float = 0.0) -> None:
        self.unhealthy = frozenset(name for name, pool in self.bound.pools.items() if not pool.available())

    def _sweep(self) -> None:
        """Judge ten times a second; after a stall of our own, read first what has come meanwhile."""
        lag = self.clock() - self._sweep_due
        if lag > self.busy_after:
            self.shadows.hold_back()
        late = lag > LATE
        if late and not self._stalled:
            self._stalled = True
            self._sweeper = asyncio.get_running_loop().call_later(CATCH_UP, self._sweep)
            return
        self._stalled = False
        self._go_on(self._looks())

    def _go_on(self, looks: Iterator[None]) -> None:
        """Look at a few, then let others have the loop; the next look at all of them is due when this one is over."""
        loop = asyncio.get_running_loop()
        try:
            next(looks)
        except StopIteration:
            self._sweep_again()
        except Exception as error:  # noqa: BLE001 - deadlines have to be looked at, whatever happened
            self.unforeseen(error, "what is looked at from time to time")
            self._sweep_again()
        else:
            self._sweeper = loop.call_soon(self._go_on, looks)

    def _sweep_again(self) -> None:
        self._sweep_due = self.clock() + SWEEP
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP, self._sweep)

    def _swapped(self, _old: Generation, new: Generation) -> None:
        known = set(self.bound.pools.values())
        for pool in self._bind(new, self.bound):
            pool.retire()
        self._note_health()
        if self._sweeper is not None:
            self._watch(pool for pool in self.bound.pools.values() if pool not in known)

    def _watch(self, pools: Iterable[Pool]) -> None:
        for pool in pools:
            for watch in watches(pool):
                self.spawn(watch.run(), f"health {pool.backend.name}")

    def _bind(self, generation: Generation, before: Bindings | None) -> list[Pool]:
        self.bound, gone = bind(
            generation,
            before,
            keys=self._keys,
            clock=self.clock,
            spawn=self.spawn,
            base=self._base,
            resolver=self.resolver,
            instance=self._instance,
        )
        for pool in self.bound.pools.values():
            pool.make_way = self.watched.make_way
            if pool.growth is NOT_GUARDED:
                pool.keep_for_others(self.watched.held_up)
            pool.on_target_change = self._target_changed
        self.buffers.apply_limits(generation.snapshot.listen.buffer)
        self.shadows.apply_bindings(self.bound)
        self.mirror = self.shadows.begin if self.shadows.active else None
        limits = self.limits = generation.snapshot.listen.limits
        sizes = [size for size in (limits.header_bytes, limits.url_bytes) if size]
        self.quick_head = min(sizes) if sizes else QUICK_HEAD
        return gone


# Closes kept connections of clients without meeting a request on its way.
#
# Closing an idle connection may cross a request that is being sent, which may not be sent again if it writes: nginx
# answers such a POST with 502. A response that says `Connection: close` cannot be crossed (RFC 9112, 9.6).


PARTING: Final = 0.5
"""Seconds that kept connections have to be used once more, so that the answer can say that it was the last."""
_LOOK_EVERY: Final = 0.02
_TURNS: Final = 10


async def announce(server: Server, seconds: float) -> None:
    """Have answers say that they are the last, until no connection is idle, for as long as we part at most."""
    server.draining = True
    loop = asyncio.get_running_loop()
    end = loop.time() + min(PARTING, seconds)
    while any(not client.is_busy() for client in server.clients):
        if loop.time() >= end:
            break
        await asyncio.sleep(_LOOK_EVERY)
    for _ in range(_TURNS):
        # a loop that was held up has its timers first, the sockets only in its next turns
        await asyncio.sleep(0)
