"""One child process: its lifeline, its worker slot."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence

from proxy.ipc.channel import Channel
from proxy.ipc.child_process import Backoff
from proxy.ipc.codec import LIFELINE
from proxy.ipc.messages import Beat, Message, WorkerState
from proxy.supervisor.launch import Launched

TICK = 0.5
SILENT_TICKS = 10
STARTING_TICKS = 60


class Child:
    """A running child.

    `silence` counts ticks without a heart-beat; `accepting` is what the worker reports, `payload` what it started with.

    Counting ticks of our own instead of seconds keeps a supervisor that was itself stopped for a while from
    killing children whose beats it has not read yet.
    """

    def __init__(
        self,
        launched: Launched,
        slot: int,
        incarnation: int,
        *,
        received: Callable[[Child, Message], None],
        exited: Callable[[Child, int], None],
    ) -> None:
        self.role, self.slot, self.incarnation = launched.role, slot, incarnation
        self.accepting = False
        self.silence = 0
        self.beaten = False
        self.payload = b""
        self._exited = exited
        self.started = time.monotonic()
        self._process = launched.process
        self.pid = self._process.pid
        self._channel = Channel(
            launched.lifeline, LIFELINE, lambda message, _: self._on_message(message, received), lambda _: None
        )
        self._pidfd = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Hand `message` over the lifeline; a child that is gone is noticed by its exit."""
        self._channel.send(message, descriptors)

    def tick(self) -> bool:
        """Count half a second; True when the child has been silent for too long."""
        self.silence += 1
        return self.silence > (SILENT_TICKS if self.beaten else STARTING_TICKS)

    def kill(self) -> None:
        """Kill the child; safe to repeat."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)

    @property
    def lived(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def _on_message(self, message: Message, received: Callable[[Child, Message], None]) -> None:
        if isinstance(message, Beat):
            self.silence, self.beaten = 0, True
            return
        received(self, message)

    def _reap(self) -> None:
        status = self._process.poll()
        if status is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._channel.close()
        self._exited(self, status)


# The place of one worker: its listening socket stays while workers start, exit, crash.


class Slot:
    """One worker's place. `child` changes with each start or exit; `incarnation` counts the starts."""

    def __init__(self, number: int, listener: socket.socket) -> None:
        self.number = number
        self.listener = listener
        self.backoff = Backoff()
        self.incarnation = 0
        self.child: Child | None = None

    def state(self) -> WorkerState:
        """Return what other processes are sent."""
        if self.child is None:
            return WorkerState(self.number, self.incarnation, 0, accepting=False)
        return WorkerState(self.number, self.incarnation, self.child.pid, self.child.accepting)
