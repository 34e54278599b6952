"""The list of differences shows what any instance met, page by page, each with its count over all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.control.comparison.policies import Noise
from proxy.control.comparison.queries import Differences
from proxy.control.fleet.shared_differences import SharedDifferences
from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import Difference, DiffsThread, Known, Wanted
from proxy.storage.diff_store_memory import MemoryDiffs
from proxy.storage.fleet_redis import RedisFleet
from tests.support.comparison_rig import ComparisonRig
from tests.support.instances import ENVIRON, redis_waited_for
from tests.support.redis_server import RedisServer

NOW = 1_800_000_000.0


class One:
    """An instance as far as differences go."""

    def __init__(self, server: RedisServer) -> None:
        self.fleet = RedisFleet(server.url, ENVIRON)
        self.everywhere = SharedDifferences(self.fleet, lambda: 3600.0, lambda: NOW)
        self.hall = ComparisonRig()
        self.store = DiffsThread(MemoryDiffs, lambda _: None)
        self.keep = self.everywhere.counting(self.store.add_difference)
        noise = Noise(lambda: "2026-11-21", lambda *_, **__: None)
        self.differences = Differences(self.store, self.hall.judging, self.hall.known, noise, self.everywhere)

    def met(self, group: str, ago: float) -> None:
        found = Found(group, f"/{group}", f"/{group}", "value", "1", "2")
        self.keep(Difference(f"{group} {ago}", NOW - ago, "profile", "GET /", (found,)))

    async def close(self) -> None:
        self.store.close()
        self.hall.judges.close()
        await self.fleet.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[One, One]]:
    async with redis_waited_for(tmp_path) as server:
        ann, bob = One(server), One(server)
        for ago in (50, 10):
            ann.met("both", ago)
        bob.met("both", 40)
        bob.met("bobs", 30)
        ann.met("anns", 20)
        for one in (ann, bob, ann):
            await one.everywhere.look()
        yield ann, bob
        for one in (ann, bob):
            await one.close()


async def test_counts_of_a_list_are_those_of_all_instances(two: tuple[One, One]):
    ann, _ = two

    page = await ann.differences.groups(Wanted())

    told = [(item["id"], item["count"], item["here"], len(item["examples"])) for item in page["items"]]
    assert told == [("both", 3, 2, 2), ("anns", 1, 1, 1), ("bobs", 1, 0, 0)]
    assert page["next"] is None


async def test_a_list_is_read_page_by_page_whoever_met_what(two: tuple[One, One]):
    ann, _ = two
    found: list[str] = []
    after = ""
    while after is not None:
        page = await ann.differences.groups(Wanted(after=after, limit=1))
        found += [item["id"] for item in page["items"]]
        after = page["next"]

    assert found == ["both", "anns", "bobs"]


async def test_one_of_another_instance_is_not_passed_over_behind_many_that_were_met_here_as_well(two: tuple[One, One]):
    ann, bob = two
    for number in range(5):
        ann.met(f"old{number}", 100)
        bob.met(f"old{number}", 5)
    for one in (ann, bob, ann):
        await one.everywhere.look()

    page = await ann.differences.groups(Wanted(limit=4))

    assert [item["id"] for item in page["items"]] == ["both", "anns", "bobs", "old4"]


async def test_one_that_only_another_instance_met_is_shown_without_examples(two: tuple[One, One]):
    ann, _ = two

    group = await ann.differences.group("bobs")

    assert group is not None
    assert (group["count"], group["here"], group["path"], group["examples"]) == (1, 0, "/bobs", [])


async def test_one_that_is_declared_known_is_open_nowhere(two: tuple[One, One]):
    ann, bob = two
    before = bob.everywhere.open_groups("profile")
    await ann.differences.ignore("anns", Known("as it should be", who="ann"))
    for one in (ann, bob):
        await one.everywhere.look()

    group = await bob.differences.group("anns")
    assert group is not None
    assert group["known"]["reason"] == "known on another instance"
    assert (before, bob.everywhere.open_groups("profile")) == (3, 2)
