"""Passes on what instances tell each other each second through one stream in Redis.

One script tells, drops what is old, reads on: one message there, one back. A stream's entries bear the store's time,
which tells how old they are, and stand in one order, which tells a reader where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from proxy.state.fleet import TOLD_FOR, Heard, Told

AT_ONCE: Final = 200
"""Messages read in one go: so many instances can hear all of each other."""
MOST_KEPT: Final = AT_ONCE * round(TOLD_FOR)
"""Messages in the stream, whatever its clock does."""
FORGOTTEN_AFTER: Final = 3600
"""Seconds after which a deployment that tells nothing any more leaves nothing behind."""
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
"""A place later than now was given by a clock that has jumped back since: then everything is read, known by number."""


def words(own: Sequence[Told], after: str) -> list[Any]:
    """Return the script's arguments."""
    told = [word for one in own for word in (one.run, one.number, round(one.ago * 1000), one.payload)]
    return [after, round(TOLD_FOR * 1000), FORGOTTEN_AFTER, AT_ONCE, MOST_KEPT, *told]


def heard(answer: Any, after: str) -> Heard:
    """Return what the script answered."""
    now, entries = int(answer[0]), answer[1]
    told = (_told(place, entry, now) for place, entry in entries)
    return Heard(str(entries[-1][0], "ascii") if entries else after, tuple(one for one in told if one is not None))


def _told(place: bytes, entry: Sequence[bytes], now: int) -> Told | None:
    """Return one entry; None for one that no version of ours has written."""
    found = dict(zip(entry[::2], entry[1::2], strict=True))
    waited = max(0, now - int(place.partition(b"-")[0]))
    try:
        ago = (waited + int(found[b"ago"])) / 1000
        return Told(str(found[b"run"], "ascii"), int(found[b"number"]), ago, found[b"payload"])
    except (KeyError, ValueError):
        return None
