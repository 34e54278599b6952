from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from examples.paymenter.sides import Legacy
from examples.paymenter.traffic import Traffic, drive
from tests.examples.asking import ask


async def test_traffic_on_the_old_side_loses_nothing(started_sides):
    traffic = await drive(started_sides.legacy.url, started_sides.database.key, seconds=2, rate=80)

    assert traffic.sent >= 80
    assert not traffic.lost
    assert {status // 100 for _, _, status in traffic.answers} <= {2, 3}
    assert len({label for _, label, _ in traffic.answers}) >= 10
    assert {method for method, _, _ in traffic.answers} >= {"GET", "POST"}


async def test_a_dead_side_is_counted_as_lost(started_sides):
    with Legacy(started_sides.database) as side:
        side.kill()
        traffic = await drive(side.url, started_sides.database.key, seconds=0.2, rate=50)

    assert traffic.lost.total() == traffic.sent == 10
    assert not traffic.answers


async def test_answers_of_five_hundred_are_lost(sides):
    sides.modern.faults(error_rate=1)
    traffic = await drive(sides.modern.url, sides.database.key, seconds=0.2, rate=50)

    assert {why for _, _, why in traffic.lost} == {"500"}
    assert traffic.lost.total() == traffic.answers.total() == traffic.sent


async def test_the_run_can_be_stopped_and_watched(started_sides):
    stop, seen = asyncio.Event(), []
    asyncio.get_running_loop().call_later(0.2, stop.set)

    traffic = await drive(
        started_sides.legacy.url, started_sides.database.key, seconds=60, rate=50, watch=seen.append, stop=stop
    )

    assert seen == [traffic]
    assert isinstance(traffic, Traffic)
    assert 1 <= traffic.sent <= 50


async def test_both_sides_write_at_the_same_time_without_a_locked_database(sides):
    """Every write of a crowd is there afterwards, whichever side it went to."""
    path = "/api/v1/admin/tickets/150/messages"

    def write(number: int) -> int:
        side = sides.both[number % 2]
        return ask(side, "POST", path, user=1, body={"message": f"crowd {number}"}).status

    statuses = await asyncio.gather(*(asyncio.to_thread(write, number) for number in range(80)))

    database = sides.database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection:
        counted = connection.execute("SELECT COUNT(*) FROM ticket_messages WHERE message LIKE 'crowd %'").fetchone()
    assert set(statuses) == {201}
    assert counted == (80,)
