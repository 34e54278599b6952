"""Counts what became of mirrored requests, handed on once a second; the reasons are closed lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proxy.link.messages import PairCounts
from proxy.observe import Exchange
from proxy.shadowed import Shadowed
from proxy.state.outcomes import last_of_each_side
from rules.model import LEGACY, MODERN

EQUAL: Final = "equal"
SENT: Final = "sent"
TRANSIENT: Final = "transient"
NOT_COMPARED: Final = "not_compared"

NOT_SAMPLED: Final = "sample"
DROPPED: Final = (
    "busy", "capacity", "load", "memory", "unhealthy", "failing", "suspended", "session_busy", "writes_off", "override",
    "untranslatable",
)  # fmt: skip
"""Why no copy was sent though the request was in the sample: the backend, the route's own limit, this worker or its
memory had enough to do; the backend is down, or gave this route no whole answer lately; the route's reads have
effects; the session is in use; writes are not confirmed to be harmless; the body means another method than the one
that may be mirrored; the request does not fit the other side's form."""
UNCOMPARED: Final = (
    "body_cap", "client_gone", "conditional", "declined", "dry_run", "error", "fallback", "live_failed", "live_slow",
    "memory_full", "session", "shadow_failed", "shadow_timeout", "shed", "stale", "stream",
)  # fmt: skip
"""Why a copy that was sent led to no comparison: only one of the sides' answers is whole, or means the same."""
FAILURES: Final = frozenset(("connect", "connect_timeout", "reset", "broken", "truncated", "timeout", "untranslatable"))
"""How a copy ends that its side failed."""
ANSWERED: Final = frozenset(("", "body_cap", "memory", "stream", "declined"))
"""How a copy ends that its side answered, whether or not we kept the answer."""


class _Row:
    """One route under one generation."""

    __slots__ = ("failures", "lost", "reasons", "rescued", "results")

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self.failures: dict[tuple[bool, bool], int] = {}
        self.rescued = 0
        self.lost = 0

    def packed(self, route: str, generation: int) -> PairCounts:
        """The row for the link."""
        results, failures = self.results, self.failures
        return PairCounts(
            route=route,
            generation=generation,
            eligible=sum(results.values()),
            equal=results.get(EQUAL, 0),
            sent=results.get(SENT, 0),
            transient=results.get(TRANSIENT, 0),
            not_compared=tuple(self.reasons.items()),
            both_fine=failures.get((False, False), 0),
            modern_failed=failures.get((True, False), 0),
            legacy_failed=failures.get((False, True), 0),
            both_failed=failures.get((True, True), 0),
            rescued=self.rescued,
            lost=self.lost,
        )


class Pairs:
    """An observer of calls, of shadows. Its rows fill with each, are emptied by `take`, all on the event loop."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], _Row] = {}

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count the requests that legacy was asked because modern had failed."""
        for exchange in exchanges:
            if exchange.fallback:
                self._rescue(exchange)

    def _rescue(self, exchange: Exchange) -> None:
        sides = {attempt.side: attempt for attempt in last_of_each_side(exchange.attempts)}
        modern, legacy = sides.get(MODERN), sides.get(LEGACY)
        if modern is None or legacy is None or not modern.failed:
            return
        row = self._row(exchange.route, exchange.generation)
        if legacy.failed:
            row.lost += 1
        elif legacy.kind != "client":
            row.rescued += 1

    def observe_shadow(self, shadowed: Shadowed) -> None:
        """Count what became of one eligible request."""
        if not shadowed.result:
            return  # copies of a request that was counted before
        row = self._row(shadowed.route, shadowed.generation)
        row.results[shadowed.result] = row.results.get(shadowed.result, 0) + 1
        if shadowed.result == NOT_COMPARED:
            row.reasons[shadowed.reason] = row.reasons.get(shadowed.reason, 0) + 1
        if shadowed.failures is not None:
            row.failures[shadowed.failures] = row.failures.get(shadowed.failures, 0) + 1

    def take(self) -> tuple[PairCounts, ...]:
        """Return what was counted since the last call, forget it."""
        taken, self._rows = self._rows, {}
        return tuple(row.packed(*key) for key, row in taken.items())

    def _row(self, route: str, generation: int) -> _Row:
        key = route, generation
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row()
        return row
