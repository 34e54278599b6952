"""One end of a real connection: every received byte is kept, every sent byte is chosen by the test."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterable
from typing import Any

from tests.support.waiting import PATIENCE


class Ended(Exception):
    """The other side went away while a test or a script was waiting for more."""


class Line(asyncio.Protocol):
    """Raw bytes in `received`; `ended` is empty, `eof`, `reset` or `closed` (by ourselves)."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.received = bytearray()
        self.ended = ""
        self.taken = 0
        self.full = False
        self._news = asyncio.Event()

    # ── called by the event loop ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        sock = transport.get_extra_info("socket")
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._news.set()

    def eof_received(self) -> bool:
        self.ended = self.ended or "eof"
        self._news.set()
        return self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = self.ended or ("reset" if error is not None else "closed")
        self._news.set()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._news.set()

    # ── reading ──

    @property
    def unread(self) -> bytes:
        return bytes(self.received[self.taken :])

    async def news(self, seconds: float = PATIENCE) -> None:
        """Wait until something changed."""
        self._news.clear()
        async with asyncio.timeout(seconds):
            await self._news.wait()

    async def until(self, ending: bytes) -> bytes:
        """Take everything up to `ending`, which is included."""
        while (at := self.received.find(ending, self.taken)) < 0:
            if self.ended:
                raise Ended(f"{self.ended} instead of {ending!r} after {self.unread[-200:]!r}")
            await self.news()
        return self._take(at + len(ending) - self.taken)

    async def seen(self, data: bytes, times: int = 1) -> None:
        """Wait until `data` came so many times, without taking anything."""
        while self.received.count(data) < times:
            if self.ended:
                raise Ended(f"{self.ended} before {data!r}")
            await self.news()

    async def exactly(self, size: int) -> bytes:
        """Take `size` bytes."""
        while len(self.received) - self.taken < size:
            if self.ended:
                raise Ended(f"{self.ended} after {len(self.received) - self.taken} of {size} bytes")
            await self.news()
        return self._take(size)

    async def gone(self, seconds: float = PATIENCE) -> str:
        """Wait for the other side's end; say what kind it was."""
        while not self.ended:
            await self.news(seconds)
        return self.ended

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        await self.gone()
        return self._take(len(self.received) - self.taken)

    def _take(self, size: int) -> bytes:
        piece = bytes(self.received[self.taken : self.taken + size])
        self.taken += size
        return piece

    # ── writing ──

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    async def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Send each piece so that the other side reads it on its own."""
        for piece in pieces:
            if self.transport.is_closing():
                return
            self.transport.write(piece)
            for _ in range(4):
                await asyncio.sleep(0)

    async def drip(self, data: bytes) -> None:
        """Send one byte at a time."""
        await self.send_pieces(data[at : at + 1] for at in range(len(data)))

    def send_now(self, data: bytes) -> None:
        """Put bytes into the kernel before anybody else runs."""
        with self._socket() as sock:
            assert sock.send(data) == len(data)

    def say_end_now(self) -> None:
        """Put the end into the kernel before anybody else runs."""
        with self._socket() as sock:
            sock.shutdown(socket.SHUT_RDWR)

    def _socket(self) -> socket.socket:
        """The same connection by a descriptor of our own."""
        return socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))

    async def flushed(self) -> None:
        """Wait until the other side took what was written."""
        while self.full and not self.ended:
            await self.news()

    # ── parting ──

    def say_end(self) -> None:
        self.transport.write_eof()

    def close(self) -> None:
        self.ended = self.ended or "closed"
        self.transport.close()

    def reset(self) -> None:
        """End the connection with an RST."""
        self.ended = self.ended or "closed"
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
