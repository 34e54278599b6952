"""Readers of decisions get what they asked for, each over a queue of its own that has an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.control import decision_streams as module
from proxy.control.api.decisions import filter_of, statuses
from proxy.control.decision_streams import DecisionStreams, TooManyReadersError
from proxy.control.errors import RefusedError
from proxy.ipc.messages import DecisionFilter, DecisionRecord, Decisions, SendDecisions
from tests.control.test_worker_links import Stand
from tests.support.waiting import until


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    yield stand
    stand.close()


def record(*filters: int, path: str = "/") -> DecisionRecord:
    return DecisionRecord(
        filters=filters, at=0.0, request_id="", method="GET", path=path, route="a", generation=1, side="legacy",
        reason="weight", bucket=None, weight=0.0, answered="legacy", status=200, target="", fallback="", error="",
        seconds=0.001,
    )  # fmt: skip


def filters(messages: list) -> list[list[str]]:
    return [[each.route for each in message.filters] for message in messages if isinstance(message, SendDecisions)]


async def test_workers_know_every_filter_those_that_join_later_too_and_none_at_the_end(stand: Stand):
    early, streams = stand.join(0), DecisionStreams(stand.workers)
    await until(stand.workers.run_by)
    with streams.reading(DecisionFilter(0, "a")), streams.reading(DecisionFilter(0, "b")):
        late = stand.join(1)
        await until(lambda: filters(late.heard))
    await until(lambda: len(filters(early.heard)) == 4)

    assert filters(early.heard) == [["a"], ["a", "b"], ["a"], []]
    assert filters(late.heard)[0] == ["a", "b"]


async def test_a_reader_gets_its_own_in_order_and_learns_what_did_not_fit(stand: Stand):
    end, streams = stand.join(0), DecisionStreams(stand.workers)
    with streams.reading(DecisionFilter(0)) as one, streams.reading(DecisionFilter(0)) as two:
        first, second = one.wanted.number, two.wanted.number
        many = tuple(record(first, path=f"/{number}") for number in range(module.QUEUED + 3))
        end.channel.send(Decisions((*many, record(second)), ((first, 4), (99, 1))))
        records, dropped = await one.take()
        others, none = await two.take()

    assert [each.path for each in records] == [f"/{number}" for number in range(module.QUEUED)]
    assert dropped == 7
    assert (len(others), none) == (1, 0)


async def test_a_reader_is_let_go_when_the_process_leaves():
    stand = Stand()
    streams = DecisionStreams(stand.workers)
    with streams.reading(DecisionFilter(0)) as reader:
        waiting = asyncio.ensure_future(reader.take())
        await asyncio.sleep(0)

        streams.close()

        assert await waiting == ([], 0)
        assert reader.is_over


async def test_there_is_an_end_to_readers(stand: Stand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "READERS", 1)
    streams = DecisionStreams(stand.workers)

    with streams.reading(DecisionFilter(0)), pytest.raises(TooManyReadersError), streams.reading(DecisionFilter(0)):
        pass
    with streams.reading(DecisionFilter(0)) as again:
        assert again.wanted.number > 1


@pytest.mark.parametrize(
    ("text", "ranges"),
    [("", ()), ("404", ((404, 404),)), ("5XX", ((500, 599),)), ("400-403, 5xx", ((400, 403), (500, 599)))],
)
def test_statuses_are_numbers_classes_ranges(text: str, ranges: tuple):
    assert statuses(text) == ranges


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"status": "60x"}, "404, 5xx or 400-499"),
        ({"status": "499-400"}, "ends before it begins"),
        ({"status": ",".join(["404"] * 17)}, "more than 16"),
        ({"side": "both"}, "side must be legacy or modern, not both"),
        ({"rout": "a"}, "rout is not known here"),
    ],
)
def test_what_cannot_be_meant_is_refused(query: dict[str, str], why: str):
    with pytest.raises(RefusedError, match=why) as refused:
        filter_of(query)

    assert refused.value.status == 422
