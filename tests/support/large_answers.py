"""A backend in a process of its own: `python -m tests.support.large_answers` prints its port.

`/large` is six megabytes, `/upload` is never answered, everything else a kilobyte. It keeps its kernel's buffers small:
it is the proxy that is to be busy. On uvloop, which does not copy what waits to be written.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from typing import cast

import uvloop

from tests.support.backend import ok

LARGE = ok(b"x" * 6_000_000)
SMALL = ok(b"y" * 1000)


class Answering(asyncio.Protocol):
    """One connection; what comes behind a head is no head."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /large "):
            self._transport.write(LARGE)
        elif data.startswith(b"GET "):
            self._transport.write(SMALL)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[str]:
    """Such a backend's URL, while it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.large_answers", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(serve())
