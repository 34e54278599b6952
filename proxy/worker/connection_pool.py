"""Connections to one backend, least requests first; health checks."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from proxy.http1 import ResponseHead
from proxy.http1.framing import Body
from proxy.state.bindable import is_https, upstream_tls
from proxy.worker.upstream_connection import ConnectionOwner, UpstreamConnection
from rules.model import Backend, Health

WAITING_AT_MOST: Final = 1024
IDLE_AT_MOST: Final = 60.0
"""Seconds an idle connection is kept; most servers close theirs between 5 and 75."""
RISKY_AFTER: Final = 2.0
"""Seconds of idleness after which a request that may not be sent twice gets a fresh connection instead."""
DOWN_FOR: Final = 1.0
"""Seconds a target that refused connections is left alone before it is tried again."""
DOWN_AFTER: Final = 3

Spawn = Callable[[Coroutine[Any, Any, None], str], None]


class Waiter(Protocol):
    """Whoever waits for a connection."""

    @property
    def wants_connection(self) -> bool:
        """False once it has given up."""

    def connected(self, connection: UpstreamConnection) -> None:
        """Here it is."""

    def failed(self, kind: str, detail: str) -> None:
        """There will be none."""


class Target(ConnectionOwner):
    """One address of a backend.

    `busy` counts connections with a call, `opening` those being made; `healthy` is what active checks say,
    `down_until` what refused connections say.
    """

    __slots__ = (
        "_pool",
        "busy",
        "down_until",
        "healthy",
        "host",
        "idle",
        "opening",
        "port",
        "refused",
        "tls",
    )

    def __init__(self, pool: Pool, url: str, base: Path) -> None:
        self._pool = pool
        self.address = url
        self.idle: list[UpstreamConnection] = []
        self.busy = 0
        self.opening = 0
        self.refused = 0
        self.down_until = 0.0
        self.healthy = True
        self.tls = False
        self.port = 0
        if url.startswith("unix:"):
            self.host = str(base / url.removeprefix("unix:").removeprefix("//"))
        else:
            parts = urlsplit(url)
            self.tls = parts.scheme == "https"
            self.host = parts.hostname or ""
            self.port = parts.port or (443 if self.tls else 80)

    def free(self, connection: UpstreamConnection) -> None:
        """A call has parted from `connection`."""
        pool = self._pool
        if connection.closed or pool.waiting or pool.retired:
            pool.free(self, connection)
        else:
            connection.busy = False
            self.busy -= 1
            connection.idle_since = pool.clock()
            self.idle.append(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        """`connection` is gone, in use or not; one whose call has parted from it already leaves no gap."""
        if connection in self.idle:
            self.idle.remove(connection)
            self._pool.gap(self)
        elif connection.busy:
            self._pool.free(self, connection)

    def may_be_tried(self, now: float) -> bool:
        """Whether nothing speaks against this target."""
        return self.healthy and self.down_until <= now


class Pool:
    """The targets of one backend, least requests in flight first; `retired` once a reload dropped it."""

    __slots__ = ("_base", "_only", "_spawn", "backend", "clock", "retired", "targets", "tls", "waiting")

    def __init__(self, backend: Backend, *, clock: Callable[[], float], spawn: Spawn, base: Path) -> None:
        self.backend = backend
        self.targets = tuple(Target(self, url, base) for url in backend.urls)
        self.retired = False
        self._only = self.targets[0] if len(self.targets) == 1 else None
        self.clock = clock
        self._spawn = spawn
        self._base = base
        self.tls = upstream_tls(backend, base) if is_https(backend) else None
        self.waiting: deque[Waiter] = deque()

    def take(self, *, careful: bool) -> UpstreamConnection | None:
        """A connection that is idle, or None.

        `careful` takes none that has been idle for long, because a request that may not be sent twice must not
        meet a server that is just closing (RFC 9112 9.3.1).
        """
        target = self._only or self._choose()
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

    def open_or_queue(self, waiter: Waiter) -> bool:
        """Make a connection for `waiter`, or (False) let it stand in line; it hears of one, or of none, later."""
        limit = self.backend.max_connections
        if limit and self.size() >= limit and not self._make_room():
            self._queue(waiter)
            return False
        target = self._only or self._choose()
        target.opening += 1
        self._spawn(self._open(target, waiter), f"connect {self.backend.name}")
        return True

    def available(self, now: float) -> bool:
        """Whether any target may be tried."""
        only = self._only
        if only is not None:
            return only.healthy and only.down_until <= now
        return any(target.may_be_tried(now) for target in self.targets)

    def size(self) -> int:
        """Connections that exist or are being made."""
        return sum(target.busy + target.opening + len(target.idle) for target in self.targets)

    def free(self, target: Target, connection: UpstreamConnection) -> None:
        """Take back a connection whose call has parted from it: for who waits, for later, or for nobody."""
        connection.busy = False
        target.busy -= 1
        if not connection.closed and (self.retired or (self.waiting and not connection.is_clean())):
            connection.close()
        if connection.closed:
            self.gap(target)
            return
        waiter = self._next_waiter() if self.waiting else None
        if waiter is None:
            connection.idle_since = self.clock()
            target.idle.append(connection)
        else:
            connection.busy = True
            target.busy += 1
            waiter.connected(connection)

    def gap(self, target: Target) -> None:
        """One connection fewer: whoever waits may have a new one."""
        waiter = self._next_waiter() if self.waiting else None
        if waiter is not None:
            target.opening += 1
            self._spawn(self._open(target, waiter), f"connect {self.backend.name}")

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long."""
        for target in self.targets:
            while target.idle and now - target.idle[0].idle_since > IDLE_AT_MOST:
                target.idle.pop(0).close()

    def retire(self) -> None:
        """Close what is idle now, the rest as its calls end."""
        self.retired = True
        for target in self.targets:
            while target.idle:
                target.idle.pop().close()

    def _choose(self) -> Target:
        now = self.clock()
        candidates = [target for target in self.targets if target.may_be_tried(now)] or list(self.targets)
        return min(candidates, key=lambda target: target.busy + target.opening)

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

    def _next_waiter(self) -> Waiter | None:
        while self.waiting:
            waiter = self.waiting.popleft()
            if waiter.wants_connection:
                return waiter
        return None

    async def _open(self, target: Target, waiter: Waiter) -> None:
        try:
            connection = await open_connection(target, self.tls, self.backend)
        except TimeoutError:
            self._refused(target)
            self.gap(target)
            give_up(waiter, "connect_timeout", "no connection within the connect timeout")
            return
        except OSError as error:
            self._refused(target)
            self.gap(target)
            give_up(waiter, "connect", f"no connection: {type(error).__name__}")
            return
        finally:
            target.opening -= 1
        target.refused = 0
        target.down_until = 0.0
        connection.busy = True
        target.busy += 1
        if waiter.wants_connection:
            waiter.connected(connection)
        else:
            self.free(target, connection)

    def _refused(self, target: Target) -> None:
        target.refused += 1
        health = self.backend.health
        if target.refused >= (health.unhealthy_after if health else DOWN_AFTER):
            target.down_until = self.clock() + DOWN_FOR


