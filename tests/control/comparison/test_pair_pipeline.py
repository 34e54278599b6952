"""A pair is judged, re-checked where it differs, then counted once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control.comparison import judge_pool as judges_module
from proxy.control.comparison import rechecks as rechecks_module
from proxy.control.comparison.pair_pipeline import MOST_TIMES, WRITES_ARE_NEAR
from proxy.control.comparison.rechecks import GRACE
from proxy.ipc.judge_messages import Found, Opinion, Repeated
from proxy.ipc.messages import Again, AgainFailed, Answer, JudgeSilent, JudgeWanted, Rest, Unjudged
from proxy.storage.diff_store import TRANSIENT, Known
from proxy.worker.shadow.conflicts import APART
from rules.model import ShadowPolicy
from tests.support.comparison_rig import BROKEN, FOUND, HELD, OTHER, WORKER, ComparisonRig
from tests.support.pairs import a_pair
from tests.support.waiting import breathe


@pytest.fixture
def hall() -> ComparisonRig:
    return ComparisonRig()


@pytest.mark.parametrize(
    ("opinion", "result"),
    [
        ({"verdict": "equal"}, {"equal": 1}),
        ({"verdict": "noise"}, {"noise": 1}),
        ({"verdict": "not_compared", "reason": "depth"}, {"depth": 1}),
    ],
)
async def test_what_does_not_differ_is_counted_at_once(hall: ComparisonRig, opinion: dict, result: dict):
    await hall.judged(a_pair(), **opinion)

    assert hall.result() == result
    assert (hall.asked, hall.kept) == ([], [])


async def test_a_difference_counts_once_it_is_still_there_when_both_are_asked_again(hall: ComparisonRig):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    before = hall.result()
    await hall.judged(a_pair(again=1), "different", found=(FOUND, OTHER), request="GET /api/me", payload=b"packed")

    assert before == {}
    assert hall.asked == [Again(a_pair().id)]
    assert hall.delays == [0.5]
    assert hall.result() == {"different": 1}
    (kept,) = hall.kept
    assert (kept.found, kept.request, kept.pair) == ((FOUND, OTHER), "GET /api/me", b"packed")
    assert hall.told == ["difference", "difference"]


@pytest.mark.parametrize("verdict", ["equal", "noise"])
async def test_one_that_is_gone_the_second_time_was_a_race(hall: ComparisonRig, verdict: str):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    await hall.judged(a_pair(again=1), verdict)

    assert hall.result() == {"transient": 1}
    (kept,) = hall.kept
    assert [each.group for each in kept.found] == [f"{TRANSIENT}{FOUND.group}"]


OWN = b'[["/total","value","1","3"]]'
"""Legacy's two answers differ where `FOUND` is."""


@pytest.mark.parametrize(
    ("found", "again", "result"),
    [
        ((FOUND,), ("noise", ()), {"noise": 1}),
        ((FOUND, OTHER), ("noise", ()), {"transient": 1}),
        ((FOUND,), ("equal", ()), {"transient": 1}),
        ((FOUND, OTHER), ("different", (OTHER,)), {"different": 1}),
    ],
    ids=["all of it", "beside a race", "gone", "beside a difference"],
)
async def test_what_legacy_varies_by_itself_in_this_very_pair_is_noise(
    hall: ComparisonRig, found: tuple, again: tuple, result: dict
):
    await hall.judged(a_pair(), "different", found=found)
    await hall.judged(a_pair(again=1), again[0], found=again[1], observed=OWN)

    assert hall.result() == result
    assert hall.observed == [OWN]


async def test_a_legacy_that_missed_the_session_is_never_asked_again_for_a_difference(hall: ComparisonRig):
    pair = a_pair(reason="session", live_side="modern")
    await hall.judged(pair, "not_compared", reason="session")
    await hall.judged(pair, "not_compared", reason="session", checked=(BROKEN,))

    assert hall.asked == []
    assert hall.result() == {"session": 2}
    assert [seen.invariant for seen in hall.violations] == ["sum"]


