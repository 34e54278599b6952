"""Instances on one store agree, whichever was cut off, whatever the store lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.control.errors import RefusedError
from proxy.storage.fleet_redis import RedisFleet
from proxy.storage.store_redis import RedisStore
from tests.support.instances import redis_waited_for
from tests.support.redis_server import PASSWORD, RedisServer
from tests.support.rollout_rig import RolloutRig

ENVIRON = {"STRANGLER_REDIS_PASSWORD": PASSWORD}


class Pair:
    """Two instances, `ann` with `bob`, that have met the store."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.server = server
        self._links = [(RedisStore(server.url, ENVIRON), RedisFleet(server.url, ENVIRON)) for _ in range(2)]
        self.ann, self.bob = (RolloutRig(folder, store=store, fleet=fleet) for store, fleet in self._links)

    async def agree(self) -> None:
        """Both write what waits, then look: twice, for what one settles the other must see."""
        for _ in range(2):
            for one in (self.ann, self.bob):
                await one.writer.flush()
                await one.rollout_controller.following.look()

    async def close(self) -> None:
        for store, fleet in self._links:
            await store.close()
            await fleet.close()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with redis_waited_for(tmp_path) as server:
        made = Pair(server, tmp_path)
        await made.agree()
        yield made
        await made.close()


async def test_what_one_instance_sets_the_other_puts_into_effect(pair: Pair):
    await pair.ann.verbs.weight("profile", 75, "ann", "go")
    await pair.ann.verbs.hold("profile", "ann", "wait")
    await pair.agree()

    assert pair.bob.override() == pair.ann.override()
    assert (pair.bob.weight(), pair.bob.override().held) == (75, True)


async def test_a_rollback_on_one_is_one_on_the_other_and_a_resume_lifts_both(pair: Pair):
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.agree()
    rolled_back = pair.bob.override()
    await pair.bob.verbs.resume("profile", "bob", "mended")
    await pair.agree()

    assert (rolled_back.rolled_back, rolled_back.text) == (True, "looks wrong")
    assert pair.ann.override() == pair.bob.override()
    assert (pair.ann.weight(), pair.ann.override().rolled_back) == (50, False)


async def test_a_lifted_rollback_is_judged_afresh_by_those_who_only_follow(pair: Pair):
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.agree()
    pair.bob.saw(modern=50, errors=50)
    await pair.ann.verbs.resume("profile", "ann", "mended")
    await pair.agree()

    await pair.bob.second(modern=1)

    assert not pair.bob.override().rolled_back


async def test_two_who_roll_back_at_once_agree_on_the_one_that_was_written_first(pair: Pair):
    pair.ann.verbs.roll_back_now(("profile",), "guard", "errors", cause="errors")
    pair.bob.verbs.roll_back_now(("profile",), "guard", "p95", cause="p95")
    await pair.agree()

    assert pair.ann.override() == pair.bob.override()
    assert pair.ann.override().reason == "errors"
    assert pair.ann.override().revision == 1


async def test_a_promotion_by_one_who_knows_an_older_state_is_refused_and_shows_the_newer_one(pair: Pair):
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.ann.writer.flush()

    with pytest.raises(RefusedError):
        await pair.bob.verbs.weight("profile", 100, "bob", "go")

    assert pair.bob.override().rolled_back


async def test_whoever_is_cut_off_may_roll_back_but_not_promote_and_the_rollback_wins(pair: Pair):
    pair.server.kill()
    with pytest.raises(RefusedError):
        await pair.ann.verbs.weight("profile", 100, "ann", "go")
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.bob.verbs.weight("profile", 5, "bob", "less")
    cut_off = pair.ann.weight(), pair.bob.weight()
    await pair.ann.rollout_controller.following.look()
    up = pair.ann.writer.up

    await pair.server.start()
    await pair.agree()

    assert (cut_off, up) == ((0, 5), False)
    assert pair.ann.override() == pair.bob.override()
    assert pair.bob.override().rolled_back


async def test_of_two_that_were_cut_off_the_lower_weight_is_right_afterwards(pair: Pair):
    pair.server.kill()
    await pair.ann.verbs.weight("profile", 20, "ann", "less")
    await pair.bob.verbs.weight("profile", 5, "bob", "much less")
    await pair.server.start()
    await pair.agree()

    assert pair.ann.override() == pair.bob.override()
    assert pair.ann.weight() == 5


async def test_a_store_that_comes_back_empty_is_told_again_what_it_knew(pair: Pair):
    await pair.ann.verbs.weight("profile", 75, "ann", "go")
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.agree()
    pair.server.kill()
    await pair.server.start()
    await pair.agree()
    late = RedisStore(pair.server.url, ENVIRON)

    (kept,) = await late.overrides()
    await late.close()

    assert kept.rolled_back
    assert kept == pair.ann.override() == pair.bob.override()


async def test_a_hint_ends_the_wait_and_a_missing_one_does_not_prolong_it(pair: Pair):
    fleet = RedisFleet(pair.server.url, ENVIRON)
    await fleet.hint(0.05)
    waiting = asyncio.create_task(fleet.hint(60))
    await pair.ann.verbs.weight("profile", 75, "ann", "go")

    async with asyncio.timeout(60):
        await waiting
        pair.server.kill()
        await fleet.hint(0.01)
        await fleet.hint(0.01)
    await fleet.close()


async def test_what_is_followed_is_told_once(pair: Pair):
    await pair.ann.verbs.roll_back("profile", "ann", "looks wrong")
    await pair.agree()
    await pair.agree()

    told = [fields for event, fields in pair.bob.told if event == "followed"]
    assert [(each["route"], each["rolled_back"], each["who"]) for each in told] == [("profile", True, "ann")]
