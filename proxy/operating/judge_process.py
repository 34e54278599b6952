"""One judge: a child process of control, with the connection to it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from proxy.ipc.channel import Channel
from proxy.ipc.judge_messages import JUDGE
from proxy.ipc.messages import Message
from proxy.supervisor.child import command, environment

_SECRETS = ("APP_KEY", "APP_PREVIOUS_KEYS")
_OURS = "STRANGLER_"
_STANDARD_ERROR = 2
_OUT_OF_TIME = (-signal.SIGPROF, -signal.SIGALRM)


class Judge(Protocol):
    """What the pool needs of a judge."""

    def send(self, message: Message) -> None:
        """Hand `message` over."""

    def end(self) -> None:
        """End it without a word; safe to repeat."""


class JudgeProcess:
    """A `Judge` of flesh. `heard` gets its words; `gone(late)` comes once, when it has ended, by its own limit or not.

    Nothing in it changes but what the kernel says of the process.
    """

    def __init__(
        self, environ: Mapping[str, str], heard: Callable[[Message], None], gone: Callable[[bool], None]
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                command("judge", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # an operator's function may print: not among the access lines
                stdout=_STANDARD_ERROR,
                env=dict(environ),
            )
        self.pid = self._process.pid
        self._gone = gone
        self._channel = Channel(ours, JUDGE, lambda message, _: heard(message), lambda _: self.end())
        self._pidfd = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def send(self, message: Message) -> None:
        """Hand `message` over."""
        self._channel.send(message)

    def end(self) -> None:
        """End it without a word; safe to repeat."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _reap(self) -> None:
        if self._process.poll() is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._channel.close()
        self._gone(self._process.returncode in _OUT_OF_TIME)


def judge_environment(named: tuple[str, ...]) -> dict[str, str]:
    """Return a judge's environment: ours without the keys, tokens, webhooks (`named` by the file) that it never needs.

    What runs there may be an operator's own function, over answers that anybody may have shaped.
    """
    return {
        name: value
        for name, value in environment().items()
        if not name.startswith(_OURS) and name not in _SECRETS and name not in named
    }