async def test_a_re_check_without_the_session_confirms_nothing(hall: ComparisonRig):
    await hall.judged(a_pair(reason="session"), "equal", checked=(BROKEN,))
    await hall.judged(a_pair(reason="session", again=1), "not_compared", reason="session", checked=(BROKEN,))

    assert hall.result() == {"equal": 1}
    assert hall.violations == []


CLOCK = Found("g3", "/clock", "/clock", "value", '"10:00"', '"10:07"')
PAGE = Found("g4", "@body", "@body", "value", "html > p: 1 visitor", "html > p: 2 visitors")
SPENT = ShadowPolicy(sample=1.0, recheck_per_minute=1)


@pytest.mark.parametrize(
    ("found", "excused"),
    [
        ((CLOCK,), 4),
        ((PAGE,), 4),
        ((replace(PAGE, legacy="html > form#f-9c01ab77 > p: 1", modern="html > form#f-9c01ab77 > p: 2"),), 4),
        ((replace(PAGE, legacy="html > form#f-9c01ab77 > b: 1", modern="html > form#f-9c01ab77 > b: 2"),), 0),
        ((CLOCK, FOUND), 0),
        ((FOUND,), 0),
        ((replace(PAGE, kind="status"),), 0),
        ((OTHER,), 0),
    ],
    ids=[
        "clock",
        "page",
        "an id in its place",
        "beside the id",
        "price beside a clock",
        "price",
        "status",
        "elsewhere",
    ],
)
async def test_pairs_are_excused_where_legacys_second_answers_differ(hall: ComparisonRig, found: tuple, excused: int):
    """`/total` is about money: legacy may vary it as it likes."""
    observed = (
        b'[["/clock","value","1","2"],["/total","value","1","2"],["@body","value","html > p: 1","html > p: 2"],%b]'
    )
    for number in range(3):
        form = b'["@body","value","html > form#f-77%06x > p: 1","html > form#f-77%06x > p: 2"]' % (number, number)
        await hall.judged(a_pair(reason="noise"), "noise", sampled=True, observed=observed % form)
    hall.policy = SPENT
    for _ in range(4):
        await hall.judged(a_pair(), "different", found=found)
    await hall.judged(a_pair(again=1), "different", found=found)
    hall.clock.turn(1)
    before = hall.comparisons.lately("profile")

    hall.comparisons.restart("profile", 1)

    assert (before.different, before.excused.pairs) == (4, excused)
    assert hall.comparisons.lately("profile").excused.pairs == 0


async def test_without_evidence_nothing_is_excused(hall: ComparisonRig):
    for _ in range(7):
        await hall.judged(a_pair(reason="noise"), "equal", sampled=True)
    for _ in range(3):
        await hall.judged(a_pair(reason="noise"), "noise", sampled=True, observed=b'[["/clock","value","1","2"]]')
    hall.policy = SPENT
    for _ in range(3):
        await hall.judged(a_pair(), "different", found=(CLOCK,))

    assert hall.comparisons.lately("profile").excused.pairs == 0


FAILED = Found("g5", "@status", "@status", "status", "200", "503")


@pytest.mark.parametrize(
    ("live_side", "legacy", "modern", "failed"),
    [
        ("legacy", 200, 503, 1),
        ("legacy", 404, 500, 1),
        ("legacy", 503, 500, 0),
        ("modern", 200, 503, 0),
        ("legacy", 200, 404, 0),
    ],
)
async def test_a_copy_that_modern_failed_once_is_transient_and_counts_against_readiness(
    hall: ComparisonRig, live_side: str, legacy: int, modern: int, failed: int
):
    pair = replace(a_pair(live_side=live_side), legacy=Answer(legacy), modern=Answer(modern))
    await hall.judged(pair, "different", found=(FAILED,))
    await hall.judged(a_pair(again=1), "equal")

    tally = hall.comparisons.lately("profile")
    series = {labels: values for (name, labels), values in hall.comparisons.series() if "comparisons" in name}
    assert (tally.transient, tally.different, tally.failed_once) == (1, 0, failed)
    assert series["profile", "transient", "status" if failed else ""] == (1,)
    assert len(hall.kept) == 1


