"""Runs a command on a terminal: it sees a tty, its keys come from the keyboard, Ctrl-C included."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

CTRL_C: Final = b"\x03"
PATIENCE: Final = 120.0
"""Seconds until the terminal must have said something; what is waited for takes seconds on a quiet machine."""
_CONTROL: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """One command on a pseudo terminal. `text` is all that it has written, without the colours; it grows."""

    def __init__(
        self, *command: str, folder: Path, environ: Mapping[str, str], size: tuple[int, int] = (60, 160)
    ) -> None:
        self.process: asyncio.subprocess.Process
        self._command = command
        self._folder = folder
        # what this process has of it is of another terminal, or of a test that was here before
        self._environ = {**environ, "TERM": "xterm", "COLUMNS": f"{size[1]}", "LINES": f"{size[0]}"}
        self._size = size
        self._data = b""
        self._master = -1
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        os.set_blocking(self._master, False)
        try:
            # setsid --ctty makes it the terminal of a session of its own: Ctrl-C reaches who would get it at a desk
            self.process = await asyncio.create_subprocess_exec(
                "setsid", "--ctty", *self._command,
                cwd=self._folder, env=self._environ, stdin=slave, stdout=slave, stderr=slave,
            )  # fmt: skip
        finally:
            os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), PATIENCE)
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        if kind is not None:
            print(self.text)

    @property
    def text(self) -> str:
        """Everything that was written so far."""
        return _CONTROL.sub(b"", self._data).decode(errors="replace")

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    async def says(self, pattern: str, *, after: int = 0, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until what was written from `after` on has this in it."""
        try:
            async with asyncio.timeout(seconds):
                while (found := re.compile(pattern).search(self.text, after)) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"the terminal never said {pattern}:\n{self.text}") from None
        return found

    async def ends(self) -> int:
        """Wait for the end; the exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the writer has ended
            self._data += os.read(self._master, 1 << 16)
        self._news.set()
