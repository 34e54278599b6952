"""Counts responses that were delivered unmapped, and emits an event for some."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import UNTRANSLATED
from proxy.telemetry.records import Exchange
from proxy.telemetry.worker_metrics import Counts

EVERY: Final = 60.0
"""Seconds between two events of one route; every response is counted."""


class Untranslated:
    """An observer; `_told` is the time of each route's last event, by as many names as the file has."""

    __slots__ = ("_clock", "_counts", "_emit", "_told")

    def __init__(self, counts: Counts, emit: Emit, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._emit = emit
        self._clock = clock
        self._told: dict[str, float] = {}

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count the unmapped ones among finished requests; they are rare."""
        for exchange in exchanges:
            if exchange.untranslated:
                self._note(exchange)

    def _note(self, exchange: Exchange) -> None:
        route, side, now = exchange.route, exchange.answered, self._clock()
        self._counts.increment(UNTRANSLATED, (route, side))
        if now - self._told.get(route, -EVERY) >= EVERY:
            self._told[route] = now
            why, number = exchange.untranslated, exchange.request_id
            self._emit(events.UNTRANSLATED, "warning", route=route, side=side, request_id=number, why=why)
