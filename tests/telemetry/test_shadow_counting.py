"""Copies are counted apart from what users wait for."""

from __future__ import annotations

from proxy.telemetry.metric_names import DURATION, NO_ANSWER, REQUESTS, SHADOW_DROPPED
from proxy.telemetry.records import Attempt, Shadowed
from proxy.telemetry.worker_metrics import ShadowCounts
from tests.support.exchanges import attempt


def shadowed(*calls: Attempt, result: str = "equal", reason: str = "") -> Shadowed:
    return Shadowed("profile", 1, "modern", result, reason, tuple((call, 0.02) for call in calls), None)


def rows(counts: ShadowCounts) -> dict[tuple[str, tuple[str, ...]], tuple[float, ...]]:
    return {(name, labels): values for name, labels, values in counts.changed()}


def test_each_copy_is_a_request_with_the_role_shadow():
    counts = ShadowCounts()
    counts.observe(shadowed(attempt("modern", 200)))
    counts.observe(shadowed(attempt("modern", 404), attempt("legacy", 200)))
    counts.observe(shadowed(attempt("modern", 0, "timeout")))

    told = rows(counts)

    assert told[REQUESTS.name, ("profile", "modern", "shadow", "2xx")] == (1,)
    assert told[REQUESTS.name, ("profile", "modern", "shadow", "4xx")] == (1,)
    assert told[REQUESTS.name, ("profile", "modern", "shadow", NO_ANSWER)] == (1,)
    assert told[REQUESTS.name, ("profile", "legacy", "shadow", "2xx")] == (1,)
    *buckets, seconds = told[DURATION.name, ("profile", "modern", "shadow")]
    assert (sum(buckets), round(seconds, 6)) == (3, 0.06)


def test_what_was_left_out_is_counted_with_its_reason_what_was_not_wanted_is_not():
    counts = ShadowCounts()
    for reason, times in (("capacity", 1), ("capacity", 1), ("busy", 1), ("sample", 1), ("body_cap", 1), ("load", 40)):
        counts.observe(shadowed(result="not_compared", reason=reason)._replace(times=times))

    told = rows(counts)

    assert told == {
        (SHADOW_DROPPED.name, ("profile", "capacity")): (2,),
        (SHADOW_DROPPED.name, ("profile", "busy")): (1,),
        (SHADOW_DROPPED.name, ("profile", "load")): (40,),
    }


def test_only_news_is_told_until_somebody_new_listens():
    counts = ShadowCounts()
    counts.observe(shadowed(attempt("modern"), result="not_compared", reason="busy"))
    first = rows(counts)

    again = rows(counts)
    counts.resend()

    assert again == {}
    assert rows(counts) == first


def test_routes_that_are_gone_are_forgotten():
    counts = ShadowCounts()
    counts.observe(shadowed(attempt("modern"), result="not_compared", reason="busy"))

    counts.keep_only(["other"])
    counts.resend()

    assert rows(counts) == {}
