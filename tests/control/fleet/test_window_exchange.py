"""Traffic of several instances is judged as one: each sends its outcomes, all add them up, one acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from proxy.control.errors import RefusedError
from proxy.control.route_evidence import NothingJudged
from proxy.ipc.messages import PairCounts
from proxy.storage.store_redis import waiting_client
from rules.guard.window import ComparedTally
from rules.model import Rollout, ShadowPolicy, Step
from tests.support.instances import ENVIRON, Several, redis_waited_for, several, together
from tests.support.rollout_rig import NOON, RolloutRig, a_route

SOME: dict[str, Any] = {"modern": 2, "legacy": 60}
"""A small share: in a minute less than any instance could judge by."""
BAD: dict[str, Any] = {"modern": 2, "errors": 1, "legacy": 60}


@pytest.fixture
async def trio(tmp_path: Path) -> AsyncIterator[Several]:
    async with several(tmp_path, *[a_route()] * 3) as made:
        yield made


# ── judged as one ──


async def test_a_fault_that_no_instance_could_judge_alone_is_rolled_back_everywhere(tmp_path: Path, trio: Several):
    alone = RolloutRig(tmp_path)
    await alone.seconds(5, **BAD)

    await trio.seconds(5, **BAD)

    evidence = orjson.loads(trio.all[1].override().evidence)
    assert alone.weight() == 50.0
    assert trio.weights() == [0.0, 0.0, 0.0]
    assert {one.override().reason for one in trio} <= {"errors", "worse_errors"}
    assert (evidence["outcome"], evidence["instances"]) == ("bad", 3)


async def test_what_all_see_is_told_by_the_one_that_leads(trio: Several):
    await trio.seconds(8, **BAD)

    assert await trio.all[2].events() == ["rollback"]
    assert trio.all[0].override().revision == 1


async def test_a_leader_that_does_not_act_is_not_waited_for_long(trio: Several):
    trio.all[0].leads = False
    await trio.seconds(4, **BAD)
    early = trio.weights()

    await trio.seconds(4, **BAD)

    assert (early, trio.weights()) == ([50.0] * 3, [0.0] * 3)


async def test_two_who_act_at_once_do_no_harm(trio: Several):
    for one in trio:
        one.leads = True

    await trio.seconds(8, **BAD)

    assert trio.weights() == [0.0] * 3
    assert len({one.override() for one in trio}) == 1


async def test_the_fault_of_one_host_does_not_drown_in_the_health_of_the_others(trio: Several):
    for _ in range(5):
        for number, one in enumerate(trio):
            one.turn(1)
            one.saw(**({"modern": 10, "errors": 9, "legacy": 500} if number == 2 else {"modern": 2000, "legacy": 2000}))
        for one in trio:
            await together(one).exchange()
        await trio.judge()

    assert trio.weights() == [0.0] * 3
    assert orjson.loads(trio.all[0].override().evidence)["instances"] == 1


async def test_nothing_is_counted_twice_though_answers_get_lost(trio: Several):
    await trio.second(**SOME)
    trio.lines[0].loses = True
    await trio.seconds(3, **SOME)
    trio.lines[0].loses = False
    await trio.seconds(2, **SOME)

    # ann sends first, so it gets the others' latest second with the next exchange
    found = [together(one).merged.windows.totals("profile", "modern").requests for one in trio]
    assert found == [6 * 2 * 3 - 2 * 2, 6 * 2 * 3 - 2, 6 * 2 * 3]


async def test_latencies_and_pairs_are_merged_as_well(trio: Several):
    await trio.seconds(3, **SOME, pairs=PairCounts("profile", 1, both_fine=3, modern_failed=1))

    seen = together(trio.all[2]).merged.evidence("profile", int(trio.all[2].clock()), ComparedTally())
    assert (seen.pairs.both_fine, seen.pairs.modern_failed) == (27, 9)
    assert sum(seen.modern.latencies.values()) == seen.modern.requests == 18
    assert seen.trials is not None
    assert (whole := seen.trials.errors.whole()) is not None
    assert whole.modern.requests == 18


class Mirrored(NothingJudged):
    """A mirror with some pairs compared."""

    def __init__(self) -> None:
        self.tally = ComparedTally()

    def counts(self, _route: str) -> ComparedTally:
        return self.tally

    def totals(self, _route: str) -> ComparedTally:
        return self.tally


async def test_readiness_and_mismatches_are_of_all_instances(tmp_path: Path):
    mirrors = [Mirrored() for _ in range(3)]
    route = replace(a_route(), shadow=ShadowPolicy(sample=1.0))
    async with several(tmp_path, *[route] * 3, judged=mirrors) as trio:
        for number in range(1, 4):
            for mirror in mirrors:
                mirror.tally = ComparedTally(3 * number, number, not_compared={"shed": number}, eligible=5 * number)
            await trio.second()

        readiness = trio.all[2].guard.seen["profile"].readiness
        weights = trio.weights()

    assert readiness is not None
    assert (readiness.compared, readiness.different, readiness.eligible) == (36, 9, 45)
    assert weights == [0.0] * 3


async def test_the_leader_advances_by_what_all_have_seen(tmp_path: Path):
    steps = Rollout(steps=(Step(10.0, 2.0, 60), Step(100.0)))
    async with several(tmp_path, *[a_route(rollout=steps)] * 3) as trio:
        await trio.all[0].verbs.advance("profile", "ann", "begin")
        await trio.agree()
        await trio.seconds(6, modern=3, legacy=20)
        early = trio.weights()
        await trio.seconds(3, modern=3, legacy=20)

        assert (early, trio.weights()) == ([10.0] * 3, [100.0] * 3)


# ── left out ──


async def test_an_instance_with_other_rules_is_left_out_and_it_is_said(tmp_path: Path):
    async with several(tmp_path, a_route(), a_route(), a_route(error_rate=0.2)) as trio:
        await trio.seconds(3, **SOME)

        ann, cem = (together(trio.all[number]).standing("profile") for number in (0, 2))

    assert (ann["with"], ann["left_out"]) == (["bob"], {"cem": "other rules"})
    assert (cem["with"], cem["left_out"]) == ([], {"ann": "other rules", "bob": "other rules"})


async def test_another_weight_in_the_file_is_not_another_rule(tmp_path: Path):
    async with several(tmp_path, a_route(), a_route(rollout=Rollout(weight=10.0))) as two:
        await two.seconds(2, **SOME)

        assert together(two.all[0]).others("profile") == ("bob",)


async def test_what_was_seen_before_a_resume_is_not_held_against_what_comes_after(trio: Several):
    await trio.seconds(5, **BAD)
    trio.all[1].saw(**BAD)  # answers that were under way
    await trio.all[0].verbs.resume("profile", "ann", "mended")
    await together(trio.all[1]).exchange()
    await trio.agree()
    await trio.seconds(2, **SOME)

    whole = together(trio.all[2]).merged.windows.lately("profile", "modern", int(trio.all[2].clock()))
    assert trio.weights() == [50.0] * 3
    assert whole.errors == 0
    assert "bob" in together(trio.all[0]).others("profile")


async def test_an_instance_that_is_gone_counts_as_long_as_the_window_is(trio: Several):
    await trio.second(**SOME)
    ann, bob = trio.all[0], trio.all[1]
    await together(ann).exchange()
    there = together(ann).others("profile")
    for _ in range(61):
        ann.turn(1)
        await together(ann).exchange()

    assert there == ("bob", "cem")
    assert together(ann).others("profile") == ()
    assert bob.weight() == 50.0


# ── cut off ──


async def test_cut_off_an_instance_judges_alone_and_promotes_nobody(tmp_path: Path):
    steps = Rollout(steps=(Step(10.0, 2.0, 10), Step(100.0)))
    async with several(tmp_path, *[a_route(rollout=steps)] * 3) as trio:
        await trio.all[0].verbs.advance("profile", "ann", "begin")
        await trio.agree()
        await trio.second(modern=2, legacy=20)
        trio.server.kill()
        await trio.seconds(6, modern=20, legacy=20)
        cut_off = trio.weights(), [together(one).others("profile") for one in trio]
        with pytest.raises(RefusedError):
            await trio.all[0].verbs.advance("profile", "ann", "go")

        # bob alone has trouble
        for one in trio:
            one.turn(1)
        trio.all[1].saw(modern=40, errors=30, legacy=20)
        await trio.judge()
        apart = trio.weights()
        await trio.server.start()
        await trio.agree()
        back = trio.weights()
        await trio.seconds(3, modern=20, legacy=20)

    assert cut_off == ([10.0] * 3, [()] * 3)
    assert apart == [10.0, 0.0, 10.0]
    assert (back, trio.weights()) == ([0.0] * 3, [0.0] * 3)


async def test_back_again_instances_hear_each_other_once_more(trio: Several):
    await trio.second(**SOME)
    trio.server.kill()
    await trio.seconds(4, **SOME)
    apart = together(trio.all[0]).is_receiving()
    await trio.server.start()
    await trio.seconds(2, **SOME)

    assert apart is False
    back = together(trio.all[0]).standing("profile")
    assert (back["heard"], back["with"], back["left_out"]) == (True, ["bob", "cem"], {})


async def test_an_instance_that_starts_hears_what_was_told_before(tmp_path: Path):
    async with redis_waited_for(tmp_path) as server:
        first = Several(server, tmp_path, [a_route()] * 2, ())
        await first.agree()
        await first.seconds(3, **SOME)
        late = Several(server, tmp_path, [a_route()], ())
        (one,) = late
        one.turn(3)
        await together(one).exchange()
        found = together(one).merged.windows.totals("profile", "modern").requests
        others = together(one).others("profile")  # an earlier run of its own is not another instance
        for each in (first, late):
            await each.close()

    assert found == 12
    assert others == ("bob",)
    assert one.wall() == NOON + 3


async def test_a_store_that_refuses_the_exchange_alone_is_told_of_once(trio: Several):
    ann = trio.all[0]
    with waiting_client(trio.server.url, ENVIRON) as redis:
        redis.acl_setuser("default", enabled=True, commands=["-xadd", "-xtrim"])
    await ann.rollout_controller.following.look()

    for _ in range(8):
        await together(ann).exchange()

    told = [fields["where"] for event, fields in ann.told if event == "unexpected"]
    assert told == ["exchange of windows"]
    assert ann.writer.up
    assert not together(ann).is_receiving()


async def test_status_says_whose_traffic_is_judged(trio: Several):
    await trio.seconds(2, **SOME)

    standing = trio.all[2].rollout_controller.standing("profile")

    told = standing["together"]
    assert (told["heard"], told["with"], told["left_out"]) == (True, ["ann", "bob"], {})
    assert (told["modern"]["requests"], told["legacy"]["requests"], told["modern"]["errors"]) == (12, 360, 0)
    assert told["compare"]["mismatch_rate"] is None
    assert standing["verdict"]["instances"] == 3
