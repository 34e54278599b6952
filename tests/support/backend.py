"""A backend that follows a script, and keeps the exact bytes of every connection made to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.line import Ended, Line
from tests.support.messages import Message, read_request
from tests.support.waiting import until


class Wire(Line):
    """One connection that the proxy made; `requests` are those its script has read."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.requests: list[Message] = []
        self._backend = backend

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._backend.connected(self)

    async def request(self) -> Message:
        """Read the next whole request."""
        message = await read_request(self)
        self.requests.append(message)
        return message

    async def head(self) -> bytes:
        """Read up to the end of the next head."""
        return await self.until(b"\r\n\r\n")


Script = Callable[[Wire], Awaitable[None]]


class Backend:
    """Runs the first script on the first connection and so on; the last one on all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.wires: list[Wire] = []
        self.errors: list[BaseException] = []
        self.url = ""
        self.port = 0
        self._server: asyncio.AbstractServer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(
        self, *, path: str = "", tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Listen on a free port (or on this one), or on a Unix socket."""
        loop = asyncio.get_running_loop()
        if path:
            self._server = await loop.create_unix_server(lambda: Wire(self), path, ssl=tls)
            self.url = f"unix:{path}"
            return
        self._server = await loop.create_server(lambda: Wire(self), host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    async def stop(self) -> None:
        """End everything; `errors` keeps what went wrong in a script."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for wire in self.wires:
            wire.transport.abort()
        await asyncio.sleep(0)

    def connected(self, wire: Wire) -> None:
        script = self.scripts[min(len(self.wires), len(self.scripts) - 1)]
        self.wires.append(wire)
        self._tasks.append(asyncio.get_running_loop().create_task(self._run(script, wire)))

    async def _run(self, script: Script, wire: Wire) -> None:
        try:
            with contextlib.suppress(Ended, asyncio.CancelledError):
                await script(wire)
        except Exception as error:  # noqa: BLE001 - told when the test ends
            self.errors.append(error)

    async def wire(self, number: int = 0) -> Wire:
        """The connection of that number, as soon as it is made."""
        await until(lambda: len(self.wires) > number, f"connection {number} to the backend")
        return self.wires[number]

    @property
    def requests(self) -> list[Message]:
        return [request for wire in self.wires for request in wire.requests]

    @property
    def received(self) -> bytes:
        return b"".join(bytes(wire.received) for wire in self.wires)


# ── answers ──


def ok(body: bytes = b"hello", *lines: str, status: str = "200 OK") -> bytes:
    """An answer with a Content-Length."""
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def chunks(*pieces: bytes, lines: tuple[str, ...] = (), status: str = "200 OK", end: bytes = b"0\r\n\r\n") -> bytes:
    """A chunked answer; `end` empty leaves it unfinished."""
    fields = "".join(f"{line}\r\n" for line in lines)
    head = f"HTTP/1.1 {status}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode("latin-1")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


# ── scripts ──


async def hang(wire: Wire) -> None:
    """Read everything, say nothing."""
    await wire.gone()


def always(answer: bytes | Callable[[Message], bytes]) -> Script:
    """Give every request the same answer."""

    async def script(wire: Wire) -> None:
        while True:
            request = await wire.request()
            wire.send(answer(request) if callable(answer) else answer)

    return script


def answering(*answers: bytes, then: Callable[[Wire], Any] | None = None) -> Script:
    """Give one answer a request, then `then` (else stay silent)."""

    async def script(wire: Wire) -> None:
        for answer in answers:
            await wire.request()
            wire.send(answer)
        if then is not None:
            result = then(wire)
            if result is not None:
                await result
        await wire.gone()

    return script


def on_head(data: bytes, then: Callable[[Wire], Any] | None = None) -> Script:
    """Say `data` as soon as a head came, whatever body follows, then `then`."""

    async def script(wire: Wire) -> None:
        await wire.head()
        wire.send(data)
        if then is not None:
            result = then(wire)
            if result is not None:
                await result
        await wire.gone()

    return script
