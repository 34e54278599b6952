"""Writes lines to a descriptor from a thread of its own, so that a slow reader never stops a caller."""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable

EVERY = 0.1
FULL = 512 * 1024
"""Waking the thread takes the interpreter from the callers, so fewer bytes do not wake it."""
AGAIN = 1.0
"""Seconds between two tries to report lost lines where no other line is written."""
MOST = 8 * 1024 * 1024
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""Errors that pass when the reader makes room; after any other error the log cannot be written any more."""


class LineWriter:
    """A bounded buffer before one descriptor, emptied every 100 ms or 512 KiB.

    Lines that find more than 8 MiB waiting are lost, those for a full disk as well: counted, reported as `lost(count)`
    when there is room again. `trouble` says why nothing can be written now; empty: it can.
    `_queued` and `_refused` are changed by callers alone, `_left` and `_unwritten` by the thread alone, so none of
    them needs a lock.
    """

    def __init__(
        self,
        descriptor: int,
        lost: Callable[[int], bytes],
        *,
        most: int = MOST,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self._descriptor = descriptor
        self._lost_line = lost
        self._most = most
        self._os_write = write
        self._lines: deque[bytes] = deque()
        self._queued = 0
        self._left = 0
        self._refused = 0
        self._unwritten = 0
        self._awake = False
        self._closing = False
        self._gone = False
        self._wake = threading.Event()
        self._full = threading.Event()
        self.trouble = ""
        self._reported = 0
        # several processes share a pipe: only writes of PIPE_BUF stay whole there
        mode = os.fstat(descriptor).st_mode
        self._chunk = select.PIPE_BUF if stat.S_ISFIFO(mode) else FULL
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that are lost."""
        return self._refused + self._unwritten

    def put(self, line: bytes) -> None:
        """Queue one whole line; never waits, never raises."""
        self.put_all([line])

    def put_all(self, lines: list[bytes]) -> None:
        """Queue whole lines; never waits, never raises."""
        if self._gone:
            self._refused += len(lines)
            return
        size = sum(map(len, lines))
        waiting = self._queued - self._left + size
        if waiting > self._most:
            if len(lines) > 1:  # some of them may fit
                for line in lines:
                    self.put_all([line])
            else:
                self._refused += 1
            return
        self._queued += size
        self._lines.extend(lines)
        if not self._awake:
            self._awake = True
            self._wake.set()
        elif waiting > FULL and not self._full.is_set():
            self._full.set()

    def close(self, seconds: float = 2.0) -> None:
        """Write what is left, for at most some seconds."""
        self._closing = True
        self._full.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._gone:
            self._wake.wait(None if self._reported == self.lost else AGAIN)
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
        while self._lines:
            line = self._lines.popleft()
            if pending and size + len(line) > self._chunk:
                self._write_lines(b"".join(pending))
                pending, size = [], 0
            pending.append(line)
            size += len(line)
        if pending:
            self._write_lines(b"".join(pending))
        lost = self.lost
        if lost > self._reported and not self._gone and not self._write(self._lost_line(lost - self._reported)):
            self._reported = lost

    def _write_lines(self, data: bytes) -> None:
        rest = self._write(data)
        self._unwritten += rest.count(b"\n")
        self._left += len(data)

    def _write(self, data: bytes) -> bytes:
        """Write all of it, or return what could not be, with the reason in `trouble`."""
        if self._gone:
            return data
        # a full disk cuts lines: in a file that processes share, the next writer ends the cut one
        rest = memoryview(b"\n" + data if self.trouble else data)
        while rest:
            try:
                rest = rest[self._os_write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], 1.0)
            except OSError as error:
                self._gone = error.errno not in NO_ROOM
                self.trouble = error.strerror or repr(error)
                return bytes(rest[-len(data) :])
        self.trouble = ""
        return b""
