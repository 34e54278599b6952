"""The store in Redis; client construction.

Overrides are changed by one script, so that of several changes to one revision one wins. How revisions follow each
other is decided here as for every other store; the script only ensures that there was no change in between. Every
change raises one number, `version`, which instances read, and is published on a channel, which may be missed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from secrets import token_hex
from typing import Any, cast

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - the name is theirs

from proxy.ipc.codec import CodecError, from_json, to_json
from proxy.storage.store import KEPT_EVENTS, Event, StoreError, revised
from rules.model import Override

# Creates the clients of Redis (or Valkey), and the names of our keys.
#
# A call that finds its connection broken is tried once more at once, on a fresh one: after a restart of Redis every
# kept connection is broken. Nothing else is retried here: the caller decides on that, and a
# client that waits between retries turns a dead Redis into seconds without an answer (redis-py's own default: more
# than 3 s).


PASSWORD = "STRANGLER_REDIS_PASSWORD"  # noqa: S105 - the name of a variable
DEPLOYMENT = "STRANGLER_DEPLOYMENT"
"""Names the deployment whose instances belong together, where several share one Redis; `default` unless set."""
CONNECT_WITHIN = 0.5
ANSWER_WITHIN = 1.0
CONNECTIONS = 8
"""Connections at once; one more is refused, its caller tries again."""


class Names:
    """The names of our keys; the braces keep them on one node of a cluster. Immutable."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        prefix = f"strangler:{{{environ.get(DEPLOYMENT) or 'default'}}}:"
        self.overrides = prefix + "overrides"
        self.version = prefix + "version"
        self.epoch = prefix + "epoch"
        self.events = prefix + "events"
        self.values = prefix + "values"
        self.instances = prefix + "instances"
        self.lease = prefix + "lease"
        self.told = prefix + "told"
        self.differences = tuple(
            f"{prefix}differences:{part}" for part in ("counts", "about", "seen", "settled", "runs", "version")
        )
        self.changes = prefix + "changes"


def client(url: str, environ: Mapping[str, str] = os.environ) -> Redis:
    """Return a client that connects with its first call."""
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1, (ConnectionError,)), **_options(environ))


def waiting_client(url: str, environ: Mapping[str, str] = os.environ) -> redis.Redis:
    """Return a client for the start, before any request is served."""
    from redis.retry import Retry as WaitingRetry

    return redis.Redis.from_url(url, retry=WaitingRetry(NoBackoff(), 1, (ConnectionError,)), **_options(environ))


def _options(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        "password": environ.get(PASSWORD) or None,
        "socket_connect_timeout": CONNECT_WITHIN,
        "socket_timeout": ANSWER_WITHIN,
        "max_connections": CONNECTIONS,
        # the older protocol sends nothing unasked, and every Redis supports it
        "protocol": 2,
    }


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn every error of Redis into StoreError."""
    try:
        yield
    except (RedisError, OSError, CodecError) as error:
        raise StoreError(f"{what}: {error}") from error


TRIES = 20
"""How many concurrent changes are retried before the store counts as busy."""
_SWAP = """
local there = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if there ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('SET', KEYS[4], ARGV[4], 'NX')
redis.call('PUBLISH', KEYS[3], redis.call('INCR', KEYS[2]))
return 1
"""


class RedisStore:
    """Implements the store's port. Only the client's connections change."""

    def __init__(self, url: str, environ: Mapping[str, str] = os.environ) -> None:
        self._url = url
        self._redis = client(url, environ)
        self._names = Names(environ)
        self._swap = self._redis.register_script(_SWAP)

    async def overrides(self) -> tuple[Override, ...]:
        """Return every override."""
        with asking(self._url):
            found: list[Any] = await self._redis.hvals(self._names.overrides)
            return tuple(sorted((from_json(body, Override) for body in found), key=lambda one: one.route))

    async def put(self, override: Override, expected: int | None = None) -> Override:
        """Store `override`; StaleError where its revision is not the expected one."""
        names = self._names
        keys = names.overrides, names.version, names.changes, names.epoch
        with asking(self._url):
            for _ in range(TRIES):
                there: Any = await self._redis.hget(names.overrides, override.route) or b""
                current = from_json(there, Override) if there else None
                kept = replace(override, revision=revised(override, current, expected))
                if await self._swap(keys, (override.route, there, to_json(kept), token_hex(8))):
                    return kept
        raise StoreError(f"{self._url}: too many change {override.route} at once")

    async def append(self, event: Event) -> None:
        """Store `event`."""
        with asking(self._url):
            together: Any = self._redis.pipeline()
            together.zadd(self._names.events, {to_json(event): event.id})
            together.zremrangebyrank(self._names.events, 0, -KEPT_EVENTS - 1)
            await together.execute()

    async def events(self, since: int = 0, limit: int = 100) -> tuple[Event, ...]:
        """Return events in order."""
        name = self._names.events
        found: Any
        with asking(self._url):
            if since < 0:
                found = (await self._redis.zrevrange(name, 0, limit - 1))[::-1]
            else:
                found = await self._redis.zrangebyscore(name, f"({since}", "+inf", start=0, num=limit)
            return tuple(from_json(body, Event) for body in found)

    async def value(self, name: str) -> str | None:
        """Return a small value."""
        with asking(self._url):
            found: Any = await self._redis.hget(self._names.values, name)
            return str(found, "utf-8") if found is not None else None

    async def keep(self, name: str, value: str) -> None:
        """Store a small value."""
        with asking(self._url):
            await self._redis.hset(self._names.values, name, value)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def overrides_at_start(url: str, environ: Mapping[str, str] = os.environ) -> tuple[Override, ...]:
    """Return every override there is, or raise StoreError."""
    with asking(url), waiting_client(url, environ) as redis:
        return tuple(from_json(body, Override) for body in redis.hvals(Names(environ).overrides))


def value_at_start(url: str, name: str, made: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the small value called `name`, `made` if there was none before, or raise StoreError."""
    values = Names(environ).values
    with asking(url), waiting_client(url, environ) as redis:
        redis.hsetnx(values, name, made)
        return str(cast(bytes, redis.hget(values, name)), "utf-8")
