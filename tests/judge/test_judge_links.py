"""Pairs go from a worker to judges directly: nothing is counted twice, a crashing judge loses one pair only."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from proxy.control.comparison.judge_links import JudgeLinks as Connections
from proxy.control.comparison.judge_pool import JudgePool, JudgeProcess, judge_environment
from proxy.ipc.judge_messages import Judged, Rulebook, Tallied
from proxy.ipc.messages import Hello, JudgeLink, JudgeSilent, JudgeWanted, Message, Rest, Unjudged
from proxy.judge.policies import RouteRules, Rules
from proxy.telemetry.aggregation import Worker
from proxy.worker.shadow import judge_links, pair_queue
from proxy.worker.shadow.judge_links import JudgeLinks
from tests.support.clock import Clock
from tests.support.pairs import a_pair
from tests.support.running import alive
from tests.support.waiting import until

WORKER: Worker = (0, 1)
HOOK = """
import os
def judge(legacy, modern):
    if legacy.body == b"die":
        os._exit(3)
    return None
"""


class Court:
    """A worker's connections, control's judges.

    `results` counts the judges' results, `told` are the worker's messages.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "li_hook.py").write_text(HOOK)
        self.clock = Clock()
        self.told: list[Message] = []
        self.results: Counter[str] = Counter()
        self.judged: list[Judged] = []
        self.processes: list[JudgeProcess] = []
        self.judges = JudgePool(self._start, 2, lambda *_, **__: None)
        routes = {"profile": RouteRules({"custom": "li_hook:judge"}), "credits": RouteRules({"preset": "php"})}
        self.judges.rule(Rulebook(Rules(routes, "2026-11-21", str(folder)).pack()))
        self.worker = JudgeLinks(self._hear, self.clock)
        self.connections = Connections(self._hand)
        self.judges.link(self.connections, self._take)
        self.connections.on_message(WORKER, Hello(*WORKER, 1, 1))

    def _start(self, heard, gone) -> JudgeProcess:
        self.processes.append(JudgeProcess(judge_environment(()), heard, gone))
        return self.processes[-1]

    def _hand(self, message: Message, _to: Worker, descriptors: Sequence[int]) -> bool:
        assert isinstance(message, JudgeLink)
        self.worker.connect(message.judge, *descriptors)
        return True

    def _hear(self, message: Message) -> bool:
        self.told.append(message)
        if isinstance(message, JudgeWanted):
            self.judges.want()
        if isinstance(message, JudgeSilent):
            self.judges.end(message.judge)
        return True

    def _take(self, message: Judged | Tallied) -> None:
        if isinstance(message, Judged):
            self.judged.append(message)
            self.results["different"] += 1
            return
        for row in message.routes:
            for result, reason, pairs in row.results:
                self.results[reason or result] += pairs

    @property
    def unjudged(self) -> list[Unjudged]:
        return [message for message in self.told if isinstance(message, Unjudged)]

    async def hold(self, many: int) -> None:
        """Wait for so many results."""
        await until(lambda: self.results.total() >= many, f"{many} results, not {self.results}")

    def want_another(self) -> None:
        """Let the time come at which another judge is asked for."""
        self.clock.turn(judge_links.WANTED_EVERY)
        self.worker.sweep()


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    made = Court(tmp_path)
    yield made
    made.worker.close()
    made.judges.close()
    await until(lambda: not any(alive(process.pid) for process in made.processes), "the end of every judge")


def put(court: Court, many: int, legacy: bytes = b"[1]", modern: bytes = b"[ 1]", route: str = "credits") -> None:
    for number in range(many):
        court.worker.put(a_pair(legacy, modern, route=route, id=f"p{number}"))


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
    await until(lambda: not court.worker._links, "the end of the connection")
    court.want_another()
    await court.hold(500 - len(court.unjudged))

    assert len(court.unjudged) <= 1
    assert court.results == {"equal": 500 - len(court.unjudged)}


async def test_a_judge_that_a_pair_ends_costs_its_route_that_one_pair(court: Court):
    put(court, 20)
    put(court, 1, b"die", route="profile")
    put(court, 5, route="profile")
    await until(lambda: bool(court.unjudged), "a loss")
    court.want_another()
    await court.hold(25)

    assert [(one.route, one.reason, one.count, one.cost) for one in court.unjudged] == [("profile", "crash", 1, True)]
    assert court.results == {"equal": 25}


async def test_a_second_one_soon_after_has_its_route_rest(court: Court):
    put(court, 20)
    put(court, 2, b"die", route="profile")
    put(court, 5, route="profile")
    put(court, 20)
    await until(lambda: bool(court.unjudged), "a loss")
    court.want_another()
    await until(lambda: len(court.unjudged) > 1, "a second loss")
    court.want_another()
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
    court.want_another()
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
