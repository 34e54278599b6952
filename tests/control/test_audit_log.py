"""The audit log is complete, in order, and sent to every listener."""

from __future__ import annotations

import asyncio

import pytest

from proxy.control import audit_log as module
from proxy.control import store_writer as ledger_module
from proxy.control.audit_log import AuditLog, TooManyListenersError, document
from proxy.control.store_writer import StoreWriter
from proxy.storage.store import Event, MemoryStore, StoreError
from rules.model import Override
from tests.support.clock import Clock


class Flaky(MemoryStore):
    """A store that can be switched off."""

    down = False

    async def append(self, event: Event) -> None:
        if self.down:
            raise StoreError("gone")
        await super().append(event)

    async def events(self, since: int = 0, limit: int = 100) -> tuple[Event, ...]:
        if self.down:
            raise StoreError("gone")
        return await super().events(since, limit)

    async def put(self, override: Override, expected: int | None = None) -> Override:
        if self.down:
            raise StoreError("gone")
        return await super().put(override, expected)


class Stand:
    def __init__(self) -> None:
        self.store = Flaky()
        self.told: list[str] = []
        self.writer = StoreWriter(self.store, lambda event, *_, **__: self.told.append(event))
        self.clock = Clock(1_800_000_000.0)
        self.trail = AuditLog(self.writer, lambda event, *_, **__: self.told.append(event), self.clock)

    def record(self, *routes: str) -> list[int]:
        return [self.trail.record("hold", route, "ann", "why", '{"n": 1}').id for route in routes]


async def test_numbers_grow_even_within_one_tick_of_the_clock_and_when_it_goes_back():
    stand = Stand()

    first, second = stand.record("a", "b")
    stand.clock.turn(-3600)
    (third,) = stand.record("c")

    assert first < second < third


async def test_what_is_not_written_yet_is_told_all_the_same_and_written_later():
    stand = Stand()
    stand.store.down = True
    numbers = stand.record("a", "b")
    flushed = await stand.writer.flush()
    without_store = [event.id for event in await stand.trail.since(0, 10)]

    stand.store.down = False
    await stand.writer.flush()

    assert (flushed, without_store) == (False, numbers)
    assert [event.id for event in await stand.store.events()] == numbers
    assert stand.told.count("store_down") == stand.told.count("store_up") == 1


async def test_events_are_read_on_in_pages():
    stand = Stand()
    numbers = stand.record(*"abcde")
    await stand.writer.flush()

    pages = [[event.id for event in await stand.trail.since(after, 2)] for after in (0, numbers[1], numbers[4], -1)]

    assert pages == [numbers[:2], numbers[2:4], [], numbers[3:]]


async def test_listeners_hear_what_happens_while_they_listen():
    stand = Stand()
    with stand.trail.listening() as listener:
        stand.record("a")
        heard = await listener.next()
    stand.record("b")

    assert heard is not None
    assert document(heard) == {
        "id": heard.id,
        "at": "2027-01-15T08:00:00.000Z",
        "event": "hold",
        "route": "a",
        "who": "ann",
        "reason": "why",
        "evidence": {"n": 1},
    }


async def test_a_listener_that_does_not_keep_up_is_sent_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "QUEUED", 2)
    stand = Stand()
    with stand.trail.listening() as listener:
        stand.record(*"abcdef")
        heard = [await listener.next() for _ in range(3)]

    assert [event.route if event else None for event in heard] == ["a", "b", None]


async def test_so_many_may_listen_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LISTENERS", 1)
    stand = Stand()

    with stand.trail.listening(), pytest.raises(TooManyListenersError), stand.trail.listening():
        pass
    with stand.trail.listening() as again:
        stand.trail.dismiss_all()
        assert await again.next() is None


async def test_far_too_many_unwritten_events_cost_the_oldest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger_module, "MOST_EVENTS", 3)
    stand = Stand()
    numbers = stand.record(*"abcde")
    await stand.writer.flush()

    assert [event.id for event in await stand.store.events()] == numbers[2:]
    assert stand.writer.lost == 2


async def test_of_one_route_only_the_newest_override_waits():
    stand = Stand()
    stand.store.down = True
    for revision in (1, 2, 3):
        stand.writer.write(Override("a", revision=revision))
    await stand.writer.flush()

    stand.store.down = False
    await stand.writer.flush()

    assert stand.writer.waiting == 0
    assert [kept.revision for kept in await stand.store.overrides()] == [3]


async def test_what_the_store_has_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger_module, "FIRST_WAIT", 0.001)
    stand = Stand()
    tries = 0

    async def overrides() -> tuple[Override, ...]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreError("gone")
        return (Override("a", revision=1),)

    stand.store.overrides = overrides  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        kept = await stand.writer.kept()

    assert (tries, kept) == (3, (Override("a", revision=1),))
