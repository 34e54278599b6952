"""Deferred work is done in the next loop turn, all of it, in order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from proxy.worker.shadow.observers import BEHIND, IN_A_ROW, LATELY, LONG, SLICE, TURN, TURNS, NextTurn
from tests.support.clock import Clock
from tests.support.waiting import until


@pytest.mark.both_loops
async def test_what_is_put_off_is_done_in_its_order_what_comes_meanwhile_a_turn_later():
    done: list[str] = []
    turn = NextTurn(lambda _: None, Clock())

    def first() -> None:
        done.append("first")
        turn.do(lambda: done.append("later"))

    turn.do(first)
    turn.do(lambda: done.append("second"))
    before = list(done)
    await asyncio.sleep(0)
    after_one = list(done)
    await asyncio.sleep(0)

    assert (before, after_one, done) == ([], ["first", "second"], ["first", "second", "later"])


async def test_a_fault_is_told_and_keeps_nobody_else_from_his_turn():
    told: list[Exception] = []
    done: list[int] = []
    turn = NextTurn(told.append, Clock())

    turn.do(lambda: done.append(1 // 0))
    turn.do(lambda: done.append(2))
    await asyncio.sleep(0)

    assert ([type(error) for error in told], done) == ([ZeroDivisionError], [2])


@pytest.mark.both_loops
async def test_a_user_waits_for_one_slice_at_most_whatever_was_put_off():
    """What a turn of the loop does between two looks at the sockets, with ten times a slice to do."""
    clock, turns = Clock(), [0.0]
    turn = NextTurn(lambda _: None, clock)
    loop = asyncio.get_running_loop()

    def work() -> None:
        clock.turn(SLICE / 4)
        turns[-1] += SLICE / 4

    def live() -> None:
        turns.append(0.0)
        if sum(turns) < 10 * SLICE:
            loop.call_soon(live)

    for _ in range(40):
        turn.do(work)
    live()
    await until(lambda: sum(turns) >= 10 * SLICE)

    assert max(turns) == pytest.approx(SLICE)


@pytest.mark.parametrize(
    ("users", "works"), [(0.0, 10), (TURN - SLICE, 10), (TURN - SLICE / 2, 5), (TURN, 1), (TURN * 9, 1)]
)
async def test_what_users_take_of_a_turn_is_taken_off_the_slice(users: float, works: int):
    """Where they fill it alone one work is left, so that what was put off ends all the same."""
    clock, done, turns = Clock(), [], []
    turn = NextTurn(lambda _: None, clock)
    loop = asyncio.get_running_loop()

    def live() -> None:
        turns.append(len(done))
        clock.turn(users)
        if len(turns) < 5:
            loop.call_soon(live)

    for _ in range(100):
        turn.do(lambda: (clock.turn(SLICE / 10), done.append(1)))
    loop.call_soon(live)
    await until(lambda: len(turns) == 5)

    assert {after - before for before, after in pairwise(turns[1:])} == {works}


async def test_work_that_takes_longer_than_a_slice_is_done_one_a_turn():
    clock, done = Clock(), []
    turn = NextTurn(lambda _: None, clock)

    for number in range(3):
        turn.do(lambda number=number: (clock.turn(SLICE * 9), done.append(number)))
    await asyncio.sleep(0)
    after_one = list(done)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (after_one, done) == ([0], [0, 1, 2])


async def test_it_says_when_nothing_more_should_be_put_off():
    turn = NextTurn(lambda _: None, Clock())

    for _ in range(BEHIND - 1):
        turn.do(list)
    before = turn.is_behind
    turn.do(list)
    full = turn.is_behind
    await asyncio.sleep(0)

    assert (before, full, turn.is_behind) == (False, True, False)


async def test_no_work_waits_for_many_turns_of_users_who_fill_them():
    """Where one is done in a turn, sixteen may wait; where all are done, as many as ever."""
    clock = Clock()
    turn = NextTurn(lambda _: None, clock)
    for _ in range(2 * TURNS):
        turn.do(lambda: clock.turn(SLICE))

    before = turn.is_behind
    await asyncio.sleep(0)
    one_a_turn = turn.is_behind
    await until(lambda: not turn._works)
    for _ in range(2 * TURNS):
        turn.do(list)

    assert (before, one_a_turn, turn.is_behind) == (False, True, False)


async def one_turn(turn: NextTurn, clock: Clock, users: float) -> None:
    """Let users take so much of a turn in which something was put off."""
    turn.do(list)
    clock.turn(users)
    await asyncio.sleep(0)


async def test_a_queue_of_users_is_served_before_more_is_begun():
    """One long turn is another process that had the processor; some in a row are users who wait."""
    clock = Clock()
    turn = NextTurn(lambda _: None, clock)
    told = []

    for users in [2 * LONG, 2 * LONG, 0.0, *[2 * LONG] * IN_A_ROW, 0.0]:
        await one_turn(turn, clock, users)
        told.append(turn.is_behind)

    assert told == [False] * (2 + IN_A_ROW) + [True, False]


async def test_a_queue_is_measured_though_nothing_is_put_off_any_more():
    clock = Clock()
    turn = NextTurn(lambda _: None, clock)
    for _ in range(IN_A_ROW):
        await one_turn(turn, clock, 2 * LONG)

    behind = [turn.is_behind]
    clock.turn(LATELY * 2)  # a turn of users alone
    behind.append(turn.is_behind)
    await asyncio.sleep(0)
    behind.append(turn.is_behind)
    await asyncio.sleep(0)
    behind.append(turn.is_behind)

    assert behind == [True, True, True, False]


async def test_a_queue_that_nobody_measured_lately_is_none():
    clock = Clock()
    turn = NextTurn(lambda _: None, clock)
    for _ in range(IN_A_ROW):
        await one_turn(turn, clock, 2 * LONG)

    clock.turn(2 * LATELY)

    assert not turn.is_behind
