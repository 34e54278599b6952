"""Unmapped responses are counted, and emitted once a minute for each route."""

from __future__ import annotations

from proxy.telemetry.untranslated import EVERY, Untranslated
from proxy.telemetry.worker_metrics import Counts
from tests.support.clock import Clock
from tests.support.exchanges import attempt, exchange


def test_each_is_counted_the_first_in_a_minute_is_told() -> None:
    counts, clock = Counts(), Clock()
    told: list[tuple[str, object, object]] = []

    def emit(event: str, _level: str = "info", /, **fields: object) -> None:
        told.append((event, fields["route"], fields["why"]))

    observer = Untranslated(counts, emit, clock)
    lost = exchange(attempt("modern"), answered="modern")._replace(untranslated="no JSON")

    observer.observe_all([lost, lost, exchange(attempt("modern"))])
    clock.turn(EVERY)
    observer.observe_all([lost])

    assert told == [("untranslated", lost.route, "no JSON")] * 2
    assert counts.changed() == [("strangler_untranslated_total", (lost.route, "modern"), (3,))]
