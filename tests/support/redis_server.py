"""Debian's own Redis, for a test alone: a port of its own, a password, nothing on the disk unless asked for."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.waiting import PATIENCE, until

PASSWORD = "of this test alone"


class RedisServer:
    """A Redis that can be killed, stopped, started again on the same port; `url` is how a file names it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, empty or with what the last one saved in an orderly end."""
        found = shutil.which("redis-server")
        assert found, "redis-server is not installed: make test installs it"
        # fmt: off
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it lives on, in its own time
            [
                found, "--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD,
                "--dir", str(self._folder), "--save", "", "--appendonly", "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        # fmt: on
        await until(self._answers, "Redis")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._process.wait(20)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"-NOAUTH")
        except OSError:
            return False

    async def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait, PATIENCE)


@contextlib.asynccontextmanager
async def redis_running(folder: Path) -> AsyncIterator[RedisServer]:
    """A Redis that answers."""
    server = RedisServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
