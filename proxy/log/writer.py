"""Writes lines to a descriptor from a thread of its own, so that a slow reader never stops a caller."""

from __future__ import annotations

import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable

EVERY = 0.1
FULL = 512 * 1024
"""Waking the thread takes the interpreter from the callers, so it is not woken for less."""
MOST = 8 * 1024 * 1024


class LineWriter:
    """A bounded buffer before one descriptor, emptied every 100 ms or 512 KiB.

    Lines that find more than 8 MiB waiting are lost, counted, told as `lost(count)` when there is room again.
    `_queued` is changed by callers alone, `_written` by the thread alone, so neither needs a lock.
    """

    def __init__(self, descriptor: int, lost: Callable[[int], bytes], *, most: int = MOST) -> None:
        self._descriptor = descriptor
        self._lost_line = lost
        self._most = most
        self._lines: deque[bytes] = deque()
        self._queued = 0
        self._written = 0
        self._awake = False
        self._closing = False
        self._gone = False
        self._wake = threading.Event()
        self._full = threading.Event()
        self.lost = 0
        self._told = 0
        # several processes share a pipe: only writes of PIPE_BUF stay whole there
        mode = os.fstat(descriptor).st_mode
        self._chunk = select.PIPE_BUF if stat.S_ISFIFO(mode) else FULL
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Take one whole line; never waits, never raises."""
        self.put_all([line])

    def put_all(self, lines: list[bytes]) -> None:
        """Take whole lines; never waits, never raises."""
        size = sum(map(len, lines))
        waiting = self._queued - self._written + size
        if waiting > self._most:
            if len(lines) > 1:  # some of them may fit
                for line in lines:
                    self.put_all([line])
            else:
                self.lost += 1
            return
        self._queued += size
        self._lines.extend(lines)
        if not self._awake:
            self._awake = True
            self._wake.set()
        elif waiting > FULL and not self._full.is_set():
            self._full.set()

    def close(self, seconds: float = 2.0) -> None:
        """Write what is left, for at most so long."""
        self._closing = True
        self._full.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._gone:
            self._wake.wait()
            self._wake.clear()
            self._full.wait(EVERY)
            self._full.clear()
            # before emptying: a line put from here on wakes the next round
            self._awake = False
            self._empty()
            if self._closing and not self._lines:
                return

    def _empty(self) -> None:
        pending: list[bytes] = []
        size = 0
        while self._lines and not self._gone:
            line = self._lines.popleft()
            if pending and size + len(line) > self._chunk:
                self._write(b"".join(pending))
                pending, size = [], 0
            pending.append(line)
            size += len(line)
        if pending:
            self._write(b"".join(pending))
        lost = self.lost
        if lost > self._told:
            count, self._told = lost - self._told, lost
            self._write(self._lost_line(count), counted=False)

    def _write(self, data: bytes, *, counted: bool = True) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                # whoever read us is gone for good; lines from now on are counted as lost
                self._gone = True
                return
        if counted:
            self._written += len(data)
