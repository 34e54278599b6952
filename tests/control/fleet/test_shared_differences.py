"""Counts of differences are of all instances, their examples of the one that met them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.control.fleet import shared_differences
from proxy.control.fleet.shared_differences import SharedDifferences
from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import Difference, Wanted
from proxy.storage.fleet_redis import RedisFleet
from tests.support.instances import ENVIRON, redis_waited_for
from tests.support.redis_server import RedisServer

NOW = 1_800_000_000.0


class Pair:
    """Two instances; `kept` is what the first one's own store was given."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.fleets = [RedisFleet(server.url, ENVIRON) for _ in range(2)]
        self.ann, self.bob = (SharedDifferences(fleet, lambda: 3600.0, lambda: NOW) for fleet in self.fleets)
        self.kept: list[Difference] = []

    async def look(self) -> None:
        for one in (self.ann, self.bob, self.ann):
            await one.look()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with redis_waited_for(tmp_path) as server:
        made = Pair(server)
        yield made
        for fleet in made.fleets:
            await fleet.close()


def differing(*groups: str, at: float = NOW, route: str = "profile") -> Difference:
    found = tuple(Found(group, f"/items/0/{group}", f"/items/*/{group}", "value", "1", "2") for group in groups)
    return Difference("pair", at, route, "GET /", found)


async def test_counts_are_those_of_all_instances(pair: Pair):
    for one in (pair.ann, pair.ann, pair.bob):
        one.record_difference(differing("a", "a", "b"))
    pair.bob.record_difference(differing("c"))
    pair.bob.record_difference(replace(differing("c"), count=5, is_example=False))
    await pair.look()

    for one in (pair.ann, pair.bob):
        assert [one.count(group) for group in "abcd"] == [3, 3, 6, 0]
        assert (one.open_groups("profile"), one.open_groups("other")) == (3, 0)


async def test_what_only_another_instance_met_is_listed_without_examples(pair: Pair):
    pair.bob.record_difference(differing("a", at=NOW - 20))
    pair.bob.record_difference(differing("b", at=NOW - 10))
    pair.bob.record_difference(differing("c", route="other"))
    await pair.look()

    listed = pair.ann.groups(Wanted(route="profile"))
    following = pair.ann.groups(Wanted(route="profile", after=listed[0].place))

    assert [(group.id, group.path, group.count, group.examples) for group in listed] == [
        ("b", "/items/*/b", 0, ()),
        ("a", "/items/*/a", 0, ()),
    ]
    assert [group.id for group in following] == ["a"]
    assert [group.id for group in pair.ann.groups(Wanted(since=NOW - 1))] == ["c"]
    assert (found := pair.ann.group("a")) is not None
    assert (found.first_seen, found.last_seen) == (NOW - 20, NOW - 20)
    assert pair.ann.group("z") is None


async def test_what_is_known_on_one_instance_is_open_on_none(pair: Pair):
    pair.ann.record_difference(differing("a", "b"))
    await pair.look()
    pair.ann.settle("a", "known")
    await pair.look()
    known = pair.bob.group("a")
    opened = pair.bob.open_groups("profile")
    pair.ann.settle("a", "")
    await pair.look()

    assert known is not None
    assert known.known is not None
    assert (opened, pair.bob.open_groups("profile")) == (1, 2)


async def test_without_a_store_nothing_is_lost_nor_told_twice(pair: Pair):
    pair.ann.record_difference(differing("a"))
    pair.server.kill()
    await pair.ann.look()
    pair.ann.record_difference(differing("a"))
    await pair.ann.look()
    await pair.server.start()
    await pair.look()
    await pair.look()

    assert [one.count("a") for one in (pair.ann, pair.bob)] == [2, 2]


async def test_alone_there_is_nobody_to_tell():
    alone = SharedDifferences(None, lambda: 3600.0)
    kept: list[Difference] = []

    def keep(difference: Difference) -> bool:
        kept.append(difference)
        return True

    assert alone.counting(keep)(differing("a"))
    alone.settle("a", "known")
    await alone.run()

    assert (len(kept), alone.count("a"), alone.groups(Wanted())) == (1, 0, [])


async def test_what_waits_to_be_told_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared_differences, "MOST_NEWS", 2)
    for group in ("a", "b", "c", "a"):
        pair.ann.record_difference(differing(group))
    pair.ann.settle("d", "known")
    await pair.look()

    assert [pair.bob.count(group) for group in "abcd"] == [2, 1, 0, 0]
