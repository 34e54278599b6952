"""A store that forgets everything when its process ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proxy.state.store import KEPT_EVENTS, Event, revised
from rules.model import Override


class MemoryStore:
    """Implements the store's port. Everything in it changes by the methods that say so, on the event loop."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._overrides = {override.route: override for override in overrides}
        self._events: dict[int, Event] = {}
        self._values: dict[str, str] = {}

    async def overrides(self) -> tuple[Override, ...]:
        """Return every override."""
        return tuple(self._overrides.values())

    async def put(self, override: Override, expected: int | None = None) -> Override:
        """Keep `override`; StaleError where its revision is not the expected one."""
        revision = revised(override, self._overrides.get(override.route), expected)
        kept = self._overrides[override.route] = replace(override, revision=revision)
        return kept

    async def append(self, event: Event) -> None:
        """Keep `event`."""
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
        """Keep a small value."""
        self._values[name] = value

    async def close(self) -> None:
        """Nothing has to be finished."""