async def test_a_copy_that_modern_fails_again_is_different(hall: ComparisonRig):
    pair = replace(a_pair(), modern=Answer(503))
    await hall.judged(pair, "different", found=(FAILED,))
    await hall.judged(replace(pair, again=1), "different", found=(FAILED,))

    assert hall.result() == {"different": 1}


async def test_one_whose_values_move_is_asked_again_until_it_is_gone(hall: ComparisonRig):
    moved = [replace(FOUND, legacy=legacy, modern=modern) for legacy, modern in (("1", "2"), ("3", "2"), ("3", "4"))]
    await hall.judged(a_pair(), "different", found=moved[:1])
    await hall.judged(a_pair(again=1), "different", found=moved[1:2])
    before = hall.result()
    await hall.judged(a_pair(again=1), "equal")

    assert before == {}
    assert hall.asked == [Again(a_pair().id)] * 2
    assert hall.result() == {"transient": 1}


async def test_one_whose_values_move_is_no_evidence_before_it_has_stayed(hall: ComparisonRig):
    """What a write has put into one of two answers is there in both looks; pairs behind it wait for the last one."""
    hall.policy = ShadowPolicy(sample=1.0, recheck_per_minute=2)
    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    await hall.judged(a_pair(id="a", again=1), "different", found=(replace(FOUND, legacy="3"),))
    await hall.judged(a_pair(id="b"), "different", found=(FOUND,))
    before = hall.result()
    await hall.judged(a_pair(id="a", again=1), "equal")

    assert before == {}
    assert hall.result() == {"transient": 1, "unchecked": 1}


async def test_one_whose_values_move_for_ever_counts_all_the_same(hall: ComparisonRig):
    clocks = [replace(FOUND, legacy=f'"12:00:0{number}"', modern=f'"14:00:0{number}"') for number in range(4)]
    await hall.judged(a_pair(), "different", found=clocks[:1])
    for found in clocks[1:]:
        await hall.judged(a_pair(again=1), "different", found=(found,))

    assert len(hall.asked) == MOST_TIMES
    assert hall.result() == {"different": 1}


@pytest.mark.parametrize("behind", ["legacy", "modern"])
async def test_a_total_that_grows_with_every_question_is_no_difference(hall: ComparisonRig, behind: str):
    """As in a list that others write to, on a machine too slow to read it twice between two writes."""
    totals = [(f"{256 + number}", f"{257 + number}") for number in range(4)]
    found = [
        replace(FOUND, legacy=low if behind == "legacy" else high, modern=high if behind == "legacy" else low)
        for low, high in totals
    ]
    await hall.judged(a_pair(), "different", found=found[:1])
    for each in found[1:]:
        await hall.judged(a_pair(again=1), "different", found=(each,))

    assert len(hall.asked) == MOST_TIMES
    assert hall.result() == {"transient": 1}


async def test_one_whose_values_move_counts_once_the_budget_is_spent(hall: ComparisonRig):
    hall.policy = ShadowPolicy(sample=1.0, recheck_per_minute=1)
    await hall.judged(a_pair(), "different", found=(FOUND,))
    await hall.judged(a_pair(again=1), "different", found=(replace(FOUND, legacy="3"),))

    assert hall.result() == {"different": 1}


@pytest.mark.parametrize(
    ("verdict", "found", "result"),
    [("equal", (), "equal"), ("noise", (), "noise"), ("different", (FOUND,), "transient")],
)
async def test_beside_a_write_only_what_is_equal_counts(hall: ComparisonRig, verdict: str, found: tuple, result: str):
    await hall.judged(a_pair(reason="raced"), verdict, found=found, checked=(BROKEN,))

    assert hall.result() == {result: 1}
    assert (hall.asked, hall.violations) == ([], [])
    assert [each.group for one in hall.kept for each in one.found] == [f"{TRANSIENT}g1"] * (result == "transient")


