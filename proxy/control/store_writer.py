"""Writes to the store what must be stored eventually: rollbacks, holds, every event.

Nothing waits for it. What cannot be written now is retried until it can; of one route only the newest override is
kept waiting, of events a bounded number. Promotions do not use it: they wait for the store themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from proxy.storage.store import Event, StaleError, Store, StoreError
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.model import Override

MOST_EVENTS = 5_000
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
TRIES = 20
"""How many concurrent changes of the same route are retried before the next try is left for later."""
Settle = Callable[[Override, Override], Override]
"""Resolves a conflict of ours with an unknown override in the store."""


class StoreWriter:
    """Writes to the store. `_overrides` and `_events` wait to be written, `up` is the result of the last try.

    `_known` is the revision that the store has of each route, as far as is known, `_sure` are the routes that were
    read since it was last down; `settle` and `corrected` (called with
    what is stored where that is not what was to be written) are set once, at composition.
    """

    def __init__(self, store: Store, emit: Emit) -> None:
        self.store = store
        self.settle: Settle = lambda ours, _: ours
        self.corrected: Callable[[Override, Override], None] = lambda *_: None
        self._known: dict[str, int] = {}
        self._sure: set[str] = set()
        self.up = False
        self.lost = 0
        self._emit = emit
        self._reported = False
        self._overrides: dict[str, Override] = {}
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._back = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    def write(self, override: Override) -> None:
        """Queue `override`, to be written over whatever is stored."""
        self._overrides[override.route] = override
        self._news.set()

    def record(self, event: Event) -> None:
        """Queue `event`; the oldest are dropped when far too many wait."""
        if len(self._events) >= MOST_EVENTS:
            self._events.popleft()
            self.lost += 1
        self._events.append(event)
        self._news.set()

    async def put(self, override: Override, expected: int) -> Override:
        """Store `override` now, or raise StoreError, StaleError: promotions wait for the store."""
        if self.waiting and not await self.flush():
            raise StoreError("what was done before is not kept yet")
        try:
            kept = await self.store.put(override, expected)
        except StoreError as error:
            self.went(error)
            raise
        self.went(None)
        self._on_stored(kept)
        return kept

    async def kept(self) -> tuple[Override, ...]:
        """Return the stored overrides, as soon as the store answers."""
        wait = FIRST_WAIT
        while True:
            try:
                found = await self.store.overrides()
            except StoreError as error:
                self.went(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self.went(None)
                self.know(found)
                return found

    def know(self, kept: Iterable[Override]) -> None:
        """Note the store's overrides; conflicts with waiting ones are resolved when those are written."""
        unaware = {name: revision for name, revision in self._known.items() if name in self._overrides}
        told = {override.route: override.revision for override in kept if override.route not in self._overrides}
        self._known = {**unaware, **told}

    def sure(self) -> frozenset[str]:
        """Return the routes whose stored override is known, because the store was not down since."""
        return frozenset(self._sure)

    def unwritten(self) -> frozenset[str]:
        """Return the routes whose override waits to be written."""
        return frozenset(self._overrides)

    async def run(self) -> None:
        """Write for ever."""
        wait = FIRST_WAIT
        if self.waiting:
            self._news.set()  # left over by a failed run of this
        while True:
            await self._news.wait()
            self._news.clear()
            if await self.flush():
                wait = FIRST_WAIT
                continue
            self._news.set()
            self._back.clear()
            with suppress(TimeoutError):
                # another call may notice earlier that the store answers again
                await asyncio.wait_for(self._back.wait(), wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def flush(self) -> bool:
        """Write all that waits, overrides first; False when the store cannot be written now."""
        async with self._one_at_a_time:
            return await self._flush()

    async def _flush(self) -> bool:
        try:
            while self._overrides:
                override = next(iter(self._overrides.values()))
                kept = await self._settled(override)
                if self._overrides.get(override.route) is override:
                    del self._overrides[override.route]
                if kept != override:
                    self.corrected(override, kept)
            while self._events:
                event = self._events[0]
                await self.store.append(event)
                if self._events and self._events[0] is event:
                    self._events.popleft()
        except StoreError as error:
            self.went(error)
            return False
        self.went(None)
        return True

    def _on_stored(self, kept: Override) -> None:
        self._known[kept.route] = kept.revision
        self._sure.add(kept.route)

    async def _settled(self, override: Override) -> Override:
        """Store `override`, or the winner of it and an unknown one in the store. Returns it."""
        wanted, route = override, override.route
        for _ in range(TRIES):
            try:
                kept = await self.store.put(wanted, self._known.get(route, 0))
            except StaleError as error:
                there = error.current
                self._known[route] = there.revision if there is not None else 0
                # our own override, of which the answer was lost, is no conflict
                if there is not None and replace(there, revision=override.revision) != override:
                    wanted = self.settle(override, there)
                if there is not None and (wanted is there or replace(there, revision=wanted.revision) == wanted):
                    self._on_stored(there)
                    return there
            else:
                self._on_stored(kept)
                return kept
        raise StoreError(f"too many change {route} at once")

    @property
    def waiting(self) -> int:
        """The number of unwritten overrides and events."""
        return len(self._overrides) + len(self._events)

    def went(self, error: StoreError | None) -> None:
        """Note the result of a call to the store."""
        self.up = error is None
        if error is not None:
            self._sure.clear()
        if error is not None and not self._reported:
            self._emit(events.STORE_DOWN, "error", error=str(error), waiting=self.waiting)
        elif error is None and self._reported:
            self._emit(events.STORE_UP, waiting=self.waiting)
            self._back.set()
        self._reported = error is not None
