"""Cuts the history into moments as time goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time

from proxy.operating.current import Current
from proxy.operating.history import FINE, History, Pairs
from rules.guard.window import ComparedTally
from rules.model import DEFAULT_ROUTE
from rules.routing.compiled_route import effective_weight


class Remembering:
    """Feeds the history. Nothing changes but inside it."""

    def __init__(self, current: Callable[[], Current], counted: Callable[[str], ComparedTally]) -> None:
        self.history = History(time())
        self._current = current
        self._counted = counted

    def changed(self) -> None:
        """Note what is in effect from now on."""
        snapshot = self._current().configuration.snapshot
        self.history.follow((*(route.name for route in snapshot.routes), DEFAULT_ROUTE))
        self.history.weigh(time(), self._weights())

    async def run(self) -> None:
        """Remember, for ever."""
        self.changed()
        while True:
            await asyncio.sleep(FINE)
            self.history.tick(time(), self._weights(), self._pairs)

    def _weights(self) -> dict[str, float]:
        current = self._current()
        if current.configuration.legacy_only:
            return {}
        overrides = current.generation.overrides
        routes = current.configuration.snapshot.routes
        return {route.name: effective_weight(route, overrides.get(route.name)) for route in routes}

    def _pairs(self, route: str) -> Pairs:
        tally = self._counted(route)
        return tally.compared, tally.different, tally.eligible
