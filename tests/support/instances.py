"""Several instances of one deployment on one Redis: the real parts, without workers, clocks turned by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from proxy.control.fleet.window_exchange import WindowExchange
from proxy.control.route_evidence import Judged
from proxy.storage import store_redis
from proxy.storage.fleet import ExchangeResult, InstanceReport
from proxy.storage.fleet_redis import RedisFleet
from proxy.storage.store import StoreError
from proxy.storage.store_redis import RedisStore
from rules.model import Route
from tests.support.redis_server import PASSWORD, RedisServer, redis_running
from tests.support.rollout_rig import RolloutRig
from tests.support.waiting import PATIENCE

ENVIRON = {"STRANGLER_REDIS_PASSWORD": PASSWORD}


class Line(RedisFleet):
    """A way to the others; with `loses` the answers get lost after the question has arrived."""

    loses = False

    async def exchange(self, own: Sequence[InstanceReport], after: str) -> ExchangeResult:
        heard = await super().exchange(own, after)
        if self.loses:
            raise StoreError("the answer was lost")
        return heard


class Several:
    """Instances called ann, bob, cem …; `ann` leads."""

    def __init__(self, server: RedisServer, folder: Path, routes: Sequence[Route], judged: Sequence[Judged]) -> None:
        self.server = server
        self.lines = [Line(server.url, ENVIRON) for _ in routes]
        self._stores = [RedisStore(server.url, ENVIRON) for _ in routes]
        names = ("ann", "bob", "cem", "dee")
        self.all = [
            RolloutRig(folder, route, store=store, fleet=line, name=name, judged=judged[number] if judged else None)
            for number, (name, route, store, line) in enumerate(
                zip(names, routes, self._stores, self.lines, strict=False)
            )
        ]
        for one in self.all[1:]:
            one.leads = False

    def __iter__(self) -> Iterator[RolloutRig]:
        return iter(self.all)

    async def second(self, **seen: Any) -> None:
        """Advance one second in which each sees this, then sends, receives, judges, writes, applies."""
        for one in self:
            one.turn(1)
            one.saw(**seen)
        for one in self:
            await together(one).exchange()
        await self.judge()

    async def seconds(self, count: int, **seen: Any) -> None:
        for _ in range(count):
            await self.second(**seen)

    async def judge(self) -> None:
        """Everybody looks, one after the other; what follows is written, followed."""
        for one in self:
            await one.guard.tick()
            for task in tuple(one.guard._tasks._running):
                await task
            await one.writer.flush()
        await self.agree()

    async def agree(self) -> None:
        for _ in range(2):
            for one in self:
                await one.writer.flush()
                await one.rollout_controller.following.look()

    def weights(self) -> list[float]:
        return [one.weight() for one in self]

    async def close(self) -> None:
        for each in (*self._stores, *self.lines):
            await each.close()


def together(one: RolloutRig) -> WindowExchange:
    assert one.rollout_controller.window_exchange is not None
    return one.rollout_controller.window_exchange


@contextlib.asynccontextmanager
async def several(folder: Path, *routes: Route, judged: Sequence[Judged] = ()) -> AsyncIterator[Several]:
    """One instance for each of the routes, each with its file."""
    async with redis_waited_for(folder) as server:
        made = Several(server, folder, routes, judged)
        try:
            await made.agree()
            yield made
        finally:
            await made.close()


@contextlib.asynccontextmanager
async def redis_waited_for(folder: Path) -> AsyncIterator[RedisServer]:
    """A Redis whose clients, made within, wait for it however long the machine stands still."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("CONNECT_WITHIN", "ANSWER_WITHIN"):
            patch.setattr(store_redis, limit, PATIENCE)
        async with redis_running(folder) as server:
            yield server
