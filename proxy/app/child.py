"""What worker with control have in common: event loop, lifeline, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from proxy.errors import EXIT_HOPELESS, CannotStartError
from proxy.link.channel import Channel
from proxy.link.messages import Leave, Message
from proxy.link.wires import LIFELINE

Heard = tuple[Message, tuple[int, ...]]


class Lifeline:
    """The connection to the supervisor, as a queue of what it says; its end reads as `Leave` with `lost` set."""

    def __init__(self, descriptor: int) -> None:
        self._queue: asyncio.Queue[Heard] = asyncio.Queue()
        self.lost = False
        self.channel = Channel(socket.socket(fileno=descriptor), LIFELINE, self._heard, lambda _: self._closed())

    async def next(self) -> Heard:
        """Wait for the supervisor's next words."""
        return await self._queue.get()

    def put(self, message: Message) -> None:
        """Act as if the supervisor had said `message`."""
        self._queue.put_nowait((message, ()))

    def _heard(self, message: Message, descriptors: tuple[int, ...]) -> None:
        self._queue.put_nowait((message, descriptors))

    def _closed(self) -> None:
        self.lost = True
        self.put(Leave())


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a child's `main` to its exit code, on uvloop where there is one.

    A terminal's signals reach the whole process group: the supervisor alone decides what they mean. It had them
    blocked for us until now.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(main())
    except CannotStartError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return EXIT_HOPELESS


def take_socket(descriptor: str) -> socket.socket:
    """Return the inherited listening socket; grandchildren do not get it."""
    number = int(descriptor)
    os.set_inheritable(number, False)  # noqa: FBT003 - the os API
    return socket.socket(fileno=number)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
