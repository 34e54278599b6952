"""Asks the targets of a backend regularly whether they are well."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from proxy.http1 import ResponseHead
from proxy.http1.framing import Body
from proxy.worker.connection_pool import Pool, Target
from proxy.worker.upstream_connection import UpstreamConnection
from rules.model import Health

ANSWER_WITHIN: Final = 5.0


class Probe:
    """One question on one connection (`upstream.Asker`); `status` is the answer's, or 0."""

    method = "GET"
    wants_upgrade = False
    request_done = True

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def _report_status(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)

    def informational(self, head: ResponseHead) -> None:
        """Wait for the final answer."""

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """A 101 that was not asked for."""

    def answer(self, head: ResponseHead, _payload: bytes, _body: Body | None) -> None:
        """The status is all there is to know."""
        self._report_status(head.status)

    def more(self, payload: bytes) -> None:
        """Read on."""

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """The connection is the pool's."""

    def failed(self, _kind: str, _detail: str) -> None:
        """Not well."""
        self._report_status(0)

    def unforeseen(self) -> None:
        """Not well."""
        self._report_status(0)

    def tunnelled(self, data: bytes) -> None:
        """There is no tunnel."""

    def upstream_paused(self) -> None:
        """There is nothing more to send."""

    def upstream_resumed(self) -> None:
        """There is nothing more to send."""


class _Reaching:
    """Waits for the connection that a probe goes over (`pool.Waiter`)."""

    def __init__(self) -> None:
        self.made_way = False
        self.request_kind = ""
        self.wants_connection = True
        self.reached: asyncio.Future[UpstreamConnection | None] = asyncio.get_running_loop().create_future()

    def connected(self, connection: UpstreamConnection) -> None:
        """There it is."""
        self._emit(connection)

    def retrying(self, reason: str) -> None:
        """Another address of the target is tried."""

    def failed(self, kind: str, detail: str) -> None:  # noqa: ARG002 - as Waiter
        """There is none."""
        self._emit(None)

    def _emit(self, connection: UpstreamConnection | None) -> None:
        self.wants_connection = False
        if not self.reached.done():
            self.reached.set_result(connection)


class Watch:
    """The health of one target: it changes after so many like answers in a row."""

    def __init__(self, pool: Pool, target: Target, health: Health) -> None:
        self._pool = pool
        self._target = target
        self._health = health
        self._in_a_row = 0
        self._question = question(target.address, health)

    async def run(self) -> None:
        """Ask until the pool is retired."""
        while not self._pool.retired:
            try:
                self.note(well=await self._send())
            except Exception as fault:  # noqa: BLE001 - of our own: says nothing of the target, which is asked again
                emit = asyncio.get_running_loop().call_exception_handler
                emit({"message": "unforeseen: a health check", "exception": fault})
            await asyncio.sleep(self._health.every)

    def note(self, *, well: bool) -> None:
        """Take one result into account."""
        target, health = self._target, self._health
        if well == (target.healthy and not target.out):
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= (health.healthy_after if well else health.unhealthy_after):
            target.healthy = well
            self._in_a_row = 0
            if well:
                target.come_back(answered=True)

    async def _send(self) -> bool:
        pool, target = self._pool, self._target
        reaching = _Reaching()
        connection: UpstreamConnection | None = None
        probe = Probe()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                pool.open(reaching, (target,), judged=False)
                connection = await reaching.reached
                if connection is None:
                    target.last_error = "health"
                    return False
                connection.send(probe, self._question)
                return self._is_well(await probe.status)
        except TimeoutError:
            return False
        finally:
            reaching.wants_connection = False
            # never reused: a body that does not end must not keep a connection for each check
            if connection is not None and (connection.requester is probe or not connection.busy):
                connection.leave()

    def _is_well(self, status: int) -> bool:
        well = any(first <= status <= last for first, last in self._health.statuses)
        if not well:
            self._target.last_error = "health"
        return well


def question(url: str, health: Health) -> bytes:
    """What a target is asked; its Host is the URL's, as a browser would write it, unless the check names one."""
    host = health.host or ("localhost" if url.startswith("unix:") else urlsplit(url).netloc)
    lines = [f"GET {health.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in health.headers]
    if not any(name.lower() == "user-agent" for name, _ in health.headers):
        lines.append("User-Agent: strangler-health")
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1", "replace")


def watches(pool: Pool) -> list[Watch]:
    """One watch for each target of a backend that has a health check."""
    health = pool.backend.health
    return [Watch(pool, target, health) for target in pool.targets] if health is not None else []
