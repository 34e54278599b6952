"""The way to the other instances over the Redis that keeps the overrides."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.client import PubSub

from proxy.state.differences_redis import COUNT, counts
from proxy.state.differences_redis import words as words_of_news
from proxy.state.exchange_redis import EXCHANGE, heard, words
from proxy.state.fleet import (
    FORGOTTEN_AFTER,
    LEASE_SECONDS,
    Counts,
    Heard,
    News,
    Pulse,
    Seen,
    Told,
    Version,
)
from proxy.state.redis_client import Names, asking, client
from proxy.state.store import StoreError

_BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d ', now) .. ARGV[2])
local leader = redis.call('GET', KEYS[2])
if ARGV[3] == '1' and (not leader or leader == ARGV[1]) then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
  leader = ARGV[1]
end
local all = redis.call('HGETALL', KEYS[1])
for place = 1, #all, 2 do
  local at = tonumber(string.match(all[place + 1], '^%d+'))
  if now - at > tonumber(ARGV[5]) then redis.call('HDEL', KEYS[1], all[place]) end
end
return {string.format('%d', now), leader or '', all}
"""
_LEAVE = """
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""


class RedisFleet:
    """Implements the fleet's port. `_hints` is the subscription to changes, made anew after each failure."""

    def __init__(self, url: str, environ: Mapping[str, str] = os.environ) -> None:
        self._url = url
        self._names = Names(environ)
        self._redis = client(url, environ)
        self._beat = self._redis.register_script(_BEAT)
        self._leave = self._redis.register_script(_LEAVE)
        self._exchange = self._redis.register_script(EXCHANGE)
        self._count = self._redis.register_script(COUNT)
        self._hints: PubSub | None = None

    async def version(self) -> Version:
        """Return what changes with each override that is kept."""
        with asking(self._url):
            found: Any = await self._redis.mget(self._names.epoch, self._names.version)
            epoch, number = found
            return Version(str(epoch or b"", "utf-8"), int(number or 0))

    async def hint(self, seconds: float) -> None:
        """Return when somebody may have changed an override, after `seconds` at the latest."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        try:
            with asking(self._url):
                if self._hints is None:
                    self._hints = self._redis.pubsub(ignore_subscribe_messages=True)
                    await self._hints.subscribe(self._names.changes)
                while (left := end - loop.time()) > 0:
                    if await self._hints.get_message(timeout=left) is not None:
                        return
        except StoreError:
            await self._unsubscribe()
            # without hints the time between two looks must pass all the same
            await asyncio.sleep(max(0.0, end - loop.time()))

    async def beat(self, name: str, document: bytes, *, lead: bool) -> Pulse:
        """Say that `name` is there, hear who else is."""
        keys = self._names.instances, self._names.lease
        words = name, document, int(lead), int(LEASE_SECONDS * 1000), int(FORGOTTEN_AFTER * 1000)
        with asking(self._url):
            found: Any = await self._beat(keys, words)
            now, leader, everybody = int(found[0]), str(found[1], "utf-8"), found[2]
            seen = [_seen(who, said, now) for who, said in zip(everybody[::2], everybody[1::2], strict=True)]
            return Pulse(now / 1000, leader, tuple(sorted(seen, key=lambda one: one.name)))

    async def exchange(self, own: Sequence[Told], after: str) -> Heard:
        """Tell everybody, hear what was told since the place `after`."""
        with asking(self._url):
            return heard(await self._exchange((self._names.told,), words(own, after)), after)

    async def count(self, news: News, since: str, oldest: float, keep: float) -> Counts | None:
        """Add to the counts of differences, return those of all instances unless they still are those of `since`."""
        with asking(self._url):
            return counts(await self._count(self._names.differences, words_of_news(news, since, oldest, keep)))

    async def leave(self, name: str) -> None:
        """Say that `name` leaves in good order."""
        with asking(self._url):
            await self._leave((self._names.instances, self._names.lease), (name,))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._unsubscribe()
        await self._redis.aclose()

    async def _unsubscribe(self) -> None:
        there, self._hints = self._hints, None
        if there is not None:
            await _dropped(there)


async def _dropped(subscription: Any) -> None:
    try:
        with asking("subscription"):
            await subscription.aclose()
    except StoreError:
        return


def _seen(name: bytes, said: bytes, now: int) -> Seen:
    at, _, document = said.partition(b" ")
    return Seen(str(name, "utf-8"), max(0.0, (now - int(at)) / 1000), document)