async def test_a_second_look_beside_a_write_is_taken_a_little_later(hall: ComparisonRig):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed(a_pair().id, "raced"))
    await hall.judged(a_pair(again=1), "different", found=(FOUND,))

    assert hall.delays == [0.5, 0.5 + WRITES_ARE_NEAR]
    assert hall.result() == {"different": 1}


async def test_who_always_writes_meanwhile_leaves_it_open(hall: ComparisonRig):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    for _ in range(MOST_TIMES):
        hall.judging.on_message(WORKER, AgainFailed(a_pair().id, "raced"))

    assert len(hall.asked) <= MOST_TIMES
    assert hall.result() == {"transient": 1}


def test_a_write_is_near_for_as_long_as_a_worker_says():
    assert WRITES_ARE_NEAR == APART


async def test_a_look_that_a_worker_put_off_is_none(hall: ComparisonRig):
    """What comes after it is not the last one: its sample is older than what was written meanwhile."""
    moved = [replace(FOUND, legacy=legacy) for legacy in "345"]
    await hall.judged(a_pair(), "different", found=(FOUND,))
    for _ in range(MOST_TIMES - 1):
        hall.judging.on_message(WORKER, AgainFailed(a_pair().id, "busy"))
    for each in moved[: MOST_TIMES - 1]:
        await hall.judged(a_pair(again=1), "different", found=(each,))
    before = hall.result()
    await hall.judged(a_pair(again=1), "noise")

    assert before == {}
    assert hall.result() == {"transient": 1}


async def test_what_sums_up_the_rest_of_a_page_is_nothing_that_stays(hall: ComparisonRig):
    rest = Found("g9", "@body", "@body", "value", "page, what follows: 9 tokens", "page, what follows: 9 tokens")
    await hall.judged(a_pair(), "different", found=(FOUND, rest))
    await hall.judged(a_pair(again=1), "different", found=(replace(FOUND, legacy="3"), rest))
    await hall.judged(a_pair(again=1), "equal")

    assert len(hall.asked) == 2
    assert hall.result() == {"transient": 1}


async def test_a_busy_worker_costs_nothing_of_the_budget(hall: ComparisonRig):
    hall.policy = ShadowPolicy(sample=1.0, recheck_per_minute=1)
    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed(a_pair().id, "busy"))
    await hall.judged(a_pair(again=1), "equal")

    assert len(hall.asked) == 2
    assert hall.result() == {"transient": 1}


async def test_a_worker_that_is_busy_is_asked_a_little_later_but_not_for_ever(hall: ComparisonRig):
    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed("a", "busy"))
    await hall.judged(a_pair(id="a", again=1), "equal")
    first = hall.result()
    hall.clock.turn(60)
    await hall.judged(a_pair(id="b"), "different", found=(OTHER,))
    for _ in range(MOST_TIMES):
        hall.judging.on_message(WORKER, AgainFailed("b", "busy"))

    assert first == {"transient": 1}
    assert hall.result() == {"transient": 1, "different": 1}
    assert hall.kept[-1].notes == ("not asked again: busy",)


@pytest.mark.parametrize("reason", ["gone", "budget", "failed"])
async def test_a_difference_that_cannot_be_looked_at_again_counts_and_says_so(hall: ComparisonRig, reason: str):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed(a_pair().id, reason))

    assert hall.result() == {"different": 1}
    assert hall.kept[0].notes == (f"not asked again: {reason}",)


async def test_one_that_only_a_session_could_look_at_again_says_the_cure(hall: ComparisonRig):
    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed("a", "session"))

    assert hall.result() == {"different": 1}
    assert "`session: share`" in hall.kept[0].notes[0]


async def test_without_the_session_what_lately_was_legacys_own_is_left_open_and_counted_as_such(hall: ComparisonRig):
    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    await hall.judged(a_pair(id="a", again=1), "equal")

    await hall.judged(a_pair(id="b"), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, AgainFailed("b", "session"))

    assert hall.result() == {"transient": 1, "session": 1}


