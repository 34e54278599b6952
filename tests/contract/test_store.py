"""What every store promises, in memory, SQLite or Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.storage import store_of
from proxy.storage.store import KEPT_EVENTS, Event, StaleError, Store
from rules.model import Override
from tests.support.instances import redis_waited_for
from tests.support.redis_server import PASSWORD

KINDS = {"memory": "memory", "sqlite": "sqlite:var/store.db", "redis": ""}


@pytest.fixture(params=KINDS)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    async with contextlib.AsyncExitStack() as around:
        text = KINDS[request.param]
        if request.param == "redis":
            text = (await around.enter_async_context(redis_waited_for(tmp_path))).url
            monkeypatch.setenv("STRANGLER_REDIS_PASSWORD", PASSWORD)
        made = store_of(text, tmp_path)
        around.push_async_callback(made.close)
        yield made


def event(number: int, route: str = "a") -> Event:
    return Event(number, 1000.5, "rollback", route, "guard", "errors", '{"rate": 0.2}')


async def test_a_new_store_knows_nothing(store: Store):
    assert await store.overrides() == ()
    assert await store.events() == ()
    assert await store.value("any") is None


async def test_an_override_comes_back_whole_with_the_first_revision(store: Store):
    override = Override("a", 12.5, 2, True, True, "errors", "guard", 1000.25, 0, "text", '{"é": 1}', 1.0, 2.0, 3, 12.5)

    kept = await store.put(override)

    assert kept.revision == 1
    assert await store.overrides() == (kept,)
    assert (kept.weight, kept.evidence, kept.rollbacks) == (12.5, '{"é": 1}', 3)


async def test_each_change_of_a_route_has_a_higher_revision(store: Store):
    first = await store.put(Override("a", 1.0))
    second = await store.put(Override("a", 2.0), first.revision)
    other = await store.put(Override("b", 3.0))

    assert (first.revision, second.revision, other.revision) == (1, 2, 1)
    assert {kept.route: kept.weight for kept in await store.overrides()} == {"a": 2.0, "b": 3.0}


async def test_whoever_knows_an_older_revision_is_told_what_there_is_now(store: Store):
    await store.put(Override("a", 1.0))
    newer = await store.put(Override("a", 2.0))

    with pytest.raises(StaleError) as stale:
        await store.put(Override("a", 3.0), 1)

    assert stale.value.current == newer
    assert await store.overrides() == (newer,)


async def test_nobody_may_begin_what_has_begun(store: Store):
    await store.put(Override("a", 1.0), 0)

    with pytest.raises(StaleError):
        await store.put(Override("a", 2.0), 0)


async def test_of_those_who_change_the_same_revision_one_wins(store: Store):
    await store.put(Override("a", 0.0))

    outcomes = await asyncio.gather(
        *(store.put(Override("a", float(weight)), 1) for weight in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Override) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, StaleError) for outcome in outcomes) == 4


async def test_a_change_that_asks_for_nothing_is_never_refused_and_keeps_a_higher_revision_of_its_own(store: Store):
    await store.put(Override("a", 1.0))

    kept = await store.put(Override("a", rolled_back=True, revision=7))

    assert kept.revision == 7


async def test_events_come_back_in_order_of_their_ids(store: Store):
    for number in (3, 1, 2):
        await store.append(event(number))

    assert await store.events() == (event(1), event(2), event(3))


async def test_events_are_read_on_from_where_somebody_was(store: Store):
    for number in range(1, 6):
        await store.append(event(number))

    assert [each.id for each in await store.events(since=2, limit=2)] == [3, 4]
    assert [each.id for each in await store.events(since=-1, limit=2)] == [4, 5]
    assert await store.events(since=5) == ()


async def test_an_event_that_is_told_twice_is_kept_once(store: Store):
    await store.append(event(1))
    await store.append(event(1))

    assert len(await store.events()) == 1


async def test_small_values_are_replaced(store: Store):
    await store.keep("name", "one")
    await store.keep("name", "two")

    assert await store.value("name") == "two"


async def test_the_oldest_events_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch, store: Store):
    assert KEPT_EVENTS >= 1000
    for module in ("proxy.storage.store", "proxy.storage.store_sqlite", "proxy.storage.store_redis"):
        monkeypatch.setattr(f"{module}.KEPT_EVENTS", 3)

    for number in range(1, 6):
        await store.append(event(number))

    assert [each.id for each in await store.events()] == [3, 4, 5]
