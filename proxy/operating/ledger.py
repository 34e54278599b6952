"""Brings to the store what must get there in the end: rollbacks, holds, every event.

Nobody waits for it. What cannot be written now is tried again until it can; of one route only the newest override is
kept waiting, of events a bounded number. Promotions do not come here: they wait for the store themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque

from proxy.log import names
from proxy.log.events import Tell
from proxy.state.store import Event, Store, StoreError
from rules.model import Override

MOST_EVENTS = 5_000
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


class Ledger:
    """The way to the store. `_overrides` and `_events` wait to be written, `up` is how the last try went."""

    def __init__(self, store: Store, tell: Tell) -> None:
        self.store = store
        self.up = False
        self.lost = 0
        self._tell = tell
        self._told = False
        self._overrides: dict[str, Override] = {}
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    def write(self, override: Override) -> None:
        """Keep `override`, whatever is there, as soon as it goes."""
        self._overrides[override.route] = override
        self._news.set()

    def record(self, event: Event) -> None:
        """Keep `event` as soon as it goes; the oldest are lost when far too many wait."""
        if len(self._events) >= MOST_EVENTS:
            self._events.popleft()
            self.lost += 1
        self._events.append(event)
        self._news.set()

    async def put(self, override: Override, expected: int) -> Override:
        """Keep `override` now, or raise StoreError, StaleError: who promotes waits for the store."""
        if self.waiting and not await self.flush():
            raise StoreError("what was done before is not kept yet")
        try:
            kept = await self.store.put(override, expected)
        except StoreError as error:
            self._went(error)
            raise
        self._went(None)
        return kept

    async def kept(self) -> tuple[Override, ...]:
        """Return what the store has of overrides, as soon as it answers."""
        wait = FIRST_WAIT
        while True:
            try:
                found = await self.store.overrides()
            except StoreError as error:
                self._went(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self._went(None)
                return found

    async def run(self) -> None:
        """Write for ever."""
        wait = FIRST_WAIT
        while True:
            await self._news.wait()
            self._news.clear()
            if await self.flush():
                wait = FIRST_WAIT
                continue
            self._news.set()
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def flush(self) -> bool:
        """Write all that waits, overrides first; False when the store does not take it now."""
        async with self._one_at_a_time:
            return await self._flush()

    async def _flush(self) -> bool:
        try:
            while self._overrides:
                override = next(iter(self._overrides.values()))
                await self.store.put(override)
                if self._overrides.get(override.route) is override:
                    del self._overrides[override.route]
            while self._events:
                event = self._events[0]
                await self.store.append(event)
                if self._events and self._events[0] is event:
                    self._events.popleft()
        except StoreError as error:
            self._went(error)
            return False
        self._went(None)
        return True

    @property
    def waiting(self) -> int:
        """How much is not written yet."""
        return len(self._overrides) + len(self._events)

    def _went(self, error: StoreError | None) -> None:
        self.up = error is None
        if error is not None and not self._told:
            self._tell(names.STORE_DOWN, "error", error=str(error), waiting=self.waiting)
        elif error is None and self._told:
            self._tell(names.STORE_UP, waiting=self.waiting)
        self._told = error is not None
