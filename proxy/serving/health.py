"""Asks the targets of a backend regularly whether they are well."""

from __future__ import annotations

import asyncio
from typing import Final

from proxy.http1 import ResponseHead
from proxy.http1.framing import Body
from proxy.serving.pool import Pool, Target, open_connection
from rules.model import Health

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
