"""What every child process has: event loop, lifeline, signals, heart-beat, back-off."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from traceback import extract_tb
from typing import Any, Final, TypeVar

from proxy.ipc.channel import Channel
from proxy.ipc.codec import LIFELINE
from proxy.ipc.messages import Beat, Begin, Leave, Listen, Message
from proxy.settings import EXIT_HOPELESS, CannotStartError
from proxy.telemetry import events
from proxy.telemetry.events import Emit

Received = tuple[Message, tuple[int, ...]]


class Lifeline:
    """The connection to the supervisor, as a queue of its messages; its end is read as `Leave` with `lost` set."""

    def __init__(self, descriptor: int) -> None:
        self._queue: asyncio.Queue[Received] = asyncio.Queue()
        self.lost = False
        self.channel = Channel(socket.socket(fileno=descriptor), LIFELINE, self._on_message, lambda _: self._closed())

    async def next(self) -> Received:
        """Wait for the supervisor's next message."""
        return await self._queue.get()

    async def beginning(self, given: Sequence[str]) -> tuple[Begin, socket.socket] | None:
        """Wait for what there is to run, and on which socket; None when the supervisor went away before.

        A supervisor that began before this version was installed has `given` the socket on the command line.
        """
        message, descriptors = await self.next()
        listener = int(given[0]) if given else -1
        if isinstance(message, Listen):
            (listener,) = descriptors
            message, _ = await self.next()
        if not isinstance(message, Begin) or listener < 0:
            return None
        os.set_inheritable(listener, False)  # noqa: FBT003 - the os API
        return message, socket.socket(fileno=listener)

    def put(self, message: Message) -> None:
        """Act as if the supervisor had sent `message`."""
        self._queue.put_nowait((message, ()))

    def _on_message(self, message: Message, descriptors: tuple[int, ...]) -> None:
        self._queue.put_nowait((message, descriptors))

    def _closed(self) -> None:
        self.lost = True
        self.put(Leave())


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a child's `main` to its exit code, on uvloop where there is one.

    A terminal's signals reach the whole process group: only the supervisor acts on them. It had them
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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


# Starts what runs beside the rest.


Result = TypeVar("Result")


class Tasks:
    """Named tasks, kept until they end: the loop alone would let go of one that waits. `ended` is called with each."""

    def __init__(self, ended: Callable[[asyncio.Task[Any]], None] = lambda _: None) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._ended = ended

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Start `work`."""
        self._keep(asyncio.get_running_loop().create_task(work, name=name))

    def awaitable(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Start `work`, which the caller means to wait for."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._keep(task)
        return task

    async def finish(self, work: Coroutine[Any, Any, Result], name: str) -> Result:
        """Do `work` to its end, also when the caller is cancelled meanwhile; returns its result."""
        return await asyncio.shield(self.awaitable(work, name))

    async def close(self) -> None:
        """Cancel what still runs, wait until it is over."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._ended(task)


# Proves from inside the event loop that it turns.


BEAT_EVERY = 0.5


async def beat(channel: Channel, lag: Callable[[float], None] = lambda _: None) -> None:
    """Send a heart-beat every half second for ever; `lag` gets how many seconds late each was."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        late = loop.time() - due
        lag(late)
        channel.send(Beat(late))
        # a late beat is not followed by a burst of others
        due = max(due + BEAT_EVERY, loop.time())
        await asyncio.sleep(due - loop.time())


# Emits unhandled exceptions of an event loop as events, instead of a traceback among lines of JSON.
#
# Called by the loop, for instance when there is no memory for what a client sent: that client's connection is
# closed, all others go on.


UNEXPECTED_EVERY = 1.0
"""Seconds between two events: a worker without memory has thousands of exceptions."""
RESERVE: Final = 1 << 20
"""Bytes of address space that are given up when there is no memory, so that what happened can be closed and logged.

Never written to: they take no memory until they are needed.
"""


class ExceptionHandler:
    """A loop's exception handler.

    `_told_at` is the time of the last event, `_more` the number of exceptions since; `_reserve` is gone for a while
    after there was no memory.
    """

    def __init__(self, emit: Emit, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._told_at = -UNEXPECTED_EVERY
        self._more = 0
        self._reserve: bytearray | None = bytearray(RESERVE)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Emit an event for `context`, at most once a second; `more` says how many were left out before."""
        if self._reserve is not None and isinstance(context.get("exception"), MemoryError):
            self._reserve = None
            loop.call_later(UNEXPECTED_EVERY, self._set_aside, loop)
        now = self._clock()
        if now - self._told_at < UNEXPECTED_EVERY:
            self._more += 1
            return
        self._told_at, more, self._more = now, self._more, 0
        error: BaseException | None = context.get("exception")
        frames = extract_tb(error.__traceback__) if error is not None else []
        self._emit(
            events.UNEXPECTED,
            "error",
            where=context.get("message", ""),
            error=repr(error),
            at=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "",
            more=more,
        )

    def _set_aside(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the reserve again, as soon as there is memory for it."""
        try:
            self._reserve = bytearray(RESERVE)
        except MemoryError:
            loop.call_later(UNEXPECTED_EVERY, self._set_aside, loop)


# Decides how long to wait before a child that died is started again.


FIRST = 0.1
LONGEST = 5.0
HEALTHY_AFTER = 30.0


class Backoff:
    """0, then 0.1 s, doubling up to 5 s; back to 0 once a child has lived for 30 s. `deaths` changes with `after`."""

    __slots__ = ("deaths",)

    def __init__(self) -> None:
        self.deaths = 0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a child that lived for `lived` seconds has died."""
        if lived >= HEALTHY_AFTER:
            self.deaths = 0
        self.deaths += 1
        if self.deaths == 1:
            return 0.0
        # 2 ** 1000 would overflow a float long after the wait has reached its limit
        return float(min(FIRST * 2 ** min(self.deaths - 2, 16), LONGEST))
