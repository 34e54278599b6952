"""Which slow client gives way, and how seldom all of them are asked (decision 14)."""

from __future__ import annotations

from typing import cast

import pytest

from proxy.worker import client_transport
from proxy.worker.client_transport import ClientTransport
from proxy.worker.connection_pool import Pool
from proxy.worker.watched_clients import KNOWN_FOR, LISTED_FOR, WatchedClients
from tests.support.clock import Clock

if not client_transport.__file__.endswith(".py"):
    pytest.skip("a compiled class has no subclass that is not", allow_module_level=True)

POOL = cast(Pool, object())


class Slow(ClientTransport):
    """A client whose bytes the test moves; `asked` is how often it was looked at."""

    def __init__(self, moved: int) -> None:
        self.moved = moved
        self.asked = 0
        self.counted = 0
        self.ended = False

    def held_up(self, pool: Pool, now: float) -> int:  # noqa: ARG002 - what a client is asked
        self.asked += 1
        return -1 if self.ended or pool is not POOL else self.moved

    def look(self, now: float) -> bool:  # noqa: ARG002 - as above
        return True

    def holds(self) -> tuple[Pool, str]:
        self.counted += 1
        return POOL, "GET files"

    def give_way(self) -> None:
        self.ended = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watched(clock: Clock, *moved: int) -> tuple[WatchedClients, list[Slow]]:
    known, clients = WatchedClients(clock), [Slow(each) for each in moved]
    for client in clients:
        known.add(client)
    return known, clients


def test_those_that_moved_least_give_way_first(clock: Clock) -> None:
    known, clients = watched(clock, 300, 100, 200)

    ended = []
    while known.make_way(POOL):
        ended += [client.moved for client in clients if client.ended and client.moved not in ended]

    assert ended == [100, 200, 300]


def test_all_are_asked_once_however_many_have_to_give_way_meanwhile(clock: Clock) -> None:
    known, clients = watched(clock, *range(400))

    for _ in range(200):
        assert known.make_way(POOL)
        clock.turn(LISTED_FOR / 400)

    assert [client.moved for client in clients if client.ended] == list(range(200))
    assert sum(client.asked for client in clients) == 400 + 200


def test_one_that_moved_since_it_was_listed_is_passed_over(clock: Clock) -> None:
    known, (first, second, third) = watched(clock, 1, 2, 3)
    assert known.make_way(POOL)
    second.moved += 10_000

    clock.turn(LISTED_FOR / 2)
    assert known.make_way(POOL)

    assert (first.ended, second.ended, third.ended) == (True, False, True)


def test_a_list_that_is_used_up_is_made_again_but_not_for_each_that_waits(clock: Clock) -> None:
    known, (only,) = watched(clock, 1)
    assert known.make_way(POOL)
    later = Slow(5)
    known.add(later)

    assert not known.make_way(POOL)
    clock.turn(2 * KNOWN_FOR)

    assert known.make_way(POOL)
    assert (only.ended, later.ended) == (True, True)


def test_a_list_grows_old(clock: Clock) -> None:
    known, (_, second) = watched(clock, 10, 20)
    assert known.make_way(POOL)
    slower = Slow(5)
    known.add(slower)

    clock.turn(LISTED_FOR)
    assert known.make_way(POOL)

    assert (slower.ended, second.ended) == (True, False)


def test_another_pool_s_clients_give_no_way(clock: Clock) -> None:
    known, (client,) = watched(clock, 1)

    assert not known.make_way(cast(Pool, object()))
    assert not client.ended


def test_what_was_counted_while_they_were_looked_at_is_good_for_a_while(clock: Clock) -> None:
    """A request that finds a pool half held up need not count hundreds of clients."""
    known, clients = watched(clock, *range(100))
    for _ in known.look():
        pass

    clock.turn(0.2)
    assert known.held_up(POOL, 0.25) == {"GET files": 100}
    assert sum(client.counted for client in clients) == 100

    clock.turn(0.1)
    assert known.held_up(POOL, 0.25) == {"GET files": 100}
    assert sum(client.counted for client in clients) == 200
