"""Asks our own front door like a user would, for drills."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from proxy.settings import Address, parse_address
from rules.model import Facts

WITHIN = 5.0
_LONGEST_LINE = 8192
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here, replaced by loopback
MARK = "X-Strangler-Drill"


@dataclass(frozen=True, slots=True)
class Probe:
    """One answer: its status, 0 for none, after so many seconds."""

    status: int
    seconds: float


class Probing:
    """Knows the front door; nothing in it changes."""

    def __init__(self, address: str, *, tls: bool) -> None:
        self._address = parse_address(address)
        self._tls = _trusting() if tls else None

    async def ask(self, facts: Facts, mark: str, headers: Iterable[tuple[str, str]] = ()) -> Probe:
        """Send one marked request without a body over a connection of its own; never raises.

        `headers` are what the route wants to see before it takes a request.
        """
        began = monotonic()
        status = 0
        try:
            async with asyncio.timeout(WITHIN):
                status = await self._ask(facts, mark, headers)
        except (OSError, TimeoutError, ValueError, IndexError):
            status = 0
        return Probe(status, monotonic() - began)

    async def _ask(self, facts: Facts, mark: str, headers: Iterable[tuple[str, str]]) -> int:
        reader, writer = await self._connect(self._address)
        try:
            target = facts.path if facts.query is None else f"{facts.path}?{facts.query}"
            lines = [f"{facts.method} {target} HTTP/1.1", f"Host: {facts.host or 'localhost'}", f"{MARK}: {mark}"]
            lines += [f"{name}: {value}" for name, value in headers]
            lines += ["User-Agent: strangler-drill", "Accept: */*", "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode("latin-1"))
            first = await reader.readline()
            return int(first.split(b" ", 2)[1])
        finally:
            writer.transport.abort()

    async def _connect(self, address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if address.path:
            return await asyncio.open_unix_connection(address.path, limit=_LONGEST_LINE, ssl=self._tls)
        host = _ANY.get(address.host, address.host)
        return await asyncio.open_connection(host, address.port, limit=_LONGEST_LINE, ssl=self._tls)


def _trusting() -> ssl.SSLContext:
    """Return a context for talking to ourselves: whose certificate it is need not be asked."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
