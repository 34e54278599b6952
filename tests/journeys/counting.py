"""Reads how far the proxy's own figures moved."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from tests.support.running import Running

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
SCRAPES = 20
PAUSE = 0.1
_gone: WeakKeyDictionary[Running, int] = WeakKeyDictionary()
"""How many of a proxy's access lines no figure is left of: those of a route end with it."""


class Counted:
    """What metrics and status grew by inside `async with`; scrapes happen at both ends.

    The last one is repeated until it has `requests` more than the first: a worker that is late with its figures may be
    as late with its access lines.
    """

    def __init__(self, proxy: Running, requests: int) -> None:
        self._proxy = proxy
        self._requests = requests
        self._before: Samples = {}
        self._after: Samples = {}
        self._status: tuple[dict[str, Any], dict[str, Any]]
        self._first: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._before = await self._scraped()
        self._first = await self._proxy.json("/api/v1/status")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._after = await self._scraped(_live_requests(self._before) + self._requests)
            self._status = self._first, await self._proxy.json("/api/v1/status")

    async def _scraped(self, least: float = 0.0) -> Samples:
        """A scrape with every request that has an access line: one waits a fifth of a second for workers, no longer."""
        gone = _gone.get(self._proxy, 0)
        for _ in range(SCRAPES):
            found = await self._proxy.metrics()
            if _live_requests(found) >= max(least, len(self._proxy.access) - gone):
                return found
            await asyncio.sleep(PAUSE)
        _gone[self._proxy] = len(self._proxy.access) - int(_live_requests(found))
        return found

    def grew(self, name: str, **labels: str) -> float:
        """By how much all series of `name` with these labels grew together."""
        wanted = set(labels.items())
        return sum(
            value - self._before.get((found, having), 0.0)
            for (found, having), value in self._after.items()
            if found == name and wanted <= having
        )

    def totals(self, route: str, side: str) -> dict[str, int]:
        """By how much a side's totals of a route in the status grew."""
        first, second = (
            next(each["totals"][side] for each in status["routes"] if each["name"] == route) for status in self._status
        )
        return {name: second[name] - first[name] for name in second}


def _live_requests(samples: Samples) -> float:
    return sum(
        value
        for (name, having), value in samples.items()
        if name == "strangler_requests_total" and ("role", "live") in having
    )
