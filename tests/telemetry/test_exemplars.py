"""Of all that workers saw, the latest request of each bucket stays."""

from __future__ import annotations

from proxy.telemetry.aggregation import Exemplar, Exemplars

LABELS = ("profile", "modern", "live")
SERIES = ("strangler_request_duration_seconds", LABELS)


def seen(trace: str, at: float, bucket: int = 3) -> Exemplar:
    return Exemplar(*SERIES, bucket, trace, 0.02, at)


def test_the_latest_stays_whichever_worker_reports_first():
    exemplars = Exemplars()

    exemplars.merge_exemplars([seen("b", 20.0), seen("slow", 5.0, bucket=9)])
    exemplars.merge_exemplars([seen("a", 10.0)])

    assert {place[1]: each.trace for place, each in exemplars.latest.items()} == {3: "b", 9: "slow"}


def test_a_series_that_is_not_shown_any_more_is_forgotten():
    exemplars = Exemplars()
    exemplars.merge_exemplars([seen("a", 10.0)])

    exemplars.keep_only([SERIES])
    kept = dict(exemplars.latest)
    exemplars.keep_only([("other", LABELS)])

    assert (len(kept), exemplars.latest) == (1, {})
