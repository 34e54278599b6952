"""What the store in Redis promises beyond the port: several instances, a server that crashes, hangs, returns."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.control.config_loader import sticky_key
from proxy.storage import kept_overrides, store_redis
from proxy.storage.store import StaleError, StoreError
from proxy.storage.store_redis import RedisStore
from rules.model import Override
from tests.support.instances import redis_waited_for
from tests.support.redis_server import PASSWORD, RedisServer
from tests.support.waiting import PATIENCE

ENVIRON = {"STRANGLER_REDIS_PASSWORD": PASSWORD}
ROLLED_BACK = Override("a", rolled_back=True, reason="errors")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_waited_for(tmp_path) as made:
        yield made


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    made = RedisStore(server.url, ENVIRON)
    yield made
    await made.close()


async def test_of_instances_that_change_the_same_revision_one_wins(server: RedisServer):
    stores = [RedisStore(server.url, ENVIRON) for _ in range(5)]

    outcomes = await asyncio.gather(
        *(store.put(Override("a", float(number)), 0) for number, store in enumerate(stores)), return_exceptions=True
    )
    (kept,) = await stores[0].overrides()
    for store in stores:
        await store.close()

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Override"] + ["StaleError"] * 4
    assert kept in outcomes
    assert {each.current for each in outcomes if isinstance(each, StaleError)} == {kept}


async def test_of_instances_that_change_without_asking_each_gets_a_revision_of_its_own(server: RedisServer):
    stores = [RedisStore(server.url, ENVIRON) for _ in range(5)]

    kept = await asyncio.gather(*(store.put(Override("a", float(number))) for number, store in enumerate(stores)))
    for store in stores:
        await store.close()

    assert sorted(override.revision for override in kept) == [1, 2, 3, 4, 5]


async def test_deployments_on_one_server_know_nothing_of_each_other(server: RedisServer, store: RedisStore):
    other = RedisStore(server.url, {**ENVIRON, "STRANGLER_DEPLOYMENT": "other"})
    await store.put(ROLLED_BACK)

    found = await other.overrides()
    await other.close()

    assert found == ()


async def test_a_server_that_is_gone_is_an_error_at_once_and_fine_again_when_it_is_back(
    server: RedisServer, store: RedisStore
):
    await store.keep("a", "b")
    server.kill()

    async with asyncio.timeout(store_redis.CONNECT_WITHIN):
        with pytest.raises(StoreError):
            await store.put(ROLLED_BACK)
    await server.start()
    kept = await store.put(ROLLED_BACK)

    assert kept.revision == 1


async def test_a_restart_that_nobody_noticed_is_nobodys_error(server: RedisServer, store: RedisStore):
    await store.keep("a", "b")
    server.kill()
    await server.start()

    kept = await store.put(ROLLED_BACK)

    assert kept.revision == 1


async def test_a_server_that_hangs_is_an_error_after_a_bounded_time(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(store_redis, "ANSWER_WITHIN", 0.1)
    quick = RedisStore(server.url, ENVIRON)
    await quick.keep("a", "b")
    server.kill(signal.SIGSTOP)

    with pytest.raises(StoreError):
        await quick.overrides()
    server.kill(signal.SIGCONT)
    found = await _sooner_or_later(quick, "a")
    await quick.close()

    assert found == "b"


async def _sooner_or_later(store: RedisStore, name: str) -> str | None:
    """So short a time is at times too short for a server that is well, too."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(StoreError):
                return await store.value(name)


async def test_a_wrong_password_is_an_error(server: RedisServer):
    stranger = RedisStore(server.url, {"STRANGLER_REDIS_PASSWORD": "guessed"})

    with pytest.raises(StoreError):
        await stranger.overrides()
    await stranger.close()


async def test_the_next_start_finds_what_was_kept_and_the_key_that_was_made_first(
    server: RedisServer, store: RedisStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRANGLER_REDIS_PASSWORD", PASSWORD)
    kept = await store.put(ROLLED_BACK)
    complaints: list[str] = []

    found = await asyncio.to_thread(kept_overrides, server.url, tmp_path)
    keys = {sticky_key(server.url, tmp_path, ENVIRON, complaints.append) for _ in range(3)}

    assert found == (kept,)
    assert (len(keys), complaints) == (1, [])


async def test_a_start_without_the_server_says_so_instead_of_guessing(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRANGLER_REDIS_PASSWORD", PASSWORD)
    server.kill()

    with pytest.raises(StoreError):
        await asyncio.to_thread(kept_overrides, server.url, tmp_path)
