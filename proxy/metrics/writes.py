"""Counts the writes that modern alone has answered: what a rollback would leave behind where data is apart."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.metrics.counting import Counts
from proxy.metrics.names import MODERN_WRITES
from proxy.observe import Exchange
from rules.model import MODERN

_READS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_DONE = range(200, 400)


class ModernWrites:
    """An observer; it keeps nothing itself, the numbers go where all the others are."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Look at finished calls, most of which are reads."""
        for exchange in exchanges:
            if is_write_of_modern(exchange):
                self._counts.add(MODERN_WRITES, (exchange.route,))


def is_write_of_modern(exchange: Exchange) -> bool:
    """Whether modern has changed something of which legacy knows only where both have one database."""
    return exchange.method not in _READS and exchange.answered == MODERN and exchange.status in _DONE
