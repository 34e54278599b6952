"""The fleet over Redis."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio.client import PubSub

from proxy.ipc.codec import from_json, to_json
from proxy.storage.fleet import (
    FORGOTTEN_AFTER,
    LEASE_SECONDS,
    TOLD_FOR,
    Counted,
    Counts,
    ExchangeResult,
    InstanceReport,
    News,
    Pulse,
    Seen,
    Version,
)
from proxy.storage.store import StoreError
from proxy.storage.store_redis import Names, asking, client

# Exchanges the instances' outcomes each second through one stream in Redis.
#
# One script publishes, drops old entries and reads: one round trip. A stream's entries carry the store's time,
# which gives their age, and have one order, which gives a reader its place.


AT_ONCE: Final = 200
"""Messages read at once: so many instances can read all of each other's."""
MOST_KEPT: Final = AT_ONCE * round(TOLD_FOR)
"""Messages in the stream, independent of its clock."""
EXCHANGE_FORGOTTEN_AFTER: Final = 3600
"""Seconds after which a deployment that publishes nothing any more leaves nothing behind."""
EXCHANGE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', now - ARGV[2]))
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[5])
for place = 6, #ARGV, 4 do
  redis.call('XADD', KEYS[1], '*', 'run', ARGV[place], 'number', ARGV[place + 1],
    'ago', ARGV[place + 2], 'payload', ARGV[place + 3])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
local from = '-'
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local first = tonumber(string.match(ARGV[1], '^%d+') or '0')
if first > now + 1000 then from = '-' end
return {string.format('%d', now), redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[4])}
"""
"""A place later than now comes from a clock that has jumped back: everything is read, repeats dropped by number."""


def exchange_arguments(own: Sequence[InstanceReport], after: str) -> list[Any]:
    """Return the script's arguments."""
    told = [word for one in own for word in (one.run, one.number, round(one.ago * 1000), one.payload)]
    return [after, round(TOLD_FOR * 1000), EXCHANGE_FORGOTTEN_AFTER, AT_ONCE, MOST_KEPT, *told]


def exchange_result(answer: Any, after: str) -> ExchangeResult:
    """Return the script's result."""
    now, entries = int(answer[0]), answer[1]
    told = (_report_of(place, entry, now) for place, entry in entries)
    return ExchangeResult(
        str(entries[-1][0], "ascii") if entries else after, tuple(one for one in told if one is not None)
    )


def _report_of(place: bytes, entry: Sequence[bytes], now: int) -> InstanceReport | None:
    """Return one entry; None for one that no version of the proxy has written."""
    found = dict(zip(entry[::2], entry[1::2], strict=True))
    waited = max(0, now - int(place.partition(b"-")[0]))
    try:
        ago = (waited + int(found[b"ago"])) / 1000
        return InstanceReport(str(found[b"run"], "ascii"), int(found[b"number"]), ago, found[b"payload"])
    except (KeyError, ValueError):
        return None


# Adds up in Redis how often each difference was met by all instances.
#
# One script counts, drops what is old or too much, returns the sums: repeats under one number count once.


MOST_GROUPS: Final = 1000
"""Differences that are counted together; beyond that, those not met for longest are dropped."""
COUNT: Final = """
local counts, about, seen, settled, runs, version = unpack(KEYS)
local run, number, since, oldest, most, ttl = unpack(ARGV)
local is_new = tonumber(number) > tonumber(redis.call('HGET', runs, run) or '0')
if is_new and #ARGV > 6 then
  if redis.call('HLEN', runs) > 1000 then redis.call('DEL', runs) end
  redis.call('HSET', runs, run, number)
  for place = 7, #ARGV, 5 do
    local group, added, at, what, state = unpack(ARGV, place, place + 4)
    if tonumber(added) > 0 then
      redis.call('HINCRBY', counts, group, added)
      redis.call('HSETNX', about, group, what)
      redis.call('ZADD', seen, 'GT', at, group)
      if redis.call('HGET', settled, group) == 'equal' then redis.call('HDEL', settled, group) end
    end
    if state == '' then redis.call('HDEL', settled, group)
    elseif state ~= '-' and redis.call('HEXISTS', counts, group) == 1 then
      redis.call('HSET', settled, group, state)
    end
  end
  local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', '(' .. oldest)
  local surplus = redis.call('ZCARD', seen) - #gone - tonumber(most)
  if surplus > 0 then
    for _, group in ipairs(redis.call('ZRANGE', seen, #gone, #gone + surplus - 1)) do table.insert(gone, group) end
  end
  for _, group in ipairs(gone) do
    redis.call('HDEL', counts, group)
    redis.call('HDEL', about, group)
    redis.call('HDEL', settled, group)
    redis.call('ZREM', seen, group)
  end
  redis.call('INCR', version)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
end
local now = redis.call('GET', version) or ''
if now == since then return {now} end
return {now, redis.call('HGETALL', counts), redis.call('HGETALL', about),
  redis.call('ZRANGE', seen, 0, -1, 'WITHSCORES'), redis.call('HGETALL', settled)}
"""


