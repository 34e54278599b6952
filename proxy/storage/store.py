"""The port of the override and event store; its memory adapter.

Overrides are changed by compare-and-set on their revision; events are appended, never changed. Every method may
raise StoreError; then nothing was stored, a retry makes sense.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from rules.model import Override

KEPT_EVENTS = 10_000
"""Events that are kept at least; the oldest are dropped."""


class StoreError(Exception):
    """The store cannot be reached, is busy or full; the call had no effect."""


class StaleError(Exception):
    """The override was changed meanwhile; `current` is the present one, None for none."""

    def __init__(self, current: Override | None) -> None:
        super().__init__("the override has changed meanwhile")
        self.current = current


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the audit log.

    `id` grows with time (microseconds since the epoch, made unique), `at` is epoch seconds, `event` one of the closed
    list, `who` a person or a part of the proxy, `evidence` JSON text or empty.
    """

    id: int
    at: float
    event: str
    route: str
    who: str
    reason: str
    evidence: str = ""


class Store(Protocol):
    """Where overrides, events and small values are kept."""

    async def overrides(self) -> tuple[Override, ...]:
        """Return every override."""

    async def put(self, override: Override, expected: int | None = None) -> Override:
        """Store `override`; returned with the revision it has now, higher than any before.

        With `expected` only if the route's revision is that one (0: none yet), else StaleError.
        """

    async def append(self, event: Event) -> None:
        """Store `event`; one with an id that is there already is the same one."""

    async def events(self, since: int = 0, limit: int = 100) -> tuple[Event, ...]:
        """Return the oldest events with an id above `since`, at most `limit`; the newest, where `since` is negative."""

    async def value(self, name: str) -> str | None:
        """Return the small value of that name."""

    async def keep(self, name: str, value: str) -> None:
        """Store a small value under a name."""

    async def close(self) -> None:
        """Finish what was begun, and close."""


def revised(override: Override, current: Override | None, expected: int | None) -> int:
    """Return the revision under which `override` follows `current`, or raise StaleError."""
    there = current.revision if current is not None else 0
    if expected is None and override == current:
        return there  # sent twice: the retry did not know that the first try had succeeded
    if expected is not None and there != expected:
        raise StaleError(current)
    return max(there + 1, override.revision)


# A store whose contents end with its process.


class MemoryStore:
    """Implements the store's port. It changes only by its methods, on the event loop."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._overrides = {override.route: override for override in overrides}
        self._events: dict[int, Event] = {}
        self._values: dict[str, str] = {}

    async def overrides(self) -> tuple[Override, ...]:
        """Return every override."""
        return tuple(self._overrides.values())

    async def put(self, override: Override, expected: int | None = None) -> Override:
        """Store `override`; StaleError where its revision is not the expected one."""
        revision = revised(override, self._overrides.get(override.route), expected)
        kept = self._overrides[override.route] = replace(override, revision=revision)
        return kept

    async def append(self, event: Event) -> None:
        """Store `event`."""
        self._events.setdefault(event.id, event)
        while len(self._events) > KEPT_EVENTS:
            del self._events[min(self._events)]

    async def events(self, since: int = 0, limit: int = 100) -> tuple[Event, ...]:
        """Return events in order."""
        ids = sorted(self._events)
        chosen = ids[-limit:] if since < 0 else [each for each in ids if each > since][:limit]
        return tuple(self._events[each] for each in chosen)

    async def value(self, name: str) -> str | None:
        """Return a small value."""
        return self._values.get(name)

    async def keep(self, name: str, value: str) -> None:
        """Store a small value."""
        self._values[name] = value

    async def close(self) -> None:
        """Nothing has to be finished."""
