"""The judge's end of a connection to one worker: pairs come in, how many are done goes back.

What is done is reported to the worker after control has it, never before: what the worker knows to be done is counted.
It gives these pairs' room to others; which ones are sent again when the judge ends it learns of control. Before each
pair its number goes into the page that both share, so that the worker knows which one has ended the judge; that costs a
memory access, no system call.
"""

from __future__ import annotations

import mmap
import os
import socket
from contextlib import suppress

from proxy.ipc.codec import WireError
from proxy.ipc.messages import Pair
from proxy.ipc.pair_frames import NUMBER, PAGE, PairInbox

FAR = 64
FAR_BYTES = 256 << 10
"""A quarter of what a worker sends ahead."""
_CHUNK = 1 << 18


class WorkerLink:
    """One connection. `taken` counts pairs as they are taken out, `_sent_pairs` those that the worker knows to be done.

    `has_more`: another whole pair may have been read.
    """

    def __init__(self, descriptor: int, page: int, slot: int, incarnation: int) -> None:
        self.worker = slot, incarnation
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setblocking(False)  # noqa: FBT003 - the socket API
        self._page = mmap.mmap(page, PAGE)
        os.close(page)
        self._inbox = PairInbox()
        self.taken = 0
        self._sent_pairs = 0
        self._bytes = 0
        self.has_more = False

    def read(self) -> bool:
        """Take in what has come; False when the worker is gone."""
        try:
            data = self.socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        self._inbox.feed(data)
        self.has_more = True
        return bool(data)

    def next_pair(self) -> Pair | None:
        """Take up the next pair that is whole; WireError where what came can be none."""
        try:
            pair = self._inbox.next_pair()
        except WireError:
            NUMBER.pack_into(self._page, 0, self.taken + 1)
            raise
        if pair is None:
            self.has_more = False
            return None
        self.taken += 1
        self._bytes += len(pair.legacy.body) + len(pair.modern.body)
        NUMBER.pack_into(self._page, 0, self.taken)
        return pair

    def lay_down(self) -> None:
        """Note that no pair is being judged: whatever ends the judge now, none of this worker's does."""
        NUMBER.pack_into(self._page, 0, 0)

    @property
    def is_behind(self) -> bool:
        """Whether pairs are done that are not reported yet."""
        return self._sent_pairs != self.taken

    @property
    def is_far_behind(self) -> bool:
        """Whether so much is done and not reported that the worker may soon be kept waiting."""
        return self.taken - self._sent_pairs >= FAR or self._bytes >= FAR_BYTES

    def acknowledge(self) -> None:
        """Say that every pair that was taken up is done."""
        if self._sent_pairs != self.taken:
            self._sent_pairs, self._bytes = self.taken, 0
            # a worker that is gone is noticed where its pairs are read
            with suppress(OSError):
                self.socket.send(NUMBER.pack(self.taken))

    def close(self) -> None:
        """Let go of it."""
        self.socket.close()
        self._page.close()
