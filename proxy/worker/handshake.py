"""Accepts clients that speak TLS: each is counted, and its time runs, from accept on.

The event loop's own TLS server shows a connection when its handshake is over: until then it would be in no count and
under no limit of ours.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from proxy.worker.client_transport import ClientTransport

OUT_OF_FILES: Final = 0.1
"""Seconds until accepting is tried again when the process has too many files open."""


class Handshake:
    """One connection from accept to the end of its handshake; at `expires_at` (0: never) it has taken too long.

    It is one of `under_way` until then. `patience` is in seconds (0: no limit).
    """

    __slots__ = ("_client", "_socket", "_task", "_under_way", "expires_at")

    def __init__(
        self,
        client: ClientTransport,
        accepted: socket.socket,
        patience: float,
        under_way: dict[ClientTransport, Handshake],
    ) -> None:
        self._client = client
        self._socket = accepted
        self._under_way = under_way
        self._task: asyncio.Task[Any] | None = None
        self.expires_at = client.accepted_at + patience if patience else 0.0

    def abort(self) -> None:
        """Give up."""
        if self._task is not None:
            self._task.cancel()

    async def run(self, context: ssl.SSLContext) -> None:
        """Shake hands; the client's connection goes on by itself then. One that fails is no request."""
        self._task = asyncio.current_task()
        client = self._client
        self._under_way[client] = self
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: cast(asyncio.Protocol, client), self._socket, ssl=context
            )
        except (OSError, TimeoutError):
            return  # ssl.SSLError is one: it does not speak TLS, does not like ours, or went away
        finally:
            self._under_way.pop(client, None)


async def accept(
    listening: socket.socket,
    begin: Callable[[socket.socket], Coroutine[Any, Any, None] | None],
    spawn: Callable[[Coroutine[Any, Any, None], str], None],
) -> None:
    """Accept for ever; `begin` says what is done with a connection (None: nothing, it is closed)."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            accepted, _ = await loop.sock_accept(listening)
        except ConnectionError:
            continue  # gone again already
        except OSError:
            await asyncio.sleep(OUT_OF_FILES)
            continue
        try:
            work = begin(accepted)
        except Exception as fault:  # noqa: BLE001 - of our own: the next client is accepted all the same
            loop.call_exception_handler({"message": "unforeseen: a client that comes", "exception": fault})
            work = None
        if work is None:
            accepted.close()
        else:
            spawn(work, "handshake")
