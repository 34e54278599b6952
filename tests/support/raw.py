"""A client that sends exactly the given bytes."""

from __future__ import annotations

import asyncio
import ssl

from tests.support.line import Line
from tests.support.messages import Message, read_answer


class RawClient(Line):
    """One client connection."""

    async def answer(self, method: str = "GET") -> Message:
        """The next final answer."""
        return await read_answer(self, method)

    async def ask(self, data: bytes, method: str = "GET") -> Message:
        """Send bytes; take the answer."""
        self.send(data)
        return await self.answer(method)


async def connect(
    address: tuple[str, int] | str, tls: ssl.SSLContext | None = None, *, source: tuple[str, int] | None = None
) -> RawClient:
    """Connect to a port or a Unix socket."""
    loop = asyncio.get_running_loop()
    if isinstance(address, str):
        _, client = await loop.create_unix_connection(RawClient, address)
    else:
        name = "localhost" if tls else None
        _, client = await loop.create_connection(RawClient, *address, ssl=tls, server_hostname=name, local_addr=source)
    return client


def get(target: str = "/", *lines: str, host: str = "example.test", method: str = "GET") -> bytes:
    """A request without a body."""
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode("latin-1")


def post(body: bytes = b"", *lines: str, target: str = "/", method: str = "POST") -> bytes:
    """A request with a Content-Length."""
    return get(target, *lines, f"Content-Length: {len(body)}", method=method) + body
