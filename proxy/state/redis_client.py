"""Makes the clients that talk to Redis (or Valkey), says how our keys are called.

A call that finds its connection broken is tried once more at once, on a fresh one: after a restart of Redis every
kept connection is broken. Nothing else is tried again in here: whoever asks knows whether it is worth it, and a client
that waits between tries turns a dead Redis into seconds of silence (redis-py's own default: more than 3 s).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - the name is theirs

from proxy.ipc.codec import CodecError
from proxy.state.store import StoreError

PASSWORD = "STRANGLER_REDIS_PASSWORD"  # noqa: S105 - the name of a variable
DEPLOYMENT = "STRANGLER_DEPLOYMENT"
"""Names the deployment whose instances belong together, where several share one Redis; `default` unless set."""
CONNECT_WITHIN = 0.5
ANSWER_WITHIN = 1.0
CONNECTIONS = 8
"""At once; one more is refused, its caller tries again."""


class Names:
    """What our keys are called; the braces keep them on one node of a cluster. Nothing in it changes."""

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
    """Return a client for the start, when nobody is served yet."""
    from redis.retry import Retry as WaitingRetry

    return redis.Redis.from_url(url, retry=WaitingRetry(NoBackoff(), 1, (ConnectionError,)), **_options(environ))


def _options(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        "password": environ.get(PASSWORD) or None,
        "socket_connect_timeout": CONNECT_WITHIN,
        "socket_timeout": ANSWER_WITHIN,
        "max_connections": CONNECTIONS,
        # the older protocol says nothing on its own, and every Redis knows it
        "protocol": 2,
    }


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever goes wrong with Redis into StoreError."""
    try:
        yield
    except (RedisError, OSError, CodecError) as error:
        raise StoreError(f"{what}: {error}") from error
