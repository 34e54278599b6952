"""Control has a fair sample of the users of all workers, and nothing grows without a limit."""

from __future__ import annotations

import pytest

from proxy.ipc.codec import WORKER, Inbox
from proxy.ipc.messages import Users
from proxy.state import user_sample as module
from proxy.state.user_sample import Recent
from rules.user_sketch import CAPACITY, REMEMBERED, Sample


class Stand:
    """Some workers and control, over a link that only copies bytes."""

    def __init__(self, workers: int = 1, routes: tuple[str, ...] = ("a", "b")) -> None:
        self.noted: list[set[tuple[str, str]]] = [set() for _ in range(workers)]
        self.workers = [Recent("secret", routes, noted) for noted in self.noted]
        self.control = Recent("secret", routes)
        self.sent: list[Users] = []

    def emit(self, now: float) -> None:
        """Let every worker digest and send until nothing is left."""
        for worker, noted in zip(self.workers, self.noted, strict=True):
            while noted:
                worker.digest(now)
            while (users := worker.news(now)) is not None:
                inbox = Inbox(WORKER)
                inbox.feed(WORKER.pack(users))
                heard = inbox.next_message()
                assert isinstance(heard, Users)
                self.sent.append(heard)
                self.control.merge_users(heard, now)


def pairs(route: str, size: int, start: int = 0) -> list[tuple[str, str]]:
    return [(route, str(user)) for user in range(start, start + size)]


def test_control_knows_every_user_of_every_worker_once():
    stand = Stand(workers=2)
    stand.noted[0].update(pairs("a", 100))
    stand.noted[1].update([*pairs("a", 100, start=50), *pairs("b", 10)])

    stand.emit(1.0)
    each, everybody = stand.control.samples(1.0)

    assert {name: sample.estimated for name, sample in each.items()} == {"a": 150, "b": 10}
    assert set(each["a"].users) == {str(user) for user in range(150)}
    assert everybody.estimated == 150


def test_more_users_than_are_kept_are_estimated_across_workers():
    stand = Stand(workers=2)
    stand.noted[0].update(pairs("a", 6000))
    stand.noted[1].update(pairs("a", 6000, start=3000))

    stand.emit(1.0)
    sample = stand.control.samples(1.0)[0]["a"]

    assert 0.9 * CAPACITY < len(sample.users) <= CAPACITY
    assert sample.estimated == pytest.approx(9000, rel=0.13)


def test_one_look_and_one_message_are_bounded():
    stand = Stand()
    stand.noted[0].update([*pairs("a", 900), *pairs("b", 900)])
    stand.noted[0].update(pairs("a", module.AT_ONCE, start=900))

    stand.workers[0].digest(1.0)
    left = len(stand.noted[0])
    stand.emit(1.0)

    assert left == 1800 + module.AT_ONCE - module.HASHED_AT_ONCE
    assert all(sum(len(row.users) for row in users.routes) <= module.AT_ONCE for users in stand.sent)


def test_a_flood_of_users_is_dropped_rather_than_kept():
    stand = Stand()
    stand.noted[0].update(pairs("a", module.WAITING + module.AT_ONCE + 1))

    stand.workers[0].digest(1.0)

    assert stand.noted[0] == set()


def test_a_user_who_keeps_coming_is_told_of_now_and_then_and_not_forgotten():
    stand = Stand()
    for minute in range(150):
        stand.noted[0].add(("a", "42"))
        if minute == 0:
            stand.noted[0].add(("a", "7"))
        stand.emit(minute * 60.0)

    assert len(stand.sent) == 150 * 60 / module.REFRESHED
    assert stand.control.samples(150 * 60.0)[0] == {"a": Sample(("42",), 1)}
    assert stand.control.samples(150 * 60.0 + REMEMBERED)[0] == {}


def test_a_new_control_is_told_when_users_were_last_seen():
    stand = Stand()
    stand.noted[0].add(("a", "42"))
    stand.emit(0.0)
    stand.control = Recent("secret", ["a"])

    stand.workers[0].resend()
    stand.emit(3000.0)

    assert stand.control.samples(3000.0)[0] == {"a": Sample(("42",), 1)}
    assert stand.control.samples(REMEMBERED + 1)[0] == {}


def test_what_was_not_heard_is_told_again():
    stand = Stand()
    stand.noted[0].update(pairs("a", 3))
    stand.workers[0].digest(0.0)
    lost = stand.workers[0].news(0.0)
    assert lost is not None

    stand.workers[0].unheard(lost)
    stand.emit(0.0)

    assert stand.control.samples(0.0)[1].estimated == 3


def test_users_of_a_route_that_is_gone_are_forgotten_with_it():
    stand = Stand()
    stand.noted[0].update([("a", "1"), ("b", "2")])
    stand.emit(0.0)

    stand.control.apply_routes(["b"])
    stand.workers[0].apply_routes(["b"])
    stand.noted[0].add(("a", "3"))
    stand.emit(0.0)

    assert stand.control.samples(0.0)[0] == {"b": Sample(("2",), 1)}


def test_thousands_of_routes_share_one_measure():
    routes = tuple(f"r{number}" for number in range(2000))
    recent = Recent("secret", routes, noted := {(route, str(user)) for route in routes[:20] for user in range(100)})

    while noted:
        recent.digest(0.0)

    assert {len(sample.users) for sample in recent.samples(0.0)[0].values()} == {module.FEWEST}


@pytest.mark.parametrize("user", ["\ud800", "x" * 300])
def test_an_id_that_cannot_travel_is_left_out(user: str):
    stand = Stand()
    stand.noted[0].update([("a", user), ("a", "é@\xc3\x81")])

    stand.emit(0.0)

    assert stand.control.samples(0.0)[0]["a"].users == ("é@\xc3\x81",)


def test_users_are_not_printed():
    stand = Stand()
    stand.noted[0].add(("a", "alice@example.com"))
    stand.emit(0.0)

    assert "alice" not in repr(stand.sent)
