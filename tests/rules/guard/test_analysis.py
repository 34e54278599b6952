"""The verdict is the worst of its checks, with numbers and reasons; no traffic is never a pass."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.referees import Strangler
from bench.streams import World, stream
from rules.guard.analysis import judge
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, REASONS, TOO_LITTLE, Evidence, Violation
from rules.guard.window import ComparedTally
from rules.model import GuardPolicy
from tests.rules.seen import Minutes, asked, badness, policy, side

USUAL = GuardPolicy()
NOW = 1000.0


def test_nothing_seen_is_too_little_never_good():
    verdict = judge(USUAL, Evidence(), NOW)

    assert (verdict.outcome, verdict.reason) == (TOO_LITTLE, "")
    assert verdict.detail == "no traffic on modern"


def test_a_calm_route_is_good_with_all_its_numbers():
    evidence = Evidence(legacy=side(900, 4), modern=side(100, 1), trials=Minutes().go(60))

    verdict = judge(USUAL, evidence, NOW)
    assert (verdict.outcome, verdict.reason, verdict.window, verdict.at) == (GOOD, "", 60.0, NOW)
    assert [check.name for check in verdict.checks] == [
        "consecutive", "errors", "p95", "worse_errors", "worse_4xx", "worse_p95",
    ]  # fmt: skip
    assert asked(verdict, "errors").value == 0.01
    assert asked(verdict, "p95").limit == 1.0


def test_where_nothing_is_compared_agreement_is_not_asked_for():
    assert judge(USUAL, Evidence(modern=side(100)), NOW).check("mismatch") is None
    assert judge(USUAL, Evidence(modern=side(100), mirrored=True), NOW).check("mismatch") is not None


def test_too_few_pairs_leave_the_verdict_to_the_other_checks():
    assert judge(USUAL, Evidence(modern=side(100), mirrored=True), NOW).outcome == GOOD


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (Evidence(modern=side(100), trip="5 in a row"), "consecutive"),
        (Evidence(modern=side(100), violations=(Violation("totals", "rollback"),)), "invariant"),
        (Evidence(modern=side(100, 50)), "errors"),
        (Evidence(modern=side(100, latencies={3.0: 100})), "p95"),
        (Evidence(modern=side(100), mirrored=True, compared=ComparedTally(equal=10, different=50)), "mismatch"),
        (Evidence(modern=side(100), trials=Minutes().go(60, (50, 0.0), (50, 0.04))), "worse_errors"),
        (Evidence(modern=side(100), trials=Minutes().go(20, (50, 0), (50, 1), field="client_errors")), "worse_4xx"),
        (Evidence(modern=side(100), trials=Minutes().go(60, slower=3.0)), "worse_p95"),
    ],
    ids=(*REASONS[:4], "mismatch", "worse_errors", "worse_4xx", "worse_p95"),
)
def test_every_reason_to_roll_back_is_found(evidence: Evidence, reason: str):
    verdict = judge(USUAL, evidence, NOW)

    assert (verdict.outcome, verdict.reason) == (BAD, reason)
    assert verdict.detail == asked(verdict, reason).detail != ""


def test_of_several_accusations_the_gravest_is_named():
    evidence = Evidence(modern=side(100, 90), violations=(Violation("totals", "rollback"),))

    assert judge(USUAL, evidence, NOW).reason == "invariant"


def test_a_broken_rule_accuses_however_little_traffic_there_was():
    assert judge(USUAL, Evidence(violations=(Violation("totals", "rollback"),)), NOW).outcome == BAD


def test_an_outage_of_both_sides_cannot_be_told_and_says_of_what():
    verdict = judge(USUAL, Evidence(legacy=side(100, 90), modern=side(100, 90)), NOW)

    assert (verdict.outcome, verdict.reason) == (CANNOT_TELL, "errors")
    assert "legacy as well: 90 of 100" in verdict.detail


def test_limits_that_are_off_are_not_asked():
    off = policy(p95=0.0, consecutive_failures=0, worse_than_legacy=None)

    verdict = judge(off, Evidence(modern=side(100, latencies={9.0: 100}), trip="5"), NOW)
    assert [(check.name, check.outcome) for check in verdict.checks] == [("errors", GOOD)]


def test_a_verdict_says_what_it_was_asked():
    verdict = judge(USUAL, Evidence(modern=side(100)), NOW)

    assert verdict.check("manual") is None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200), st.integers(0, 40), st.integers(0, 40))
def test_more_failures_differences_or_violations_are_never_better(
    legacy: int, modern: int, errors: int, differences: int, more: int
):
    errors = min(errors, modern)

    def verdict(errors: int, differences: int, violations: int) -> str:
        violated = (Violation("totals", "rollback", violations),)
        compared = ComparedTally(equal=100 - differences, different=differences, eligible=100)
        evidence = Evidence(side(legacy), side(modern, errors), mirrored=True, compared=compared, violations=violated)
        return judge(USUAL, evidence, NOW).outcome

    calm = badness(verdict(errors, differences, 0))
    assert calm <= badness(verdict(min(modern, errors + more), differences, 0))
    assert calm <= badness(verdict(errors, min(100, differences + more), 0))
    assert calm <= badness(verdict(errors, differences, more))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_sides_that_fail_alike_are_left_alone(share: float):
    """The seeds are fixed: this pins what `python -m bench.judge` measures on a larger scale."""
    reasons = [_rolled_back(World(share, seconds=250), seed) for seed in range(3)]

    assert reasons == [None, None, None]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_an_outage_of_both_sides_rolls_nothing_back(share: float):
    world = World(share, seconds=100, outage=(40, 70, 0.9))

    assert [_rolled_back(world, seed) for seed in range(4)] == [None] * 4


@pytest.mark.parametrize(("errors", "within"), [(1.0, 1), (0.5, 5), (0.05, 60)])
def test_a_fault_of_modern_alone_is_found_within_seconds(errors: float, within: int):
    world = World(0.5, modern_errors=errors, begins=60, seconds=61 + within)

    assert all(_rolled_back(world, seed) is not None for seed in range(3))


def _rolled_back(world: World, seed: int) -> str | None:
    judge = Strangler()
    return next((reason for second in stream(world, seed) if (reason := judge.see(second)) is not None), None)