async def test_a_worker_that_is_gone_is_not_waited_for(hall: ComparisonRig):
    hall.worker_is_there = False

    await hall.judged(a_pair(), "different", found=(FOUND,))

    assert hall.result() == {"different": 1}


async def test_nor_is_one_that_says_nothing(hall: ComparisonRig):
    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.clock.turn(0.5 + 2 * 5 + GRACE + 1)
    hall.judging.tick()

    assert hall.result() == {"different": 1}
    assert hall.kept[0].notes == ("not asked again: late",)


async def test_without_budget_a_difference_counts_unless_the_same_one_was_a_race_lately(hall: ComparisonRig):
    hall.policy = ShadowPolicy(sample=1.0, recheck_per_minute=1)
    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    await hall.judged(a_pair(id="a", again=1), "equal")

    await hall.judged(a_pair(id="b"), "different", found=(FOUND,))
    await hall.judged(a_pair(id="c"), "different", found=(FOUND, OTHER))

    assert hall.result() == {"transient": 1, "unchecked": 1, "different": 1}


def new(name: str, kind: str = "value", path: str = "/name") -> Found:
    """A difference of a group that was not seen before."""
    return Found(name, path, path, kind, '"a"', '"b"')


async def test_without_budget_what_nothing_is_known_of_waits_for_the_first_second_looks(hall: ComparisonRig):
    """A route whose every page varies by itself, at once: thirty are asked again, hundreds come meanwhile."""
    for name in "abcdefgh":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    before = hall.result()
    for name in "abc":
        await hall.judged(a_pair(id=name, again=1), "noise", observed=b'[["/name","value","1","3"]]')

    assert (before, [each.pair for each in hall.asked]) == ({}, ["a", "b", "c"])
    assert hall.result() == {"noise": 3, "unchecked": 5}


async def test_where_they_stay_all_that_waited_counts(hall: ComparisonRig):
    for name in "abcdefgh":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    for name in "abc":
        await hall.judged(a_pair(id=name, again=1), "different", found=(new(name),))

    assert hall.result() == {"different": 8}
    assert {each.notes for each in hall.kept[-5:]} == {("not asked again: budget",)}


async def test_one_of_a_group_that_stayed_counts_at_once_whatever_else_vanishes(hall: ComparisonRig):
    for name in "abcd":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    await hall.judged(a_pair(id="a", again=1), "different", found=(new("a"),))
    await hall.judged(a_pair(id="e"), "different", found=(new("a"), new("x")))

    assert hall.result() == {"different": 2}


@pytest.mark.parametrize(
    "found",
    [new("x", "status", "@status"), new("x", "type"), new("x", "missing"), new("x", path="/total")],
    ids=["status", "type", "missing", "money"],
)
async def test_what_is_never_excused_counts_though_most_vanishes(hall: ComparisonRig, found: Found):
    for name in "abc":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
        await hall.judged(a_pair(id=name, again=1), "equal")

    await hall.judged(a_pair(id="d"), "different", found=(new("d"),))
    await hall.judged(a_pair(id="e"), "different", found=(new("a"), found))

    assert hall.result() == {"transient": 3, "unchecked": 1, "different": 1}


async def test_of_those_that_wait_there_are_so_many_and_more_count_at_once(
    hall: ComparisonRig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rechecks_module, "MOST_UNDECIDED", 2)
    for name in "abcdefgh":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))

    assert hall.result() == {"different": 3}


async def test_nothing_waits_longer_than_the_second_looks_do(hall: ComparisonRig):
    for name in "abcde":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    hall.clock.turn(0.5 + 2 * 5 + GRACE + 1)
    hall.judging.tick()

    assert hall.result() == {"different": 5}


