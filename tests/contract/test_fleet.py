"""What the exchange between instances promises, over every store that has one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.storage import fleet_of, fleet_redis
from proxy.storage.fleet import UNSAID, Counted, Fleet, InstanceReport, News
from proxy.storage.store import StoreError
from tests.support.instances import redis_waited_for
from tests.support.redis_server import PASSWORD, RedisServer


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisServer]:
    monkeypatch.setenv("STRANGLER_REDIS_PASSWORD", PASSWORD)
    async with redis_waited_for(tmp_path) as made:
        yield made


@pytest.fixture(params=["redis"])
async def fleet(server: RedisServer) -> AsyncIterator[Fleet]:
    made = fleet_of(server.url)
    assert made is not None
    yield made
    await made.close()


def told(number: int, run: str = "ann", ago: float = 0.0) -> InstanceReport:
    return InstanceReport(run, number, ago, b"what %d saw\x00\xff" % number)


@pytest.mark.parametrize("text", ["memory", "sqlite:var/store.db"])
def test_a_store_of_one_host_has_no_others(text: str):
    assert fleet_of(text) is None


async def test_what_is_told_is_heard_whole_in_its_order(fleet: Fleet):
    await fleet.exchange([told(1), told(2)], "")

    heard = await fleet.exchange([told(1, "bob")], "")

    assert [(one.run, one.number, one.payload) for one in heard.reports] == [
        (one.run, one.number, one.payload) for one in (told(1), told(2), told(1, "bob"))
    ]


async def test_whoever_reads_on_hears_nothing_twice(fleet: Fleet):
    first = await fleet.exchange([told(1)], "")
    nothing = await fleet.exchange([], first.place)
    second = await fleet.exchange([told(2)], nothing.place)

    assert [one.number for one in (*first.reports, *nothing.reports, *second.reports)] == [1, 2]


async def test_what_is_told_at_once_reaches_everybody_once(fleet: Fleet):
    await asyncio.gather(*(fleet.exchange([told(1, f"run{number}")], "") for number in range(5)))

    heard = await fleet.exchange([], "")

    assert sorted(one.run for one in heard.reports) == [f"run{number}" for number in range(5)]


async def test_the_age_is_that_of_the_contents_on_the_way_out_as_on_the_way_in(fleet: Fleet):
    await fleet.exchange([told(1, ago=12.5)], "")

    (one,) = (await fleet.exchange([], "")).reports

    assert 12.5 <= one.ago < 72.0


async def test_what_is_old_is_gone(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    await fleet.exchange([told(1)], "")
    monkeypatch.setattr(fleet_redis, "TOLD_FOR", -1.0)

    heard = await fleet.exchange([], "")

    assert heard.reports == ()


async def test_what_is_kept_is_bounded_whatever_the_time(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fleet_redis, "MOST_KEPT", 2)
    await fleet.exchange([told(number) for number in range(1, 6)], "")

    heard = await fleet.exchange([], "")

    assert [one.number for one in heard.reports] == [4, 5]


async def test_of_very_much_at_once_some_is_heard_the_rest_next_time(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fleet_redis, "AT_ONCE", 3)
    first = await fleet.exchange([told(number) for number in range(1, 6)], "")

    second = await fleet.exchange([], first.place)

    assert [[one.number for one in heard.reports] for heard in (first, second)] == [[1, 2, 3], [4, 5]]


async def test_a_place_from_a_clock_that_has_jumped_back_since_does_not_make_deaf(fleet: Fleet):
    await fleet.exchange([told(1)], "")

    heard = await fleet.exchange([], "99999999999999-0")

    assert [one.number for one in heard.reports] == [1]


async def test_without_a_store_it_says_so(fleet: Fleet, server: RedisServer):
    await fleet.exchange([told(1)], "")
    server.kill()

    with pytest.raises(StoreError):
        await fleet.exchange([told(2)], "")


async def test_a_store_that_comes_back_empty_is_told_to_as_before(fleet: Fleet, server: RedisServer):
    before = await fleet.exchange([told(1)], "")
    server.kill()
    await server.start()

    heard = await fleet.exchange([told(2)], before.place)

    assert [one.number for one in heard.reports] == [2]


# ── counts of differences ──

WEEK = 604_800.0
EARLY = 0.0


def met(group: str = "g1", count: int = 1, at: float = 1000.5, state: str = UNSAID) -> Counted:
    return Counted(group, "profile", "/items/*/price", "value", count, at, at, state)


async def test_what_instances_met_is_added_up(fleet: Fleet):
    await fleet.count(News("ann", 1, (met(count=2), met("g2"))), "", EARLY, WEEK)

    counts = await fleet.count(News("bob", 1, (met(count=3, at=2000.5),)), "", EARLY, WEEK)

    assert counts is not None
    found = {one.group: one for one in counts.groups}
    assert found["g1"] == Counted("g1", "profile", "/items/*/price", "value", 5, 1000.5, 2000.5, "")
    assert found["g2"].count == 1


async def test_news_that_are_told_twice_count_once(fleet: Fleet):
    for number in (1, 1, 2, 1):
        await fleet.count(News("ann", number, (met(),)), "", EARLY, WEEK)

    counts = await fleet.count(News("bob", 0), "", EARLY, WEEK)

    assert counts is not None
    assert [one.count for one in counts.groups] == [2]


async def test_whoever_knows_the_counts_is_not_told_them_again(fleet: Fleet):
    first = await fleet.count(News("ann", 1, (met(),)), "", EARLY, WEEK)
    assert first is not None

    assert await fleet.count(News("ann", 1), first.version, EARLY, WEEK) is None
    assert await fleet.count(News("bob", 1, (met(),)), first.version, EARLY, WEEK) is not None


async def test_without_any_difference_there_is_nothing_to_tell(fleet: Fleet):
    assert await fleet.count(News("ann", 0), "", EARLY, WEEK) is None


async def test_what_is_known_or_found_equal_is_said_and_met_again_the_equal_is_open(fleet: Fleet):
    await fleet.count(News("ann", 1, (met("g1", state="known"), met("g2", state="equal"))), "", EARLY, WEEK)
    before = await fleet.count(News("bob", 1, (met("g3", 0, state="known"),)), "", EARLY, WEEK)
    after = await fleet.count(News("bob", 2, (met("g1"), met("g2"))), "", EARLY, WEEK)
    opened = await fleet.count(News("bob", 3, (met("g1", 0, state=""),)), "", EARLY, WEEK)

    states = [{one.group: one.state for one in counts.groups} for counts in (before, after, opened) if counts]
    assert states == [{"g1": "known", "g2": "equal"}, {"g1": "known", "g2": ""}, {"g1": "", "g2": ""}]


async def test_what_was_not_met_for_long_is_forgotten(fleet: Fleet):
    await fleet.count(News("ann", 1, (met("g1"), met("g2", at=3000.0))), "", EARLY, WEEK)

    counts = await fleet.count(News("ann", 2, (met("g3", at=3000.0),)), "", 2000.0, WEEK)

    assert counts is not None
    assert {one.group for one in counts.groups} == {"g2", "g3"}


async def test_of_too_many_those_not_met_for_longest_go(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fleet_redis, "MOST_GROUPS", 2)

    counts = await fleet.count(News("ann", 1, tuple(met(f"g{at}", at=at) for at in range(5))), "", EARLY, WEEK)

    assert counts is not None
    assert {one.group for one in counts.groups} == {"g3", "g4"}


async def test_counts_of_a_store_that_is_empty_again_are_empty(fleet: Fleet, server: RedisServer):
    before = await fleet.count(News("ann", 1, (met(),)), "", EARLY, WEEK)
    assert before is not None
    server.kill()
    await server.start()

    after = await fleet.count(News("ann", 1), before.version, EARLY, WEEK)

    assert after is not None
    assert after.groups == ()
