"""Every pair is counted once, or reported as lost once, wherever a judge, a worker or control ends."""

from __future__ import annotations

import array
import asyncio
import fcntl
import json
import os
import select
import signal
import socket
import termios
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from proxy.ipc.messages import JudgeEnded, JudgeLink, Message
from proxy.ipc.pair_frames import NUMBER, pack_pair
from proxy.telemetry.aggregation import Worker
from proxy.worker.shadow import judge_links
from tests.support.judge_court import Court, end_at_once, put, stand_still, state
from tests.support.pairs import a_pair
from tests.support.running import alive
from tests.support.waiting import until

OTHER: Worker = (1, 1)


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    made = Court(tmp_path)
    yield made
    await made.close()


async def last_one(court: Court) -> None:
    """Wait for the result of one more pair, which differs: pairs are judged in order, so nothing else comes later."""
    many = len(court.judged)
    put(court, 1, b"[1]", b"[2]")
    await until(lambda: len(court.judged) > many, f"the last pair; there is {court.results}")


@pytest.mark.parametrize("call", ["sendall", "send"], ids=["before it tells control", "before it tells the worker"])
async def test_a_judge_that_is_killed_right_before_a_write_has_its_pairs_counted_once(court: Court, call: str):
    ends = f"end {call}".encode()

    put(court, 1, ends, ends, route="profile")
    put(court, 39)
    await court.loss()
    await last_one(court)

    assert court.results == {"equal": 40, "different": 1}
    assert court.unjudged == []


async def test_a_report_that_a_judge_was_killed_in_counts_as_a_whole_or_not_at_all(court: Court):
    """Its messages are more than any socket holds, and control reads none of them before the end."""
    await court.first_judge()
    (judge,) = court.processes
    one, two = (json.dumps({f"member{number}": number + more for number in range(50)}) for more in (0, 1000))
    put(court, 100, one.encode(), two.encode())
    court.worker._pump()
    # it has more pairs than it can report: it sleeps nowhere but in the middle of that
    stand_still(lambda: unread(judge) > 0 and state(judge.pid) == "S", "a judge that waits for control")
    end_at_once(judge.pid)
    await court.loss()
    await court.hold(101 - len(court.unjudged))
    put(court, 1)
    await until(lambda: court.results["equal"] > 1, "the last pair")

    assert court.results == {"equal": 2, "different": 100}
    assert court.unjudged == []


async def test_pairs_of_a_judge_that_is_hung_up_on_count_once_although_its_word_was_not_read(court: Court):
    """As when the worker itself stood still: the look for silent judges comes before it reads anything."""
    await court.first_judge()

    court.put_at_once(judge_links.A_WRITE)
    stand_still(lambda: select.select([court.link.socket], [], [], 0)[0], "the judge's word")
    court.clock.turn(judge_links.SILENT + 1)
    court.worker.sweep()
    await court.loss()
    await last_one(court)

    assert court.results == {"equal": 1 + judge_links.A_WRITE, "different": 1}
    assert court.unjudged == []


async def test_a_judge_that_moves_again_after_it_was_hung_up_on_has_no_pair_counted_twice(court: Court):
    await court.first_judge()
    (judge,) = court.processes
    court.is_busy = True

    os.kill(judge.pid, signal.SIGSTOP)
    court.put_at_once(judge_links.A_WRITE)
    court.clock.turn(judge_links.SILENT + 1)
    court.worker.sweep()
    os.kill(judge.pid, signal.SIGCONT)
    await court.hold(1 + judge_links.A_WRITE)
    assert alive(judge.pid)
    court.catch_up()
    await court.loss()
    await last_one(court)

    assert court.results == {"equal": 1 + judge_links.A_WRITE, "different": 1}


