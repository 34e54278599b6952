"""Reads bodies in pieces of 64 KiB, into one buffer that all connections share.

Left to itself, the event loop hands over up to 250 KiB with each read: for some hundred connections whose clients do
not read, that alone is more than the worker may hold. It costs a microsecond a read, a tenth of a large transfer: so a
connection changes over inside a body, while much is held for slow clients, and back at the body's end.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

ONE_READ: Final = 64 * 1024
"""Bytes that may come with one read."""
_VIEW: Final = memoryview(bytearray(ONE_READ))


class Reader(Protocol):
    """A connection: what the loop calls."""

    def data_received(self, data: bytes) -> None:
        """Bytes came."""

    def eof_received(self) -> bool:
        """No more will come."""

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""

    def pause_writing(self) -> None:
        """The other side takes no more for now."""

    def resume_writing(self) -> None:
        """The other side takes more again."""


class BoundedReads(asyncio.BufferedProtocol):
    """Stands for a connection before the loop, and reads for it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Reader) -> None:
        self._connection = connection

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - as asyncio has it
        """Where the loop puts what it reads; it is copied before the next read."""
        return _VIEW

    def buffer_updated(self, nbytes: int) -> None:
        """Hand over what was read."""
        self._connection.data_received(bytes(_VIEW[:nbytes]))

    def eof_received(self) -> bool:
        """Hand it over."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand it over."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hand it over."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Hand it over."""
        self._connection.resume_writing()


def change_over(transport: asyncio.Transport, reader: Reader | BoundedReads, *, reading: bool) -> None:
    """Let `reader` have what comes from now on; the loop looks at what it is when it begins to read."""
    if transport.is_closing():
        return
    if reading:
        transport.pause_reading()
    transport.set_protocol(cast(asyncio.BaseProtocol, reader))
    if reading:
        transport.resume_reading()