@pytest.mark.parametrize("reason", ["failed", "session", "raced"])
async def test_where_second_looks_come_to_nothing_nothing_waits_for_more_of_them(hall: ComparisonRig, reason: str):
    hall.policy = ShadowPolicy(sample=1.0, recheck_per_minute=5)
    for name in "abcdefgh":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    before = hall.result()
    for name in "abcde":
        for _ in range(MOST_TIMES):
            hall.judging.on_message(WORKER, AgainFailed(name, reason))
            await breathe(1)
    await hall.judged(a_pair(id="i"), "different", found=(new("i"),))

    assert before == {}
    assert hall.result().get("different", 0) >= 4  # those that waited, and the one that came then


async def test_what_comes_while_judges_look_at_second_answers_waits_for_them(hall: ComparisonRig):
    for name in "abc":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    for name in "abc":
        hall.judging.on_message(WORKER, a_pair(id=name, again=1))
    await hall.judged(a_pair(id="d"), "different", found=(new("d"),))
    before = hall.result()
    for _ in range(3):
        await breathe(3)
        hall.seats[-1].send_verdict("equal")
    await breathe(3)

    assert (before, hall.result()) == ({}, {"transient": 3, "unchecked": 1})


async def test_a_route_that_is_gone_keeps_nobody_waiting(hall: ComparisonRig):
    for name in "abcd":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    hall.policy = None
    for name in "abc":
        hall.judging.on_message(WORKER, a_pair(id=name, again=1))

    assert hall.judging.undecided == 0


@pytest.mark.parametrize(
    ("verdict", "result"), [("equal", {"transient": 3, "unchecked": 40}), ("different", {"different": 43})]
)
async def test_pairs_that_are_counted_alike_wait_as_well(hall: ComparisonRig, verdict: str, result: dict):
    for name in "abc":
        await hall.judged(a_pair(id=name), "different", found=(new(name),))
    hall.judging.on_judge_message(Repeated(a_pair(id="r"), Opinion(0, "different", found=(new("r"),)), 40, ()))
    before = hall.result()
    for name in "abc":
        await hall.judged(a_pair(id=name, again=1), verdict, found=(new(name),) if verdict == "different" else ())

    assert (before, hall.result()) == ({}, result)


async def test_a_broken_invariant_counts_when_it_is_broken_twice_whatever_the_comparison_says(hall: ComparisonRig):
    await hall.judged(a_pair(), "equal", checked=(BROKEN,))
    before = list(hall.violations)
    await hall.judged(a_pair(again=1), "equal", checked=(BROKEN,), request="GET /api/me")

    assert before == []
    (seen,) = hall.violations
    assert (seen.route, seen.invariant, seen.on_violation, seen.values) == ("profile", "sum", "rollback", ("1", "2"))
    assert hall.result() == {"equal": 1}
    assert [each.found[0].path for each in hall.kept] == ["@invariant:sum"]
    assert hall.told == ["invariant_violated"]
    (violation,) = hall.comparisons.violations("profile")
    assert (violation.invariant, violation.count) == ("sum", 1)


async def test_one_that_holds_the_second_time_was_a_race(hall: ComparisonRig):
    await hall.judged(a_pair(), "equal", checked=(BROKEN,))
    await hall.judged(a_pair(again=1), "equal", checked=(HELD,))

    assert (hall.violations, hall.result()) == ([], {"equal": 1})


async def test_a_violation_that_could_not_be_looked_at_again_decides_nothing(hall: ComparisonRig):
    await hall.judged(a_pair(), "equal", checked=(BROKEN,))
    hall.judging.on_message(WORKER, AgainFailed(a_pair().id, "gone"))

    assert (hall.violations, hall.result()) == ([], {"equal": 1})


@pytest.mark.parametrize("kind", [{"method": "POST"}, {"reason": "alone", "legacy": Answer(failed="absent")}])
async def test_what_cannot_race_or_be_repeated_counts_at_once(hall: ComparisonRig, kind: dict):
    await hall.judged(replace(a_pair(), **kind), "not_compared", checked=(BROKEN,))

    assert len(hall.violations) == 1
    assert hall.asked == []


async def test_modern_alone_is_no_mirrored_request(hall: ComparisonRig):
    await hall.judged(a_pair(reason="alone"), "not_compared", reason="absent")

    assert hall.result() == {}


