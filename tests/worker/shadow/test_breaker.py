"""A side that fails repeatedly gets one copy a second."""

from __future__ import annotations

from proxy.worker.shadow.route_state import FAILURES, PAUSE, Breaker


def failed(times: int, now: float = 1000.0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.note(failed=True, now=now)
    return breaker


def test_a_side_is_left_alone_after_failures_in_a_row():
    almost, enough = failed(FAILURES - 1), failed(FAILURES)
    almost.note(failed=False, now=1000.0)
    almost.note(failed=True, now=1000.0)

    assert not almost.is_open(1000.0)
    assert enough.is_open(1000.0)
    assert not enough.is_open(1000.0 + PAUSE)


def test_after_the_pause_one_copy_finds_out():
    breaker = failed(FAILURES)

    breaker.tried(1002.0)
    beside_the_first = breaker.is_open(1002.1)
    breaker.note(failed=True, now=1005.0)
    after_its_failure = breaker.is_open(1005.5)

    assert beside_the_first
    assert after_its_failure


def test_one_answer_is_enough_to_go_on_at_once():
    breaker = failed(FAILURES)
    breaker.tried(1002.0)

    breaker.note(failed=False, now=1002.1)

    assert not breaker.is_open(1002.1)
