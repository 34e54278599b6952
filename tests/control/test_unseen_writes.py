"""The writes that a rollback loses are reported: how many, since when, the last of them."""

from __future__ import annotations

from pathlib import Path

import orjson

from proxy.control.retirement import UnseenWrites
from proxy.ipc.messages import RouteWrites, Write, Writes
from proxy.state.request_outcomes import KEPT
from tests.support.rollout_rig import RolloutRig, a_route

LOSSY = a_route(rollback="lossy")
NOON = 1_800_000_000.0


def a_write(second: int) -> Write:
    return Write(NOON + second, "PUT", f"/profile/{second}", 200, f"r{second}")


def said(first: int, *seconds: int, route: str = "profile") -> Writes:
    return Writes((RouteWrites(route, NOON + first, tuple(map(a_write, seconds))),))


def test_what_several_workers_saw_is_one_list_with_the_earliest_moment():
    unseen = UnseenWrites(lambda _: 5)
    unseen.record_writes((0, 1), said(3, 3, 9))
    unseen.record_writes((1, 1), said(1, 5, 7))
    unseen.record_writes((0, 1), said(3, 3, 9, 11))

    told = unseen.evidence(LOSSY)

    assert told["writes_legacy_has_not_seen"] == 5
    assert told["writes_since"] == "2027-01-15T08:00:01.000Z"
    assert [each["path"] for each in told["last_writes"]] == [f"/profile/{second}" for second in (3, 5, 7, 9, 11)]
    assert told["last_writes"][0] == {
        "at": "2027-01-15T08:00:03.000Z",
        "method": "PUT",
        "path": "/profile/3",
        "status": 200,
        "request_id": "r3",
    }


def test_a_hundred_incarnations_of_workers_take_no_more_room_than_a_few():
    unseen = UnseenWrites(lambda _: 100)
    for number in range(100):
        unseen.record_writes((0, number), said(number, number))

    told = unseen.evidence(LOSSY)

    assert told["writes_since"] == "2027-01-15T08:00:00.000Z"
    assert [each["request_id"] for each in told["last_writes"]] == [f"r{number}" for number in range(100 - KEPT, 100)]
    assert len(unseen._reports["profile"]) <= KEPT


def test_where_nothing_is_lost_nothing_is_said():
    unseen = UnseenWrites(lambda _: 5)
    unseen.record_writes((0, 1), said(1, 1))

    assert unseen.evidence(a_route()) == {}
    assert unseen.words(a_route(rollback="forbidden")) == ""


def test_a_route_that_is_no_more_is_forgotten():
    unseen = UnseenWrites(lambda _: 0)
    unseen.record_writes((0, 1), said(1, 1))
    unseen.keep_only([])

    assert unseen.evidence(LOSSY) == {"writes_legacy_has_not_seen": 0, "writes_since": None, "last_writes": []}


async def test_who_rolls_a_route_back_by_hand_is_told_as_well(tmp_path: Path):
    rollout_rig = RolloutRig(tmp_path, a_route("profile", rollback="lossy"), a_route("other"))
    rollout_rig.rollout_controller._on_message((0, 1), said(1, 1, 2))

    await rollout_rig.verbs.roll_back_all("ann", "stop")

    told = orjson.loads(rollout_rig.override("profile").evidence)
    events = {event.route: event.evidence for event in await rollout_rig.trail.since(-1, 2)}
    assert [each["path"] for each in told["last_writes"]] == ["/profile/1", "/profile/2"]
    assert orjson.loads(events["profile"]) == told
    assert rollout_rig.override("other").evidence == ""
