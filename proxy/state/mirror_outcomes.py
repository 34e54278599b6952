"""Results of mirrored requests, by route and second; kinds of request seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from proxy.ipc.messages import PairCounts
from proxy.telemetry.records import NO_SIDE, Exchange, Shadowed, last_of_each_side
from proxy.telemetry.request_kinds import News
from rules.model import LEGACY, MODERN

EQUAL: Final = "equal"
SENT: Final = "sent"
TRANSIENT: Final = "transient"
NOT_COMPARED: Final = "not_compared"

RACED: Final = "raced"
"""Why a pair is sent though a write was near: if it is equal it counts, else it is transient."""
NOT_SAMPLED: Final = "sample"
UNCOMPARED: Final = (
    "body_cap", "client_gone", "conditional", "declined", "dry_run", "error", "fallback", "live_failed", "live_slow",
    "memory_full", "session", "shadow_failed", "shadow_timeout", "shed", "stale", "stream",
)  # fmt: skip

FAILURES: Final = frozenset(("connect", "connect_timeout", "reset", "broken", "truncated", "timeout", "untranslatable"))
"""The end of a copy whose side failed."""
ANSWERED: Final = frozenset(("", "body_cap", "memory", "stream", "declined"))
"""The ends of a copy whose side responded, whether or not the response was kept."""


_NO_NEWS: Final[tuple[Sequence[str], Sequence[str]]] = ((), ())


class _Row:
    """One route under one generation."""

    __slots__ = ("failures", "forgiven", "lost", "reasons", "rescued", "results")

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self.failures: dict[tuple[bool, bool], int] = {}
        self.forgiven: dict[str, int] = {}
        self.rescued = 0
        self.lost = 0

    def packed(self, route: str, generation: int, kinds: tuple[Sequence[str], Sequence[str]]) -> PairCounts:
        """The row for control, with the kinds of request that are new."""
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
            kinds=tuple(kinds[0]),
            kinds_compared=tuple(kinds[1]),
            forgiven=tuple(self.forgiven.items()),
        )


class Pairs:
    """An observer of calls, of shadows. Its rows fill with each, are emptied by `drain_counts`, all on the event loop.

    `mirrored` returns the routes of which some share is mirrored.
    """

    __slots__ = ("_kinds", "_rows", "mirrored")

    def __init__(self) -> None:
        self.mirrored: Callable[[], frozenset[str]] = frozenset
        self._rows: dict[tuple[str, int], _Row] = {}
        self._kinds = News()

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count the requests that legacy got because modern had failed; note the kinds of requests that users send."""
        mirrored = self.mirrored()
        for exchange in exchanges:
            if exchange.fallback:
                self._rescue(exchange)
            if mirrored and exchange.route in mirrored and exchange.answered != NO_SIDE:
                self._kinds.note(exchange.route, exchange.generation, exchange.method, exchange.path, exchange.status)

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
        """Count the result of one eligible request."""
        self.observe_shadows((shadowed,))

    def observe_shadows(self, records: Sequence[Shadowed]) -> None:
        """Count the results of eligible requests."""
        rows = self._rows
        for shadowed in records:
            route, generation, _, result, reason, _, failures, method, path, status, forgiven, times = shadowed
            if not result:
                continue  # copies of a request that was counted before
            row = rows.get((route, generation)) or self._row(route, generation)
            row.results[result] = row.results.get(result, 0) + times
            if result == EQUAL and method:
                self._kinds.note(route, generation, method, path, status, compared=True)
            elif result == NOT_COMPARED:
                row.reasons[reason] = row.reasons.get(reason, 0) + times
            for rule, count in forgiven.items():
                row.forgiven[rule] = row.forgiven.get(rule, 0) + count
            if failures is not None:
                row.failures[failures] = row.failures.get(failures, 0) + 1

    def drain_counts(self) -> tuple[PairCounts, ...]:
        """Return what was counted since the last call, and reset it."""
        kinds = self._kinds.drain_kinds()
        for key in kinds:
            self._row(*key)
        taken, self._rows = self._rows, {}
        return tuple(row.packed(*key, kinds.get(key, _NO_NEWS)) for key, row in taken.items())

    def resend(self) -> None:
        """Send again what is sent only once: the receiver is a new one."""
        self._kinds.resend()

    def _row(self, route: str, generation: int) -> _Row:
        key = route, generation
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row()
        return row