async def test_a_known_difference_is_no_mismatch_but_stays_counted(hall: ComparisonRig):
    hall.known.learn({"g1": Known("live data")})

    await hall.judged(a_pair(id="a"), "different", found=(FOUND,))
    await hall.judged(a_pair(id="b"), "different", found=(FOUND, OTHER))
    await hall.judged(a_pair(id="b", again=1), "different", found=(FOUND, OTHER))

    assert hall.result() == {"equal": 1, "different": 1}
    assert [each.id for each in hall.kept] == ["a", "b"]
    series = dict(hall.comparisons.series())
    assert series["strangler_comparisons_total", ("profile", "equal", "known")] == (1,)
    assert series["strangler_forgiven_total", ("profile", "known")] == (1,)


async def test_second_answers_that_find_the_queue_full_decide_nothing(
    hall: ComparisonRig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(judges_module, "MOST_WAITING", 0)

    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, a_pair(again=1))
    await breathe(1)

    assert hall.result() == {"different": 1}
    assert hall.kept[0].notes == ("not asked again: failed",)


async def test_a_route_whose_pairs_end_judges_rests_in_every_worker_longer_each_time(hall: ComparisonRig):
    hall.judging.on_message(WORKER, Unjudged("profile", 1, "crash", 1, cost=True))
    hall.judging.on_message(WORKER, Unjudged("profile", 1, "crash", 3))
    hall.judging.on_message(WORKER, Unjudged("profile", 1, "time", 1, cost=True))

    assert hall.result() == {"crash": 4, "time": 1}
    assert hall.asked == [Rest("profile", 1.0)]  # the first judge that is lost costs one pair


async def test_second_answers_that_end_their_judge_count_the_first_ones_and_the_route_rests(hall: ComparisonRig):
    hall.judging.on_message(WORKER, Unjudged("profile", 1, "crash", 1, cost=True))
    await hall.judged(a_pair(), "different", found=(FOUND,))
    hall.judging.on_message(WORKER, a_pair(again=1))
    await breathe(3)
    hall.seats[-1].end()
    await breathe(1)

    assert hall.result() == {"crash": 1, "different": 1}
    assert hall.asked[-1] == Rest("profile", 1.0)


async def test_a_worker_whose_pairs_wait_has_a_judge_started_up_to_what_is_allowed(hall: ComparisonRig):
    for _ in range(3):
        hall.judging.on_message(WORKER, JudgeWanted(10))
        await breathe(1)
    started = len(hall.seats)
    hall.judging.on_message(WORKER, JudgeSilent(1))
    await breathe(1)

    assert (started, hall.seats[0].ended) == (1, True)


async def test_second_answers_that_nobody_waits_for_are_left_alone(hall: ComparisonRig):
    hall.judging.on_message(WORKER, a_pair(again=1))
    hall.judging.on_message(WORKER, AgainFailed("never", "gone"))
    await breathe(3)

    assert (hall.seats, hall.result()) == ([], {})


async def test_every_pair_ends_in_exactly_one_count(hall: ComparisonRig):
    verdicts = ["equal", "different", "noise", "not_compared", "different", "different"]
    for number, verdict in enumerate(verdicts):
        found = (FOUND,) if verdict == "different" else ()
        await hall.judged(a_pair(id=f"p{number}"), verdict, found=found, reason="x" if verdict[0] == "n" else "")
    for number, again in ((1, "equal"), (4, "different")):
        await hall.judged(a_pair(id=f"p{number}", again=1), again, found=(FOUND,) if again == "different" else ())
    hall.judging.on_message(WORKER, AgainFailed("p5", "gone"))

    assert sum(hall.result().values()) == len(verdicts)


async def test_an_opinion_that_comes_after_its_route_is_gone_hurts_nobody(hall: ComparisonRig):
    hall.policy = None

    await hall.judged(a_pair(), "different", found=(FOUND,))

    assert (hall.result(), hall.asked) == ({}, [])
