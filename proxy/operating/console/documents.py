"""Fetches the documents that pages are drawn from; many pages at once ask for the status once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from dashboards.views import StatusView, status_view
from proxy.operating.api.wishes import RefusedError
from proxy.operating.current import Current
from proxy.operating.history import History

Document = Mapping[str, Any]
_FRESH = 1.0
_SHOWN_EVENTS = 200


class Source(Protocol):
    """What the console reads of control."""

    @property
    def history(self) -> History:
        """What every route did over the last day."""

    def current(self) -> Current:
        """Return what runs now."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""

    async def latest_events(self, route: str, limit: int) -> Sequence[Document]:
        """Return the latest events of a route (empty: of all), the newest first."""

    async def differences(self, route: str, since: str, after: str, limit: int) -> Document:
        """Return a page of groups of differences, `items` with `next`; RefusedError for a `since` that is none."""

    async def difference(self, group: str) -> Document | None:
        """Return one group with its examples, None when there is none."""


class Documents:
    """Asks control. `_status` is the latest status with its moment."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._clock = clock
        self._status: tuple[tuple[float, int], Document, StatusView] | None = None

    async def status(self) -> tuple[Document, StatusView]:
        """Return the status with its view, at most a second old, never older than what runs.

        A page that is drawn from before a change hears of nothing later that would have it drawn again.
        """
        kept, number = self._status, self.source.current().generation.number
        if kept is None or kept[0][1] != number or self._clock() - kept[0][0] > _FRESH:
            document = await self.source.status()
            kept = self._status = (self._clock(), number), document, status_view(document)
        return kept[1], kept[2]

    def forget(self) -> None:
        """Ask anew the next time: something was changed."""
        self._status = None

    async def events(self, route: str = "") -> Sequence[Document]:
        """Return the latest events, the newest first."""
        return await self.source.latest_events(route, _SHOWN_EVENTS)

    async def groups(self, route: str = "", since: str = "", after: str = "", limit: int = 50) -> Document:
        """Return a page of groups of differences."""
        return await self.source.differences(route, since, after, limit)

    async def groups_if_any(self, route: str = "", limit: int = 50) -> Sequence[Document]:
        """Return groups of differences, none where they cannot be read now: the page has more to say than these."""
        try:
            found: Sequence[Document] = (await self.groups(route, limit=limit))["items"]
        except RefusedError:
            return ()
        return found

    def limits(self, route: str) -> Mapping[str, float]:
        """Return the guard's limits that charts show."""
        snapshot = self.source.current().configuration.snapshot
        guard = next((each.guard for each in snapshot.routes if each.name == route), None)
        if guard is None:
            return {}
        limits = {"error_rate": guard.error_rate, "p95": guard.p95, "mismatch_rate": guard.mismatch_rate}
        return {name: value for name, value in limits.items() if value}

    def place(self, route: str) -> str:
        """Return where the file speaks of a route."""
        snapshot = self.source.current().configuration.snapshot
        line = next((each.line for each in snapshot.routes if each.name == route), 0)
        return f"{snapshot.source.rpartition('/')[2]}, line {line}" if line else ""
