"""Who changed what, when, why; counts of changes.

Numbers of events come from the clock, so that they grow across restarts and need no store.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time
from typing import Any

import orjson

from proxy.control.store_writer import StoreWriter
from proxy.storage.store import Event, StoreError
from proxy.telemetry import events
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.events import Emit, timestamp
from proxy.telemetry.metric_names import ROLLBACKS, ROUTE_CHANGES

CLOSED_LIST = (
    "rollback", "step_back", "advance", "hold", "resume", "weight", "invariant", "reload", "config_refused", "trip",
    "drill", "sessions_revoked",
)  # fmt: skip
"""The names of events."""
_TOLD_ELSEWHERE = ("reload", "config_refused")
REMEMBERED = 1000
LISTENERS = 64
QUEUED = 256
"""Events that may wait for one listener; a slower one is disconnected and has to reconnect."""


class TooManyListenersError(Exception):
    """There are too many listeners; a retry later may work."""


class Listener:
    """A listener gets each event as it happens; `None` from `next` means: reconnect later."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUED + 1)
        self._behind = False

    def put(self, event: Event) -> None:
        """Queue `event`; a listener that cannot keep up is disconnected."""
        if self._behind:
            return
        if self._queue.qsize() >= QUEUED:
            self.dismiss()
        else:
            self._queue.put_nowait(event)

    def dismiss(self) -> None:
        """End the stream."""
        if not self._behind:
            self._behind = True
            self._queue.put_nowait(None)

    async def next(self) -> Event | None:
        """Wait for the next event."""
        return await self._queue.get()


class AuditLog:
    """Records events.

    `_last` is the newest number, `_lately` the newest events, `_listeners` are the connected ones.
    """

    def __init__(self, writer: StoreWriter, emit: Emit, clock: Callable[[], float] = time) -> None:
        self._store_writer = writer
        self._emit = emit
        self._clock = clock
        self._last = 0
        self._lately: deque[Event] = deque(maxlen=REMEMBERED)
        self._listeners: set[Listener] = set()
        self._followers: list[Callable[[Event], None]] = []

    def record(self, event: str, route: str, who: str, reason: str, evidence: str = "", level: str = "info") -> Event:
        """Record that `event` happened to `route` (empty: to all), now."""
        now = self._clock()
        self._last = max(self._last + 1, int(now * 1_000_000))
        made = Event(self._last, now, event, route, who, reason, evidence)
        self._lately.append(made)
        self._store_writer.record(made)
        if event not in _TOLD_ELSEWHERE:
            self._emit(events.CHANGED, level, what=event, route=route, who=who, reason=reason)
        for listener in tuple(self._listeners):
            listener.put(made)
        for follower in self._followers:
            follower(made)
        return made

    def subscribe(self, follower: Callable[[Event], None]) -> None:
        """Call `follower` with every event from now on; it must not wait."""
        self._followers.append(follower)

    async def since(self, number: int, limit: int) -> tuple[Event, ...]:
        """Return events after `number` (negative: the newest), in order; without a store the latest ones."""
        try:
            kept = await self._store_writer.store.events(number, limit)
        except StoreError:
            kept = ()
        known = {event.id: event for event in kept}
        # events that are not written yet count as well
        complete = number < 0 or len(kept) < limit
        known.update((event.id, event) for event in self._lately if complete and event.id > number)
        ids = sorted(known)
        return tuple(known[each] for each in (ids[-limit:] if number < 0 else ids[:limit]))

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Yield a listener for every event as it happens, as long as the block lasts."""
        if len(self._listeners) >= LISTENERS:
            raise TooManyListenersError
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def dismiss_all(self) -> None:
        """End every listener: the process stops."""
        for listener in tuple(self._listeners):
            listener.dismiss()


def document(event: Event) -> dict[str, Any]:
    """Return an event as the API shows it."""
    return {
        "id": event.id,
        "at": timestamp(event.at),
        "event": event.event,
        "route": event.route,
        "who": event.who,
        "reason": event.reason,
        "evidence": parsed(event.evidence),
    }


def parsed(evidence: str) -> Any:
    """Return evidence as JSON values, None for none."""
    try:
        return orjson.loads(evidence) if evidence else None
    except orjson.JSONDecodeError:
        return evidence


# Counts actions on routes, for the metrics.


class Changes:
    """Counts since control began; only its methods change them."""

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()

    def changed(self, route: str, verb: str) -> None:
        """Count one use of a verb."""
        self._counts[ROUTE_CHANGES.name, (route, verb)] += 1

    def rolled_back(self, route: str, reason: str) -> None:
        """Count one rollback by its reason, one of the closed list."""
        self._counts[ROLLBACKS.name, (route, reason)] += 1

    def series(self) -> dict[Key, Values]:
        """Return every series."""
        return {key: (float(count),) for key, count in self._counts.items()}
