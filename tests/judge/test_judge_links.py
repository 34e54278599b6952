"""Pairs go from a worker to judges directly: together, in bounds, past judges that crash or hang."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.ipc.messages import JudgeSilent, JudgeWanted, Rest
from proxy.worker.shadow import judge_links, pair_queue
from tests.support.judge_court import WORKER, Court, put
from tests.support.waiting import until


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    made = Court(tmp_path)
    yield made
    await made.close()


async def test_pairs_are_added_up_and_differences_come_without_their_answers(court: Court):
    put(court, 300)
    put(court, 1, b'{"a":"1"}', b'{"a":2}')
    await court.hold(301)

    assert court.results == {"equal": 300, "different": 1}
    (judged,) = court.judged
    assert (judged.slot, judged.incarnation, judged.opinion.verdict) == (*WORKER, "different")
    assert (judged.pair.legacy.body, judged.pair.legacy.headers, judged.pair.legacy.status) == (b"", (), 200)
    assert judged.opinion.payload
    assert len(court.processes) == 1


async def test_a_judge_that_is_killed_costs_at_most_the_pair_it_was_at(court: Court):
    put(court, 500)
    await until(lambda: bool(court.processes), "a judge")
    await until(lambda: bool(court.worker._links), "a connection")
    court.processes[0].end()
    await court.loss()
    await court.hold(500 - len(court.unjudged))

    assert len(court.unjudged) <= 1
    assert court.results == {"equal": 500 - len(court.unjudged)}


async def test_a_judge_that_a_pair_ends_costs_its_route_that_one_pair(court: Court):
    put(court, 20)
    put(court, 1, b"die", route="profile")
    put(court, 5, route="profile")
    await court.loss()
    await court.hold(25)

    assert [(one.route, one.reason, one.count, one.cost) for one in court.unjudged] == [("profile", "crash", 1, True)]
    assert court.results == {"equal": 25}


async def test_a_second_one_soon_after_has_its_route_rest(court: Court):
    put(court, 20)
    put(court, 2, b"die", route="profile")
    put(court, 5, route="profile")
    put(court, 20)
    await court.loss()
    await court.loss(2)
    await court.hold(40)

    first, second, *rested = court.unjudged
    assert [(one.route, one.reason, one.count, one.cost) for one in (first, second)] == [
        ("profile", "crash", 1, True)
    ] * 2
    assert [(one.reason, one.count, one.cost) for one in rested] == [("crash", 5, False)]
    assert court.results == {"equal": 40}
    assert not court.worker._queue


async def test_a_route_rests_for_as_long_as_control_says(court: Court):
    court.worker.rest(Rest("profile", 30.0))

    put(court, 3, route="profile")
    court.worker.sweep()
    court.clock.turn(31)
    court.worker.sweep()
    put(court, 2, route="profile")
    await court.hold(2)

    assert [(one.reason, one.count) for one in court.unjudged] == [("time", 3)]
    assert court.results == {"equal": 2}


async def test_a_judge_that_does_not_move_is_hung_up_on_and_its_pairs_go_to_the_next(court: Court):
    put(court, 1)
    await court.hold(1)
    await until(lambda: not court.worker._links[0].sent, "the judge's word")
    os.kill(court.processes[0].pid, signal.SIGSTOP)
    put(court, judge_links.A_WRITE)
    await asyncio.sleep(0)
    court.clock.turn(judge_links.SILENT + 1)
    court.worker.sweep()
    await court.loss()
    await court.hold(1 + judge_links.A_WRITE)

    assert JudgeSilent(1) in court.told
    assert court.results == {"equal": 1 + judge_links.A_WRITE}
    assert court.unjudged == []


async def test_pairs_that_come_one_by_one_are_sent_together(court: Court):
    """A judge that is woken up for each pair costs more than the pair."""
    put(court, 1)
    await court.hold(1)
    (link,) = court.worker._links
    await until(lambda: not link.sent, "the judge's word")
    sent_at: list[int] = []

    for number in range(judge_links.A_WRITE - 1):
        put(court, 1)
        await asyncio.sleep(0)
        sent_at += [number] * bool(link.sent)
    put(court, 1)
    await asyncio.sleep(0)
    together = len(link.sent)
    put(court, 1)
    await court.hold(2 + judge_links.A_WRITE)

    assert sent_at == []
    assert together == judge_links.A_WRITE
    assert court.results == {"equal": 2 + judge_links.A_WRITE}


async def test_without_a_judge_pairs_wait_up_to_a_bound(court: Court):
    court.judges.allow(0)

    put(court, 2 * pair_queue.MOST)
    await asyncio.sleep(0)
    court.worker.sweep()

    (refused,) = court.unjudged
    (wanted,) = [message for message in court.told if isinstance(message, JudgeWanted)]
    assert (refused.reason, refused.count + wanted.waiting) == ("queue", 2 * pair_queue.MOST)
    assert 0 < wanted.waiting <= pair_queue.MOST


async def test_pairs_larger_than_any_buffer_arrive_whole(court: Court):
    large = b'["' + b"x" * 700_000 + b'"]'

    put(court, 3, large, large.replace(b"[", b"[ "))
    await court.hold(3)

    assert court.results == {"equal": 3}
