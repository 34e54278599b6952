"""Adds up in Redis how often each difference was met by all instances.

One script counts, drops what is old or too much, tells: what was said twice under one number counts once.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from proxy.ipc.codec import from_json, to_json
from proxy.state.fleet import Counted, Counts, News

MOST_GROUPS: Final = 1000
"""Differences that are counted together; of more, those not met for longest go."""
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


def words(news: News, since: str, oldest: float, keep: float) -> list[Any]:
    """Return the script's arguments."""
    told = [word for one in news.groups for word in (one.group, one.count, one.last_seen, _about(one), one.state)]
    return [news.run, news.number, since, oldest, MOST_GROUPS, max(1, round(keep)), *told]


def counts(answer: Any) -> Counts | None:
    """Return what the script answered, None where nothing has changed."""
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
