"""Bounds what connections to the admin port may take, before aiohttp has read a request.

1. a head has to be whole `HEAD_SECONDS` after its first byte (or after the connection), a body `BODY_SECONDS` later
2. between requests a connection may idle for `IDLE_SECONDS`
3. beyond `MOST` connections the one that has waited longest without a request is closed, so that probes get in
   whatever else holds the port open; where all have requests the new one is closed
"""

from __future__ import annotations

import asyncio
import resource
import ssl
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 20.0
IDLE_SECONDS: Final = 75.0
MOST: Final = 256


def most_connections() -> int:
    """Return how many connections may be open: of the descriptors that control may have, at most a third."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(8, min(MOST, soft // 3))


class Connections:
    """Every open connection of the port. Changes with each; `waiting` are those without a request, the oldest first."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most_connections() if most is None else most
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}

    def came(self, connection: Connection) -> bool:
        """Count a connection; False where it has to be closed because all others have requests."""
        self._open.add(connection)
        if len(self._open) > self._most:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            self.left(longest)
            longest.drop()
        self._waiting[connection] = None
        return True

    def works(self, connection: Connection) -> None:
        """Mark it as having a request: it is not closed to make room."""
        self._waiting.pop(connection, None)

    def waits(self, connection: Connection) -> None:
        """Mark it as idle: it may be closed again."""
        if connection in self._open:
            self._waiting[connection] = None

    def left(self, connection: Connection) -> None:
        """Remove a connection."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)


class Connection(RequestHandler):
    """One connection; `_limit` is when it is closed unless a whole head or body has come by then."""

    __slots__ = ("_connections", "_idle", "_limit")

    def __init__(self, connections: Connections, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=None, keepalive_timeout=IDLE_SECONDS)  # type: ignore[arg-type]
        self._connections = connections
        self._limit: asyncio.TimerHandle | None = None
        self._idle = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time limit of a head."""
        super().connection_made(transport)
        self._arm(HEAD_SECONDS)
        if not self._connections.came(self):
            self.drop()

    def data_received(self, data: bytes) -> None:
        """Start the time limit of a head that has begun."""
        if self._idle:
            self._idle = False
            self._arm(HEAD_SECONDS)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Remove it from the open connections."""
        self._disarm()
        self._connections.left(self)
        super().connection_lost(exc)

    def begin(self, request: web.Request) -> None:
        """The head is complete: start the time limit of the body."""
        self._disarm()
        self._idle = False
        self._connections.works(self)
        if not request.content.is_eof():
            self._arm(BODY_SECONDS)
            request.content.on_eof(self._disarm)

    def end(self) -> None:
        """The response is sent: start the idle time limit."""
        self._connections.waits(self)
        self._idle = True
        self._arm(IDLE_SECONDS)

    def drop(self) -> None:
        """Close it without a response."""
        self._disarm()
        if self.transport is not None:
            self.transport.abort()

    def handle_error(self, *arguments: Any, **named: Any) -> web.StreamResponse:
        """Answer a malformed request without naming the program."""
        answer = super().handle_error(*arguments, **named)
        answer.headers["Server"] = ""
        return answer

    def log_exception(self, *arguments: Any, **named: Any) -> None:
        """Malformed requests are not logged: any client can send them."""

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._limit = asyncio.get_running_loop().call_later(seconds, self.drop)

    def _disarm(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


async def serve(
    server: web.Server, listener: Any, tls: ssl.SSLContext | None, connections: Connections | None = None
) -> asyncio.Server:
    """Accept connections on `listener` from now on."""
    loop = asyncio.get_running_loop()
    held = Connections() if connections is None else connections
    handshake = None if tls is None else HEAD_SECONDS
    return await loop.create_server(
        lambda: Connection(held, server, loop), sock=listener, ssl=tls, ssl_handshake_timeout=handshake, backlog=128
    )


async def unnamed(_: web.Request, answer: web.StreamResponse) -> None:
    """Remove the name of the program from a response."""
    answer.headers.pop("Server", None)
