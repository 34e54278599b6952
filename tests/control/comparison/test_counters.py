"""Every mirrored request is counted exactly once."""

from __future__ import annotations

from proxy.control.comparison.counters import ComparisonCounters, WithoutSessions
from proxy.ipc.messages import Outcomes, PairCounts
from rules.guard.window import ComparedTally
from tests.support.clock import Clock

SPANS = {"profile": (60.0, 1), "credits": (10.0, 1)}


def comparisons(clock: Clock) -> ComparisonCounters:
    made = ComparisonCounters(clock)
    made.apply_spans(SPANS)
    return made


def counted(clock: Clock, **counts: object) -> Outcomes:
    return Outcomes(int(clock()), (), (PairCounts("profile", 1, **counts),))  # type: ignore[arg-type]


def test_what_workers_decide_and_what_judges_decide_add_up_to_what_was_eligible():
    clock = Clock()
    made = comparisons(clock)

    made.record_outcomes(counted(clock, eligible=10, equal=4, sent=4, transient=1, not_compared=(("busy", 1),)))
    for result, reason in (("equal", ""), ("different", ""), ("noise", ""), ("not_compared", "queue")):
        made.count_result("profile", 1, result, reason)
    tally = made.lately("profile")

    assert (tally.equal, tally.different, tally.noise, tally.transient) == (5, 1, 1, 1)
    assert tally.not_compared == {"busy": 1, "queue": 1}
    assert tally.eligible == 10
    assert tally.coverage == 0.7


def test_what_workers_forgave_is_counted_by_route_and_rule():
    clock = Clock()
    made = comparisons(clock)

    made.record_outcomes(counted(clock, eligible=2, equal=2, forgiven=(("bool_int", 3),)))
    made.record_outcomes(counted(clock, eligible=1, equal=1, forgiven=(("bool_int", 1), ("numeric_string", 2))))
    series = {labels: values for (name, labels), values in made.series() if name == "strangler_forgiven_total"}

    assert series == {("profile", "bool_int"): (4,), ("profile", "numeric_string"): (2,)}


def test_a_pair_that_is_still_being_judged_is_eligible_already():
    clock = Clock()
    made = comparisons(clock)

    made.record_outcomes(counted(clock, eligible=2, sent=2))
    made.count_result("profile", 1, "equal")

    assert (made.lately("profile").compared, made.lately("profile").eligible) == (1, 2)


def test_the_window_forgets_and_the_totals_do_not():
    clock = Clock()
    made = comparisons(clock)
    made.count_result("credits", 1, "different")
    clock.turn(11)
    made.count_result("credits", 1, "equal")

    assert (made.lately("credits").different, made.lately("credits").equal) == (0, 1)
    assert (made.totals("credits").different, made.totals("credits").equal) == (1, 1)
    assert made.seen("credits").different == 1


def test_a_route_with_other_rules_is_counted_anew_and_older_generations_do_not_count():
    clock = Clock()
    made = comparisons(clock)
    made.count_result("profile", 1, "different")
    made.violated("profile", 1, "sum", "rollback", "1 == 2 does not hold")

    made.apply_spans({**SPANS, "profile": (60.0, 5)})
    made.count_result("profile", 4, "different")
    made.count_result("profile", 5, "equal")

    assert (made.lately("profile").different, made.lately("profile").equal) == (0, 1)
    assert made.seen("profile").different == 0
    assert made.totals("profile").different == 2
    assert made.violations("profile") == ()


def test_a_route_whose_rules_stayed_goes_on():
    clock = Clock()
    made = comparisons(clock)
    made.count_result("profile", 1, "different")

    made.apply_spans({**SPANS, "credits": (10.0, 5)})

    assert made.lately("profile").different == 1


def test_a_restarted_window_is_empty_and_stays_so_for_what_was_decided_before():
    clock = Clock()
    made = comparisons(clock)
    made.count_result("profile", 1, "different")

    made.restart("profile", 7)
    made.apply_spans(SPANS)
    made.count_result("profile", 6, "different")

    assert made.lately("profile").different == 0


