"""Results of mirrored requests, each counted exactly once."""

from __future__ import annotations

from proxy.ipc.messages import PairCounts
from proxy.state.mirror_outcomes import Pairs
from proxy.telemetry.records import Shadowed
from tests.support.exchanges import attempt, exchange


def shadowed(result: str = "equal", reason: str = "", failures: tuple[bool, bool] | None = None) -> Shadowed:
    return Shadowed("profile", 1, "modern", result, reason, (), failures)


def test_every_eligible_request_is_counted_in_one_place():
    pairs = Pairs()
    for each in (
        shadowed(failures=(False, False)),
        shadowed("sent", "body", (True, False)),
        shadowed("transient"),
        shadowed("not_compared", "sample"),
        shadowed("not_compared", "live_failed", (False, True)),
        shadowed("not_compared", "live_failed", (True, True)),
        shadowed(""),
    ):
        pairs.observe_shadow(each)

    (counts,) = pairs.drain_counts()

    assert counts == PairCounts(
        "profile", 1, eligible=6, equal=1, sent=1, transient=1, not_compared=(("sample", 1), ("live_failed", 2)),
        both_fine=1, modern_failed=1, legacy_failed=1, both_failed=1,
    )  # fmt: skip
    assert pairs.drain_counts() == ()


def test_one_record_stands_for_all_requests_of_a_turn_without_a_copy():
    pairs = Pairs()
    pairs.observe_shadow(shadowed("not_compared", "load")._replace(times=40))
    pairs.observe_shadow(shadowed("not_compared", "load"))

    (counts,) = pairs.drain_counts()

    assert (counts.eligible, counts.not_compared) == (41, (("load", 41),))


def test_requests_that_legacy_was_asked_because_modern_failed_stand_apart():
    pairs = Pairs()
    modern = attempt("modern", 0, "reset")
    pairs.observe_all(
        [
            exchange(modern, attempt("legacy"), fallback="reset"),
            exchange(modern, attempt("legacy", 404), fallback="reset"),
            exchange(modern, attempt("legacy", 503), fallback="reset"),
            exchange(modern, attempt("legacy", 0, "client"), fallback="reset"),
            exchange(attempt("modern", 200, "declined"), attempt("legacy"), fallback="declined"),
            exchange(attempt("legacy"), fallback="untranslatable"),
            exchange(attempt("modern"), attempt("modern", 500)),
        ]
    )

    (counts,) = pairs.drain_counts()

    assert counts == PairCounts("profile", 1, rescued=2, lost=1)
