"""Carries messages with file descriptors over one connected Unix socket.

Messages wait in a queue while the other side is slow. A report (a message with `shed`) is dropped when
more than its `shed_above` bytes wait already, pairs long before outcomes; configuration is never dropped.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence

from proxy.ipc.codec import CodecError, Inbox, Wire
from proxy.ipc.messages import Message

_CHUNK = 256 * 1024
_MOST_DESCRIPTORS = 16

Received = Callable[[Message, tuple[int, ...]], None]
Closed = Callable[[Exception | None], None]


class Channel:
    """One end of a link.

    `received(message, descriptors)` owns the descriptors it gets. `closed(error)` comes once: None for an
    orderly end. The queues change by `send`, by the event loop; `dropped` counts reports that were shed.
    """

    __slots__ = (
        "_closed",
        "_descriptors",
        "_inbox",
        "_loop",
        "_outgoing",
        "_received",
        "_socket",
        "_waiting",
        "_wire",
        "dropped",
        "open",
    )

    def __init__(
        self,
        sock: socket.socket,
        wire: Wire,
        received: Received,
        closed: Closed,
    ) -> None:
        self._socket = sock
        self._wire = wire
        self._inbox = Inbox(wire)
        self._received = received
        self._closed = closed
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._waiting = 0
        self._descriptors: deque[int] = deque()
        self.dropped = 0
        self.open = True
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)  # noqa: FBT003 - the socket API
        self._loop.add_reader(sock, self._read)

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> bool:
        """Queue `message`; False when it was shed or there is no other side.

        `descriptors` belong to the channel from now on: they are closed once they are sent.
        """
        if not self.open or (message.shed and self._waiting > message.shed_above):
            self.dropped += self.open
            _close_all(descriptors)
            return False
        frame = memoryview(self._wire.pack(message))
        idle = not self._outgoing
        self._outgoing.append((frame, tuple(descriptors)))
        self._waiting += len(frame)
        if idle:
            self._write()
        return True

    @property
    def waiting(self) -> int:
        """Bytes not yet taken by the other side's kernel."""
        return self._waiting

    def close(self, error: Exception | None = None) -> None:
        """Close the link; `closed` is called, queued messages are lost."""
        if not self.open:
            return
        self.open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        _close_all(self._descriptors)
        for _, descriptors in self._outgoing:
            _close_all(descriptors)
        self._outgoing.clear()
        self._waiting = 0
        self._closed(error)

    def finish(self) -> None:
        """Take in what the other side, which has ended, has left to be read, then close the link."""
        while self.open and self._read():
            pass
        self.close()

    def _read(self) -> bool:
        """Deliver one chunk of what has come; False when nothing is there."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, _CHUNK, _MOST_DESCRIPTORS)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.close(error)
            return False
        for descriptor in descriptors:
            # recv_fds of Python 3.11 drops the flag that would have done this
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the os API
        self._descriptors.extend(descriptors)
        if not data:
            self.close()
            return False
        self._inbox.feed(data)
        self._deliver()
        return True

    def _deliver(self) -> None:
        while self.open:
            try:
                message = self._inbox.next_message()
                if message is None:
                    return
                # descriptors come with the first byte of their frame, in order
                taken = tuple([self._descriptors.popleft() for _ in range(message.carries)])
            except (CodecError, IndexError) as error:
                self.close(error)
                return
            try:
                self._received(message, taken)
            except Exception as error:  # noqa: BLE001 - one message that went wrong must not stop the next
                self._loop.call_exception_handler({"message": "link message failed", "exception": error})

    def _write(self) -> None:
        while self._outgoing:
            frame, descriptors = self._outgoing[0]
            try:
                sent = self._hand_over(frame, descriptors)
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._socket, self._write)
                return
            except OSError as error:
                # not from inside `send`: its caller may be half-way through something
                self._loop.call_soon(self.close, error)
                return
            _close_all(descriptors)
            self._waiting -= sent
            if sent == len(frame):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = (frame[sent:], ())
        self._loop.remove_writer(self._socket)

    def _hand_over(self, frame: memoryview, descriptors: tuple[int, ...]) -> int:
        return socket.send_fds(self._socket, [frame], descriptors) if descriptors else self._socket.send(frame)


def _close_all(descriptors: Sequence[int] | deque[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
