"""Instances know each other: the list, the leader, the flags."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.control.fleet.membership import Membership, flags, rules_digest
from proxy.storage.fleet_redis import RedisFleet
from rules.model import Rollout
from tests.support import snapshots
from tests.support.clock import Clock
from tests.support.instances import redis_waited_for
from tests.support.redis_server import PASSWORD, RedisServer
from tests.support.rollout_rig import BACKENDS, a_route

ENVIRON = {"STRANGLER_REDIS_PASSWORD": PASSWORD}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_waited_for(tmp_path) as made:
        yield made


class One(Membership):
    """An instance with a clock of its own, `rules` of its own."""

    def __init__(self, server: RedisServer, name: str, rules: str = "r") -> None:
        self.turned = Clock()
        said = {"pid": 7, "ready": True, "reasons": [], "workers": [], "restarts": {}, "rules": rules}
        super().__init__(RedisFleet(server.url, ENVIRON), name, lambda: said, self.turned)


async def test_the_first_leads_alone(server: RedisServer):
    ann, bob = One(server, "ann"), One(server, "bob")
    for one in (ann, bob, ann, bob):
        await one.beat()

    assert [one.leads() for one in (ann, bob)] == [True, False]
    for one in (ann, bob):
        await one.leave()


async def test_whoever_hears_nothing_leads_nobody_after_its_lease(server: RedisServer):
    ann = One(server, "ann")
    await ann.beat()
    server.kill()
    await ann.beat()
    leading = ann.leads()

    ann.turned.turn(3)

    assert (leading, ann.leads()) == (True, False)
    await ann.leave()


async def test_whoever_leaves_is_spoken_of_no_more_and_somebody_else_leads(server: RedisServer):
    ann, bob = One(server, "ann"), One(server, "bob")
    for one in (ann, bob):
        await one.beat()
    await ann.leave()
    await bob.beat()

    assert bob.leads()
    assert [each["name"] for each in bob.documents()] == ["bob"]
    await bob.leave()


async def test_every_instance_shows_all_itself_first(server: RedisServer):
    ann, bob = One(server, "ann"), One(server, "bob", rules="others")
    for one in (ann, bob, ann):
        await one.beat()

    found = {name: one.documents() for name, one in (("ann", ann), ("bob", bob))}

    assert [[each["name"] for each in documents] for documents in found.values()] == [["ann", "bob"], ["bob", "ann"]]
    assert [[each["flags"] for each in documents] for documents in found.values()] == [[[], ["another file"]]] * 2
    assert [each["leads"] for each in found["bob"]] == [False, True]
    assert abs(found["ann"][0]["clock_offset"]) < 1
    for one in (ann, bob):
        await one.leave()


async def test_one_that_fell_silent_is_flagged(server: RedisServer):
    ann, bob = One(server, "ann"), One(server, "bob")
    for one in (bob, ann):
        await one.beat()
    ann.turned.turn(6)

    own, other = ann.documents()

    assert (own["flags"], other["flags"]) == ([], ["silent"])
    assert (other["ready"], other["leads"]) == (False, False)
    for one in (ann, bob):
        await one.leave()


async def test_alone_an_instance_leads():
    alone = Membership(None, "alone", lambda: {"rules": "r"})

    assert alone.leads()
    assert [each["flags"] for each in alone.documents()] == [[]]


@pytest.mark.parametrize(("offset", "ago", "found"), [(0.2, 1, []), (-3.0, 1, ["clock"]), (0.0, 9, ["silent"])])
def test_what_is_odd_is_flagged(offset: float, ago: float, found: list[str]):
    said: dict[str, Any] = {"rules": "r", "clock_offset": offset}

    assert list(flags(said, said, ago)) == found


def test_files_are_the_same_where_they_decide_the_same():
    snapshot = snapshots.snapshot(BACKENDS, routes=(a_route(),))
    listens = replace(snapshot, listen=replace(snapshot.listen, address="127.0.0.1:1"), digest="another")
    decides = replace(snapshot, routes=(a_route(rollout=Rollout(weight=51.0)),))

    assert rules_digest(listens) == rules_digest(snapshot)
    assert rules_digest(decides) != rules_digest(snapshot)
