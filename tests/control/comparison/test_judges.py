"""Work is given to judges one piece at a time; one that exceeds its limit is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from proxy.control.comparison import judge_pool as module
from proxy.control.comparison.judge_links import JudgeLinks
from proxy.control.comparison.judge_pool import JudgePool, NotJudgedError
from proxy.ipc.judge_messages import Case, Judged, Opinion, Rulebook, Tallied
from proxy.ipc.messages import Message
from tests.support.pairs import a_pair
from tests.support.stand_in_judge import StandInJudge
from tests.support.waiting import breathe, until


class Court:
    def __init__(self, most: int = 1) -> None:
        self.seats: list[StandInJudge] = []
        self.told: list[dict[str, object]] = []
        self.events: list[tuple[str, ...]] = []
        self.judges = JudgePool(self._start, most, self._emit)

    def _emit(self, *event: str, **fields: object) -> None:
        self.events.append(event)
        self.told.append(fields)

    def _start(self, heard: Callable[[Message], None], gone: Callable[[bool], None]) -> StandInJudge:
        self.seats.append(StandInJudge(heard, gone))
        return self.seats[-1]

    def put(self, size: int = 10, *, route: str = "profile", first: bool = False) -> asyncio.Future[Opinion]:
        case = Case(self.judges.ticket(), a_pair(route=route))
        return self.judges.put(case, size, first=first)  # type: ignore[return-value]


@pytest.fixture
async def court() -> AsyncIterator[Court]:
    made = Court()
    yield made
    made.judges.close()
    await breathe()


async def reason_of(answer: asyncio.Future[Opinion]) -> str:
    with pytest.raises(NotJudgedError) as refused:
        await asyncio.wait_for(answer, 60)
    return refused.value.reason


async def test_nobody_is_seated_before_there_is_work(court: Court):
    court.judges.rule(Rulebook(b"rules"))

    assert court.seats == []


async def test_a_judge_learns_the_rules_before_its_first_case_and_whenever_they_change(court: Court):
    court.judges.rule(Rulebook(b"one"))
    answer = court.put()
    court.seats[0].sit_down()
    court.judges.rule(Rulebook(b"two"))
    court.seats[0].send_verdict("different")

    kinds = [type(message).__name__ for message in court.seats[0].told]

    assert kinds == ["Rulebook", "Case", "Rulebook"]
    assert (await answer).verdict == "different"


async def test_a_judge_has_one_case_at_a_time_and_the_others_wait_in_order(court: Court):
    answers = [court.put() for _ in range(3)]
    (judge,) = court.seats
    judge.sit_down()
    told = [judge.tickets.copy()]
    for _ in answers:
        judge.send_verdict()
        told.append(judge.tickets.copy())

    assert told == [[1], [1, 2], [1, 2, 3], [1, 2, 3]]
    assert [(await answer).ticket for answer in answers] == [1, 2, 3]


async def test_what_has_waited_before_passes_what_waits(court: Court):
    court.put()
    court.seats[0].sit_down()
    court.put()
    court.put(first=True)

    court.seats[0].send_verdict()

    assert court.seats[0].tickets == [1, 3]


async def test_as_many_judges_sit_as_there_is_work_for_and_no_more_than_allowed():
    court = Court(most=2)
    seated = []
    for _ in range(4):
        court.put()
        seated.append(len(court.seats))

    assert seated == [1, 2, 2, 2]
    court.judges.close()


async def test_a_case_that_takes_too_long_costs_its_judge_and_the_next_one_is_judged(
    court: Court, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "WITHIN", 0.01)
    slow, next_one = court.put(), court.put(route="credits")
    court.seats[0].sit_down()

    reason = await reason_of(slow)
    await until(lambda: len(court.seats) == 2, "a successor")
    court.seats[1].sit_down()
    court.seats[1].send_verdict()

    assert reason == "time"
    assert court.seats[0].ended
    assert (await next_one).verdict == "equal"
    assert court.told == [{"reason": "time", "working": True}]


async def test_a_judge_that_dies_takes_only_its_case_along(court: Court):
    lost, next_one = court.put(), court.put(route="credits")
    court.seats[0].sit_down()

    court.seats[0].end()
    reason = await reason_of(lost)
    await until(lambda: len(court.seats) == 2, "a successor")
    court.seats[1].sit_down()
    court.seats[1].send_verdict()

    assert reason == "crash"
    assert (await next_one).verdict == "equal"


async def test_what_a_judge_was_at_that_is_one_too_many_is_judged_by_another(court: Court):
    case = court.put()
    court.seats[0].sit_down()

    court.judges.allow(0)
    await breathe(1)
    court.judges.allow(1)
    court.judges.want()
    await until(lambda: len(court.seats) == 2, "a successor")
    court.seats[1].sit_down()
    court.seats[1].send_verdict()

    assert (await case).verdict == "equal"
    assert list(zip(court.events, court.told, strict=True)) == [(("judge_surplus", "info"), {"working": True})]


async def test_a_judge_that_is_one_too_many_before_it_sat_down_is_no_death(
    court: Court, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("proxy.ipc.child_process.FIRST", 60.0)
    case = court.put()

    for number in range(2, 7):
        court.judges.allow(0)
        await breathe(1)
        court.judges.allow(1)
        court.judges.want()
        await until(lambda number=number: len(court.seats) == number, "a successor, at once")
    court.seats[-1].sit_down()
    court.seats[-1].send_verdict()

    assert (await case).verdict == "equal"
    assert {event for event, *_ in court.events} == {"judge_surplus"}


async def test_a_judge_that_dies_while_others_are_too_many_is_lost():
    court = Court(most=2)
    court.put()
    court.put()
    for judge in court.seats:
        judge.sit_down()

    court.judges.allow(1)
    court.seats[0].end()
    await breathe(1)

    assert sorted(event for event, *_ in court.events) == ["judge_lost", "judge_surplus"]
    court.judges.close()


async def test_a_judge_that_cannot_be_started_is_told_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("proxy.ipc.child_process.FIRST", 60.0)
    told: list[dict[str, object]] = []

    def start(*_: object) -> StandInJudge:
        raise OSError("no more processes")

    judges = JudgePool(start, 1, lambda *_, **fields: told.append(fields))
    judges.put(Case(judges.ticket(), a_pair()), 10)

    assert told == [{"reason": "OSError('no more processes')"}]
    judges.close()


async def test_a_report_counts_when_it_is_whole_and_one_message_that_fails_does_not_stop_the_next(court: Court):
    counted: list[Message] = []
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    judged = Judged(0, 1, a_pair(), Opinion(0, "different"))

    def count(message: Message) -> None:
        counted.append(message)
        if isinstance(message, Judged):
            raise TypeError("a bug")

    court.judges.link(JudgeLinks(lambda *_: True), count)
    court.put()
    court.seats[0].sit_down()
    court.seats[0].heard(judged)
    before = list(counted)
    court.seats[0].heard(Tallied((), ((0, 1, 1),)))

    assert (before, counted) == ([], [judged, Tallied((), ((0, 1, 1),))])
    assert [str(each["exception"]) for each in failures] == ["a bug"]


async def test_what_waits_of_a_route_is_judged_by_the_next_judge_but_not_after_a_second_one(court: Court):
    lost, also_lost, like_it, other = court.put(), court.put(), court.put(), court.put(route="credits")
    court.seats[0].sit_down()

    court.seats[0].end()
    first = await reason_of(lost)
    await until(lambda: len(court.seats) == 2, "a successor")
    waited = (also_lost.done(), like_it.done())
    court.seats[1].sit_down()
    court.seats[1].end()
    reasons = [await reason_of(also_lost), await reason_of(like_it)]

    assert (first, waited, reasons) == ("crash", (False, False), ["crash", "crash"])
    assert not other.done()


async def test_judges_that_never_sit_down_are_tried_more_slowly_and_nobody_waits_for_them(
    court: Court, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("proxy.ipc.child_process.FIRST", 0.001)
    answer = court.put()

    for number in range(1, 6):
        await until(lambda number=number: len(court.seats) >= number or answer.done(), "another try")
        court.seats[-1].end()
        await breathe()

    assert await reason_of(answer) == "crash"


async def test_a_full_queue_turns_away_by_number(court: Court, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    answers = [court.put() for _ in range(3)]

    assert await reason_of(answers[2]) == "queue"
    assert not answers[0].done()


async def test_a_full_queue_turns_away_by_bytes_and_takes_more_once_there_is_room(
    court: Court, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    court.put(90)
    refused = court.put(20)
    court.seats[0].sit_down()
    taken = court.put(20)

    assert await reason_of(refused) == "queue"
    assert not taken.done()


async def test_in_the_end_everybody_who_waits_is_told(court: Court):
    working, waiting = court.put(), court.put()
    court.seats[0].sit_down()

    court.judges.close()

    assert await reason_of(waiting) == "crash"
    assert await reason_of(working) == "crash"
    assert await reason_of(court.put()) == "queue"
