"""The place of one worker: its listening socket stays while workers come, leave, die."""

from __future__ import annotations

import socket

from proxy.ipc.child_process import Backoff
from proxy.ipc.messages import WorkerState
from proxy.supervisor.child import Child


class Slot:
    """One worker's place. `child` changes with each start or exit; `incarnation` counts the starts."""

    def __init__(self, number: int, listener: socket.socket) -> None:
        self.number = number
        self.listener = listener
        self.backoff = Backoff()
        self.incarnation = 0
        self.child: Child | None = None

    def state(self) -> WorkerState:
        """Return what others may know."""
        if self.child is None:
            return WorkerState(self.number, self.incarnation, 0, accepting=False)
        return WorkerState(self.number, self.incarnation, self.child.pid, self.child.accepting)
