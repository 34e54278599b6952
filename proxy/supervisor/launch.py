"""Starts child processes, the first of them before anything is known but their role.

Importing what they need takes longer than checking the file. So control and a first worker start beside the process
that checks it, and wait for what they are to run; where the file is refused they end.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from proxy.ipc.internal_commands import command, environment

BLOCKED = (signal.SIGINT, signal.SIGHUP)
"""Signals that reach the whole process group, while only the supervisor acts on them."""
VARIABLE = "STRANGLER_INHERITED"
"""The one in which an old program names the sockets that it passes on; no child may see it."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A child that imports what it needs; it does the rest when it gets its first message over `lifeline`."""

    role: str
    process: subprocess.Popen[bytes]
    lifeline: socket.socket

    def end(self) -> None:
        """End a child that is not needed."""
        self.lifeline.close()
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


def launch(role: str) -> Launched:
    """Start a child that gets no Ctrl-C until it is ready to ignore it."""
    environ = environment()
    environ.pop(VARIABLE, None)
    ours, theirs = socket.socketpair()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    try:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                command(role, str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environ,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Launched(role, process, ours)


def start_loading(path: str, workers: str) -> subprocess.Popen[bytes]:
    """Start the process that checks the file and prints what there is to run.

    The checking libraries need more memory than all of the supervisor; they end with that process.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        command("load", path, workers), stdout=subprocess.PIPE, env=environment()
    )


def first_children(*, legacy_only: bool) -> dict[str, Launched]:
    """Start, by role, the children that every file needs."""
    return {role: launch(role) for role in (("worker",) if legacy_only else ("control", "worker"))}