class _About(NamedTuple):
    route: str
    path: str
    kind: str
    first_seen: float


def difference_arguments(news: News, since: str, oldest: float, keep: float) -> list[Any]:
    """Return the script's arguments."""
    told = [word for one in news.groups for word in (one.group, one.count, one.last_seen, _about(one), one.state)]
    return [news.run, news.number, since, oldest, MOST_GROUPS, max(1, round(keep)), *told]


def counts(answer: Any) -> Counts | None:
    """Return the script's result, None where nothing has changed."""
    version = str(answer[0] or b"", "ascii")
    if len(answer) == 1:
        return None
    numbers, about, seen, settled = (dict(zip(rows[::2], rows[1::2], strict=True)) for rows in answer[1:])
    return Counts(
        version,
        tuple(
            _counted(group, int(number), about[group], float(seen[group]), settled.get(group, b""))
            for group, number in numbers.items()
            if group in about and group in seen
        ),
    )


def _about(one: Counted) -> bytes:
    return to_json(_About(one.route, one.path, one.kind, one.first_seen))


def _counted(group: bytes, number: int, about: bytes, last_seen: float, state: bytes) -> Counted:
    route, path, kind, first_seen = from_json(about, _About)
    return Counted(str(group, "utf-8"), route, path, kind, number, first_seen, last_seen, str(state, "utf-8"))


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
        """Return a value that changes with each stored override."""
        with asking(self._url):
            found: Any = await self._redis.mget(self._names.epoch, self._names.version)
            epoch, number = found
            return Version(str(epoch or b"", "utf-8"), int(number or 0))

    async def hint(self, seconds: float) -> None:
        """Return when an override may have changed, after `seconds` at the latest."""
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
        """Send a heart-beat of `name`, return the other instances."""
        keys = self._names.instances, self._names.lease
        words = name, document, int(lead), int(LEASE_SECONDS * 1000), int(FORGOTTEN_AFTER * 1000)
        with asking(self._url):
            found: Any = await self._beat(keys, words)
            now, leader, names = int(found[0]), str(found[1], "utf-8"), found[2]
            seen = [_seen(who, said, now) for who, said in zip(names[::2], names[1::2], strict=True)]
            return Pulse(now / 1000, leader, tuple(sorted(seen, key=lambda one: one.name)))

    async def exchange(self, own: Sequence[InstanceReport], after: str) -> ExchangeResult:
        """Publish messages, return those since the place `after`."""
        with asking(self._url):
            return exchange_result(await self._exchange((self._names.told,), exchange_arguments(own, after)), after)

    async def count(self, news: News, since: str, oldest: float, keep: float) -> Counts | None:
        """Add to the counts of differences, return those of all instances unless they still are those of `since`."""
        with asking(self._url):
            return counts(await self._count(self._names.differences, difference_arguments(news, since, oldest, keep)))

    async def leave(self, name: str) -> None:
        """Report that `name` stops in good order."""
        with asking(self._url):
            await self._leave((self._names.instances, self._names.lease), (name,))

    async def close(self) -> None:
        """Close every connection."""
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
