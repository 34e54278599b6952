"""Runs a difference store in a thread of its own, behind a queue with an end.

Nothing waits for a write: what finds the queue full, or meets a disk that refuses, is lost, counted, told once
until it works again. A question waits its turn behind what was added before it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from proxy.state.diffs import Difference, Diffs, DiffsError

MOST_WAITING = 2000
MOST_BYTES = 32 << 20
AT_ONCE = 100
"""Pairs written in one transaction."""
T = TypeVar("T")
Work = tuple[Callable[[Diffs], Any], "Future[Any]"]


class DiffsThread:
    """The way from the event loop to the store. The queue changes under `_news`; `lost` counts what was not kept.

    `opened` makes the store inside the thread, since even that may wait for a disk. `complain` is called from the
    thread with what went wrong (empty: it works again), once for each change.
    """

    def __init__(self, opened: Callable[[], Diffs], complain: Callable[[str], None]) -> None:
        self._opened = opened
        self._complain = complain
        self._complaint = ""
        self._waiting: deque[Difference | Work] = deque()
        self._adds = self._bytes = 0
        self._news = threading.Condition()
        self._ended = False
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="differences", daemon=True)
        self._thread.start()

    def add(self, difference: Difference) -> bool:
        """Have a difference written soon; False when too many wait already."""
        with self._news:
            size = len(difference.pair)
            if self._ended or self._adds >= MOST_WAITING or self._bytes + size > MOST_BYTES:
                self.lost += 1
                return False
            self._waiting.append(difference)
            self._adds += 1
            self._bytes += size
            self._news.notify()
        return True

    async def ask(self, question: Callable[[Diffs], T]) -> T:
        """Return what `question` finds in the store, after everything that was added before; DiffsError."""
        future: Future[T] = Future()
        with self._news:
            if self._ended:
                raise DiffsError("the store of differences is closed")
            self._waiting.append((question, future))
            self._news.notify()
        return await asyncio.wrap_future(future)

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for so long at most."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        store: Diffs | None = None
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                adds = self._next_adds()
                work = None if adds else self._waiting.popleft()
            store = self._do(store, adds, work if isinstance(work, tuple) else None)
        if store is not None:
            store.close()

    def _next_adds(self) -> list[Difference]:
        """Take the differences at the front of the queue, as many as one transaction may hold."""
        adds: list[Difference] = []
        while self._waiting and len(adds) < AT_ONCE and isinstance(self._waiting[0], Difference):
            adds.append(self._waiting[0])
            self._waiting.popleft()
        self._adds -= len(adds)
        self._bytes -= sum(len(add.pair) for add in adds)
        return adds

    def _do(self, store: Diffs | None, adds: list[Difference], work: Work | None) -> Diffs | None:
        try:
            store = store or self._opened()
            if adds:
                store.add(adds)
                self._say("")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the disk, the thread goes on
            self.lost += len(adds)
            self._say(str(error))
        if work is not None:
            _answer(store, *work)
        return store

    def _say(self, complaint: str) -> None:
        if bool(complaint) != bool(self._complaint):
            self._complain(complaint)
        self._complaint = complaint


def _answer(store: Diffs | None, question: Callable[[Diffs], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        if store is None:
            raise DiffsError("the store of differences cannot be opened")
        future.set_result(question(store))
    except Exception as error:  # noqa: BLE001 - whoever asked is told, the thread goes on
        future.set_exception(error)
