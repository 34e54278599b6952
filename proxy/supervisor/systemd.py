"""Tells the service manager how the proxy is doing (sd_notify)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

PATIENCE = 0.5
"""Seconds that the supervisor waits for a service manager that does not read."""


class Notifier:
    """Sends state lines to `$NOTIFY_SOCKET`; without one, to nobody. Nothing in it changes."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        # a leading @ spells the abstract namespace
        self._path = "\0" + name[1:] if name.startswith("@") else name
        self.watched = "WATCHDOG_USEC" in environ

    def say(self, *lines: str) -> None:
        """Send `lines` as one datagram; a service manager that does not listen is not our problem."""
        if not self._path:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            # a busy manager's queue is ten messages long; a lost READY=1 would be a failed start
            sock.settimeout(PATIENCE)
            try:
                sock.sendto("\n".join(lines).encode(), self._path)
            except OSError:
                return

    def reloading(self) -> None:
        """Say that a reload begins; READY=1 must follow."""
        self.say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """Feed the watchdog, if there is one."""
        if self.watched:
            self.say("WATCHDOG=1")