def give_up(waiter: Waiter, kind: str, detail: str) -> None:
    """Tell a waiter that there will be no connection, unless it went away meanwhile."""
    if waiter.wants_connection:
        waiter.failed(kind, detail)


async def open_connection(target: Target, tls: ssl.SSLContext | None, backend: Backend) -> UpstreamConnection:
    """Connect to `target` within the backend's connect timeout; raises `TimeoutError` or `OSError`."""
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        return cast(asyncio.Protocol, UpstreamConnection(target))

    async with asyncio.timeout(backend.connect_timeout or None):
        if not target.port:
            _, protocol = await loop.create_unix_connection(make, target.host)
        else:
            name = (backend.tls and backend.tls.server_name) or target.host
            _, protocol = await loop.create_connection(
                make,
                target.host,
                target.port,
                ssl=tls if target.tls else None,
                server_hostname=name if target.tls else None,
            )
    return cast(UpstreamConnection, protocol)


# Asks the targets of a backend regularly whether they are well.


ANSWER_WITHIN: Final = 5.0
_WELL: Final = range(200, 400)


class Probe:
    """One question on one connection (`upstream.Asker`); `status` is the answer's, or 0."""

    method = "GET"
    wants_upgrade = False
    request_done = True

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def _tell(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)

    def informational(self, head: ResponseHead) -> None:
        """Wait for the final answer."""

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """Nobody asked for that."""

    def answer(self, head: ResponseHead, _payload: bytes, _body: Body | None) -> None:
        """The status is all there is to know."""
        self._tell(head.status)

    def more(self, payload: bytes) -> None:
        """Read on."""

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """The connection is the pool's."""

    def failed(self, _kind: str, _detail: str) -> None:
        """Not well."""
        self._tell(0)

    def unforeseen(self) -> None:
        """Not well."""
        self._tell(0)

    def tunnelled(self, data: bytes) -> None:
        """There is no tunnel."""

    def upstream_paused(self) -> None:
        """There is nothing more to send."""

    def upstream_resumed(self) -> None:
        """There is nothing more to send."""


class Watch:
    """The health of one target: it changes after so many like answers in a row."""

    def __init__(self, pool: Pool, target: Target, health: Health) -> None:
        self._pool = pool
        self._target = target
        self._health = health
        self._in_a_row = 0

    async def run(self) -> None:
        """Ask until the pool is retired."""
        while not self._pool.retired:
            self.note(well=await self._ask())
            await asyncio.sleep(self._health.every)

    def note(self, *, well: bool) -> None:
        """Take one result into account."""
        target, health = self._target, self._health
        if well == target.healthy:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= (health.healthy_after if well else health.unhealthy_after):
            target.healthy = well
            self._in_a_row = 0

    async def _ask(self) -> bool:
        pool, target = self._pool, self._target
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                connection = await open_connection(target, pool.tls, pool.backend)
                connection.busy = True
                target.busy += 1
                probe = Probe()
                host = f"{target.host}:{target.port}" if target.port else "localhost"
                question = f"GET {self._health.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: strangler-health\r\n"
                question += "Connection: close\r\n\r\n"
                connection.ask(probe, question.encode("latin-1"))
                try:
                    return await probe.status in _WELL
                finally:
                    # never reused: a body that does not end must not keep a connection for each check
                    if connection.asker is probe or not connection.busy:
                        connection.leave()
        except (OSError, TimeoutError):
            return False


def watches(pool: Pool) -> list[Watch]:
    """One watch for each target of a backend that has a health check."""
    health = pool.backend.health
    return [Watch(pool, target, health) for target in pool.targets] if health is not None else []
