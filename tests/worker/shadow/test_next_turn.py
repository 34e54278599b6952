"""Deferred work is done in the next loop turn, all of it, in order."""

from __future__ import annotations

import asyncio

import pytest

from proxy.worker.shadow.observers import NextTurn


@pytest.mark.both_loops
async def test_what_is_put_off_is_done_in_its_order_what_comes_meanwhile_a_turn_later():
    done: list[str] = []
    turn = NextTurn(lambda _: None)

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
    turn = NextTurn(told.append)

    turn.do(lambda: done.append(1 // 0))
    turn.do(lambda: done.append(2))
    await asyncio.sleep(0)

    assert ([type(error) for error in told], done) == ([ZeroDivisionError], [2])
