"""The port of the difference store; its background thread.

A group is one route, one path pattern, one kind, one pair of types: its id is the fingerprint of these. A pair
belongs to every group that it differs in. Everything stored here has been redacted before.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol, TypeVar

from proxy.ipc.judge_messages import Found

EXAMPLES = 5
"""Pairs kept for each group: the first ever, and the latest."""
MOST_GROUPS = 10_000
"""Above this, the groups not seen for longest are dropped."""

FIRST_PLACE = (inf, "")
"""The place before every group of a list that begins with the newest."""

EQUAL = "equal"
"""The value of `Group.rejudged` for a difference that the current file excuses, or that was fixed."""


TRANSIENT = "t-"
"""The prefix of ids of groups whose pairs were equal in the re-check: examples, never mismatches, never open."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One pair that differed; `pair` is its redacted, packed form (see `proxy.judge.redaction`), empty when not kept.

    `at` is epoch seconds, `request` one readable line. Without `is_example` it stands for `count` pairs that are only
    added to their groups.
    """

    id: str
    at: float
    route: str
    request: str
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    pair: bytes = field(default=b"", repr=False)
    count: int = 1
    is_example: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """Why a group is not to be counted as a mismatch, until which day, up to which share of compared pairs."""

    reason: str
    owner: str = ""
    until: str = ""
    max_rate: float | None = None
    who: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """One pair of one group, with what differed there."""

    pair: str
    at: float
    request: str
    found: Found
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All pairs with the same difference.

    `rejudged` is the last result of its examples under the current file, or empty.
    """

    id: str
    route: str
    path: str
    kind: str
    count: int
    first_seen: float
    last_seen: float
    known: Known | None = None
    rejudged: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def is_transient(self) -> bool:
        """Whether its pairs were equal in the re-check."""
        return self.id.startswith(TRANSIENT)

    @property
    def place(self) -> str:
        """The group's position in a list, for `Wanted.after`: not its id, because groups move while a list is read."""
        return f"{self.last_seen!r}~{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups to list: newest first, `limit` of them after the place `after` (empty: from the start).

    `transient` selects those whose pairs were equal in the re-check, else all others.
    ValueError when `after` is no `Group.place`.
    """

    route: str = ""
    since: float = 0.0
    after: str = ""
    limit: int = 100
    transient: bool = False
    place: tuple[float, str] = field(default=FIRST_PLACE, init=False)

    def __post_init__(self) -> None:
        if self.after:
            seen, _, group = self.after.partition("~")
            object.__setattr__(self, "place", (float(seen), group))


class Diffs(Protocol):
    """Where differences are stored. Every method may take as long as a disk does; all raise `DiffsError`."""

    def add_differences(self, differences: Sequence[Difference]) -> None:
        """Count these pairs in their groups, store a few of them."""

    def groups(self, wanted: Wanted) -> tuple[Group, ...]:
        """Return groups with their latest examples."""

    def group(self, group: str) -> Group | None:
        """Return one group with all its examples, None when there is none of this id."""

    def pair(self, pair: str) -> bytes:
        """Return a pair as it was packed, empty when it is not kept."""

    def open_groups(self) -> Mapping[str, int]:
        """Return for each route how many groups are neither known nor found equal under a later file."""

    def know(self, group: str, known: Known | None) -> bool:
        """Note that a group is known, or (None) is not any more; False when there is no such group."""

    def known(self) -> Mapping[str, Known]:
        """Return everything that is known, by group."""

    def rejudged(self, verdicts: Mapping[str, str]) -> None:
        """Store the result of each of these groups' examples under the current file."""

    def note(self, name: str, value: bytes) -> None:
        """Store a small value under a name."""

    def noted(self, name: str) -> bytes:
        """Return a small value, empty for none."""

    def trim(self, now: float, keep: float, max_bytes: int) -> None:
        """Delete what is older than `keep` seconds, then the oldest pairs until `max_bytes` suffice; 0 is no limit."""

    def close(self) -> None:
        """Close the store."""


class DiffsError(Exception):
    """The store cannot be read or written now; the same call may work later."""


# Runs a difference store in a thread of its own, behind a queue with an end.
#
# Nothing waits for a write: what finds the queue full, or fails on the disk, is lost, counted, reported once
# until it works again. A query runs after everything that was added before it.


MOST_WAITING = 2000
MOST_BYTES = 32 << 20
AT_ONCE = 100
"""Pairs written in one transaction."""
T = TypeVar("T")
Work = tuple[Callable[[Diffs], Any], "Future[Any]"]


class DiffsThread:
    """The way from the event loop to the store. The queue changes under `_news`; `lost` counts what was not stored.

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

    def add_difference(self, difference: Difference) -> bool:
        """Queue a difference to be written; False when too many wait already."""
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

    async def query(self, question: Callable[[Diffs], T]) -> T:
        """Run `question` on the store after everything that was added before, and return its result; DiffsError."""
        future: Future[T] = Future()
        with self._news:
            if self._ended:
                raise DiffsError("the store of differences is closed")
            self._waiting.append((question, future))
            self._news.notify()
        return await asyncio.wrap_future(future)

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for at most some seconds."""
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
                store.add_differences(adds)
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
    except Exception as error:  # noqa: BLE001 - the caller gets the error, the thread goes on
        future.set_exception(error)
