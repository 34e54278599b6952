"""Pairs that differ alike are counted together: none is lost, none is counted that has to be decided by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ipc.codec import Inbox
from proxy.ipc.judge_messages import JUDGE, Case, Judged, Opinion, Repeated
from proxy.ipc.messages import Answer, Pair
from proxy.judge.opinion import Opinions
from proxy.judge.policies import RouteRules, Rules, route_rules
from proxy.judge.repeats import FEWEST_WHOLE, MOMENT, MOST_KINDS, Repeats, without_responses
from proxy.storage.diff_store import Known
from rules.model import Invariant, ShadowPolicy
from tests.support import snapshots
from tests.support.comparison_rig import FOUND, WORKER, ComparisonRig
from tests.support.pairs import a_pair

LEGACY, MODERN = b'{"price":"10.50","stock":1,"name":"a"}', b'{"price":10.51,"stock":1,"name":"a"}'
OTHERWISE = b'{"price":10.5,"stock":2,"name":"a"}'


def opinions(rechecks: int = 30, *invariants: Invariant) -> Opinions:
    return Opinions(Rules({"profile": RouteRules({"preset": "php"}, invariants, rechecks=rechecks)}, "2026-11-21"))


def judged(pairs: list[Pair], knows: Opinions | None = None, repeats: Repeats | None = None) -> list[Opinion | None]:
    """What a judge does with pairs of a worker, in one moment."""
    knows, repeats = knows or opinions(), repeats or Repeats()
    found = []
    for pair in pairs:
        opinion = knows.unless_repeated(Case(0, pair), repeats)
        if opinion is not None:
            repeats.sent_whole(without_responses(pair), opinion)
        found.append(opinion)
    return found


def test_as_many_as_may_be_asked_again_are_sent_whole_the_others_counted():
    repeats = Repeats()

    found = judged([a_pair(LEGACY, MODERN, path=f"/api/{number}") for number in range(100)], repeats=repeats)
    (folded,) = repeats.drain(0.0)

    assert [opinion is not None for opinion in found] == [True] * 30 + [False] * 70
    assert (folded.count, folded.pair.path, folded.pair.legacy.body) == (70, "/api/99", b"")
    assert [each.path for each in folded.opinion.found] == ["/price"]
    assert (folded.opinion.payload, folded.opinion.verdict) == (b"", "different")
    assert repeats.drain(0.0) == []


@pytest.mark.parametrize(("later", "whole"), [(MOMENT, FEWEST_WHOLE), (20.0, 10), (300.0, 30)])
def test_the_next_moment_begins_with_whole_ones_again_and_with_what_may_be_asked_by_then(later: float, whole: int):
    repeats = Repeats()
    repeats.drain(1000.0)
    judged([a_pair(LEGACY, MODERN)] * 40, repeats=repeats)
    repeats.drain(1000.0 + later)

    found = judged([a_pair(LEGACY, MODERN)] * 40, repeats=repeats)

    assert sum(opinion is not None for opinion in found) == whole


def test_every_route_has_what_may_be_asked_again_of_it():
    repeats = Repeats()
    rules = RouteRules({"preset": "php"}, (), rechecks=30)
    knows = Opinions(Rules({"profile": rules, "orders": rules}, "2026-11-21"))
    judged([a_pair(LEGACY, MODERN)] * 40, knows, repeats)

    assert None not in judged([a_pair(LEGACY, MODERN, route="orders")] * 30, knows, repeats)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "raced"},
        {"reason": "session"},
        {"reason": "alone"},
        {"reason": "noise"},
        {"method": "POST"},
        {"secondary": Answer(200, (("Content-Type", "application/json"),), LEGACY)},
    ],
)
def test_a_pair_that_is_decided_by_itself_is_sent_whole(change: dict[str, Any]):
    assert None not in judged([a_pair(LEGACY, MODERN, **change)] * 20)


def test_what_may_be_asked_again_without_end_is_sent_whole_and_more_where_more_may():
    endless = judged([a_pair(LEGACY, MODERN)] * 50, opinions(0))
    many = judged([a_pair(LEGACY, MODERN)] * 50, opinions(45))

    assert None not in endless
    assert sum(opinion is not None for opinion in many) == 45


def test_a_route_with_invariants_is_sent_whole():
    assert None not in judged([a_pair(LEGACY, MODERN)] * 20, opinions(30, Invariant("total", "/price > 0")))


def test_equal_pairs_and_stored_ones_never_fold():
    knows, repeats = opinions(), Repeats()
    judged([a_pair(LEGACY, MODERN)] * 40, knows, repeats)

    assert judged([a_pair(LEGACY, b'{"price":10.5,"stock":1,"name":"a"}')] * 9, knows, repeats)[-1] is not None
    assert knows.on(Case(3, a_pair(LEGACY, MODERN), stored=True)).verdict == "different"


def test_kinds_have_an_end_in_a_moment():
    repeats = Repeats()
    pairs = [a_pair(LEGACY, MODERN, generation=number) for number in range(MOST_KINDS + 50)]

    judged(pairs * FEWEST_WHOLE, repeats=repeats)
    found = judged(pairs, repeats=repeats)

    assert found.count(None) <= MOST_KINDS
    assert found[-1] is not None


def test_the_file_says_how_many_are_asked_again():
    route = snapshots.route(shadow=ShadowPolicy(sample=1.0, recheck_per_minute=77))

    assert (
        route_rules(
            snapshots.snapshot({"legacy": ["http://a"], "modern": ["http://b"]}, routes=[route]), route
        ).rechecks
        == 77
    )


@given(st.lists(st.sampled_from([(MODERN, "/a"), (OTHERWISE, "/a"), (MODERN, "/b"), (LEGACY, "/a")]), max_size=60))
def test_each_pair_is_sent_whole_or_counted_in_the_groups_that_it_differs_in(shapes: list[tuple[bytes, str]]):
    repeats = Repeats()
    pairs = [a_pair(LEGACY, modern, path=path) for modern, path in shapes]

    found = judged(pairs, repeats=repeats)

    counted: dict[tuple[str, ...], int] = {}
    for each in repeats.drain(0.0):
        groups = tuple(one.group for one in each.opinion.found)
        counted[groups] = counted.get(groups, 0) + each.count
    expected: dict[tuple[str, ...], int] = {}
    for opinion, alone in zip(found, judged(pairs, opinions(0)), strict=True):
        assert alone is not None
        if opinion is None:
            groups = tuple(one.group for one in alone.found)
            expected[groups] = expected.get(groups, 0) + 1
    assert counted == expected


def test_it_travels_without_the_responses():
    repeats = Repeats()
    judged([a_pair(LEGACY, MODERN)] * 40, repeats=repeats)
    (folded,) = repeats.drain(0.0)
    inbox = Inbox(JUDGE)

    inbox.feed(JUDGE.pack(folded))

    assert inbox.next_message() == folded
    assert len(JUDGE.pack(folded)) < 1500


# ── what control makes of them ──


def counts(rig: ComparisonRig) -> object:
    stored: dict[str, int] = {}
    for each in rig.kept:
        for found in each.found:
            stored[found.group] = stored.get(found.group, 0) + each.count
    lately = rig.comparisons.lately("profile")
    return rig.result(), dict(rig.comparisons.series()), stored, lately.excused, rig.told


@pytest.mark.parametrize("known", [False, True])
async def test_counted_together_they_come_to_what_they_come_to_one_by_one(known: bool):
    rigs = [ComparisonRig(ShadowPolicy(sample=1.0, recheck_per_minute=1)) for _ in range(2)]
    opinion = Opinion(0, "different", found=(FOUND,), forgiven=(("numeric_string", 2),))
    for rig in rigs:
        rig.rechecks.may("profile", 1, violated=False)  # the budget is spent
        if known:
            rig.known.set(FOUND.group, Known("a ticket"))
    one_by_one, together = rigs

    for _ in range(30):
        one_by_one.judging.on_judge_message(Judged(*WORKER, a_pair(), opinion))
    for _ in range(4):
        together.judging.on_judge_message(Judged(*WORKER, a_pair(), opinion))
    rest = Opinion(0, "different", found=(FOUND,), forgiven=(("numeric_string", 52),))
    together.judging.on_judge_message(Repeated(a_pair(), rest, 26, (("numeric_string", 26),)))

    assert counts(together) == counts(one_by_one)
    assert one_by_one.result() == ({"equal": 30} if known else {"different": 30})


async def test_those_like_one_that_was_a_race_are_left_open():
    rig = ComparisonRig()
    rig.rechecks.vanished(FOUND.group)

    rig.judging.on_judge_message(Repeated(a_pair(), Opinion(0, "different", found=(FOUND,)), 5))

    assert (rig.result(), rig.kept) == ({"unchecked": 5}, [])


async def test_those_of_a_route_that_is_gone_hurt_nothing():
    rig = ComparisonRig()
    rig.policy = None

    rig.judging.on_judge_message(Repeated(a_pair(), Opinion(0, "different", found=(FOUND,)), 5))

    assert (rig.result(), rig.kept) == ({}, [])