def test_violations_are_told_with_their_number_as_long_as_the_window():
    clock = Clock()
    made = comparisons(clock)
    for detail in ("1 <= 0 does not hold", "2 <= 0 does not hold"):
        made.violated("credits", 1, "credit_loss", "rollback", detail)

    (seen,) = made.violations("credits")
    clock.turn(11)

    assert (seen.invariant, seen.on_violation, seen.count, seen.detail) == (
        "credit_loss", "rollback", 2, "2 <= 0 does not hold",
    )  # fmt: skip
    assert made.violations("credits") == ()


def test_a_route_that_is_gone_is_nowhere_counted():
    clock = Clock()
    made = comparisons(clock)
    made.apply_spans({"credits": (10.0, 1)})

    made.count_result("profile", 1, "different")
    made.forgave("profile", (("html", 1),))
    made.record_outcomes(counted(clock, eligible=1, equal=1))

    assert made.lately("profile").eligible == 0
    assert dict(made.series()) == {}


def test_a_scrape_shows_results_rules_kinds_and_invariants():
    clock = Clock()
    made = comparisons(clock)
    made.record_outcomes(counted(clock, eligible=3, equal=2, not_compared=(("busy", 1),)))
    made.count_result("profile", 1, "different")
    made.forgave("profile", (("numeric_string", 3),))
    made.differed("profile", ("value", "value", "missing"))
    made.violated("profile", 1, "sum", "observe", "")

    shown = dict(made.series())

    assert shown["strangler_comparisons_total", ("profile", "equal", "")] == (2,)
    assert shown["strangler_comparisons_total", ("profile", "not_compared", "busy")] == (1,)
    assert shown["strangler_comparisons_total", ("profile", "different", "")] == (1,)
    assert shown["strangler_forgiven_total", ("profile", "numeric_string")] == (3,)
    assert shown["strangler_differences_total", ("profile", "value")] == (2,)
    assert shown["strangler_invariant_violations_total", ("profile", "sum")] == (1,)


def test_kinds_that_users_send_without_a_pair_that_was_compared_are_missed_until_there_is_one():
    clock = Clock()
    made = comparisons(clock)
    kinds = ("GET /a 2xx", "GET /b 2xx", "POST /a 2xx")
    made.record_outcomes(counted(clock, kinds=kinds, kinds_compared=kinds[:1]))
    before = made.never_compared("profile")
    made.compared("profile", 1, kinds[1])

    assert before == {"GET /b 2xx", "POST /a 2xx"}
    assert made.never_compared("profile") == {"POST /a 2xx"}
    assert made.never_compared("gone") == set()


def test_kinds_begin_anew_with_the_window():
    clock = Clock()
    made = comparisons(clock)
    made.record_outcomes(counted(clock, kinds=("GET /a 2xx",), kinds_compared=("GET /a 2xx",)))

    made.restart("profile", 2)
    made.record_outcomes(counted(clock, kinds=("GET /b 2xx",)))
    made.compared("profile", 1, "GET /c 2xx")
    made.record_outcomes(Outcomes(int(clock()), (), (PairCounts("profile", 2, kinds=("GET /a 2xx",)),)))

    assert made.never_compared("profile") == {"GET /a 2xx"}


def test_a_route_that_needs_sessions_is_told_of_once_with_the_cure():
    told: list[tuple[str, dict[str, object]]] = []
    watch = WithoutSessions(lambda event, _level="", /, **fields: told.append((event, fields)))
    half, more = (ComparedTally(equal=20 - many, not_compared={"session": many}, eligible=20) for many in (10, 11))

    for tally in (ComparedTally(not_compared={"session": 9}, eligible=9), half, more, more, half, more):
        watch.look("profile", tally)

    assert [(event, fields["route"], fields["coverage"]) for event, fields in told] == [
        ("coverage_session", "profile", "session"),
    ] * 2
    assert "session: share" in str(told[0][1]["cure"])