async def test_what_a_judge_said_before_its_end_counts_although_its_end_is_noticed_first(court: Court):
    await court.first_judge()
    (judge,) = court.processes

    court.put_at_once(judge_links.A_WRITE)
    stand_still(lambda: select.select([court.link.socket], [], [], 0)[0], "the judge's word")
    end_at_once(judge.pid)
    judge._reap()

    assert court.results == {"equal": 1 + judge_links.A_WRITE}
    await court.loss()
    await last_one(court)
    assert court.results == {"equal": 1 + judge_links.A_WRITE, "different": 1}
    assert court.unjudged == []


async def test_what_was_not_done_when_control_ended_counts_once_with_the_next_one(court: Court):
    """Its judges have the numbers of those of the last one."""
    await court.first_judge()
    os.kill(court.processes[0].pid, signal.SIGSTOP)
    court.put_at_once(judge_links.A_WRITE)
    court.results.clear()

    court.worker.lose_control()
    court.judges.close()
    court.start_control()
    court.want_another()
    await until(lambda: court.ended, "the end of the first judge")
    await last_one(court)

    assert court.results == {"equal": judge_links.A_WRITE, "different": 1}
    assert court.unjudged == []


async def test_a_judge_that_is_one_too_many_costs_no_pair(court: Court, tmp_path: Path):
    put(court, 1, b"pause", b"pause", route="profile")
    put(court, 3)
    await until((tmp_path / "once").exists, "the judge at the pair")
    court.judges.allow(0)
    await until(lambda: court.ended, "its end")
    court.judges.allow(1)
    court.want_another()
    await last_one(court)

    assert court.results == {"equal": 4, "different": 1}
    assert court.unjudged == []


# ── workers ────────────────────────────────────────────────────────────────────────────────────────────


class OtherWorker:
    """Another worker, of which the test writes every byte, to its first judge; `ended` is what control says of it."""

    def __init__(self, court: Court) -> None:
        self.ended: list[JudgeEnded] = []
        self.sockets: list[socket.socket] = []
        court.connect(OTHER, self._told)
        self.socket = self.sockets[0]

    def close(self) -> None:
        for each in self.sockets:
            each.close()

    def _told(self, message: Message, descriptors: Sequence[int]) -> None:
        if isinstance(message, JudgeLink):
            link, page = descriptors
            self.sockets.append(socket.socket(fileno=link))
            os.close(page)
        elif isinstance(message, JudgeEnded):
            self.ended.append(message)


async def test_a_worker_that_is_killed_in_the_middle_of_a_pair_costs_no_other_one(court: Court):
    await court.first_judge()
    other, frame = OtherWorker(court), pack_pair(a_pair(b"[1]", b"[ 1]", route="credits"))
    other.socket.sendall(3 * frame + frame[:-1])
    other.close()

    await court.hold(1 + 3)  # at once, not when the next pair of another worker comes
    put(court, 40)
    await last_one(court)

    assert court.results == {"equal": 44, "different": 1}
    assert (court.unjudged, alive(court.processes[0].pid)) == ([], True)


async def test_what_can_be_no_pair_ends_its_judge_and_every_worker_hears_how_far_it_came(court: Court):
    await court.first_judge()
    other, frame = OtherWorker(court), pack_pair(a_pair(b"[1]", b"[ 1]", route="credits"))
    other.socket.sendall(2 * frame)
    other.socket.setblocking(False)
    done = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(other.socket, NUMBER.size), 60)

    other.socket.sendall(frame + b"\xff" * len(frame))
    put(court, 40)
    await court.loss()
    await last_one(court)
    other.close()

    assert NUMBER.unpack(done) == (2,)
    assert other.ended == [JudgeEnded(1, 2, "crash")]
    assert court.results == {"equal": 1 + 2 + 40, "different": 1}
    assert court.unjudged == []


def unread(judge: object) -> int:
    """How many bytes of a judge control has not read yet."""
    waiting = array.array("i", [0])
    fcntl.ioctl(judge._channel._socket, termios.FIONREAD, waiting)  # type: ignore[attr-defined]
    return waiting[0]
