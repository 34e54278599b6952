"""Whether the store answers, and agrees with us on the time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject

_APART = 1.0
_PATIENCE = 3.0
_PASSWORD = "STRANGLER_REDIS_PASSWORD"  # noqa: S105 - the name of a variable
_CLIENT = 6.2
"""From this Redis on, everything the proxy uses is there."""


async def stores(subject: Subject) -> AsyncIterator[Found]:
    """Look at the store of the file."""
    store = subject.snapshot.store
    if store == "memory":
        yield Found(
            WARNING, "store", "memory: rollbacks are forgotten with a restart", 'store: "sqlite:var/strangler.db"'
        )
    elif store.startswith("sqlite:"):
        yield _sqlite(subject)
    else:
        async for found in _redis(subject):
            yield found


def _sqlite(subject: Subject) -> Found:
    path = subject.base / subject.snapshot.store.removeprefix("sqlite:")
    if not path.exists():
        return Found(OK, "store", f"{path} does not exist yet")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_PATIENCE)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return Found(ERROR, "store", f"{path}: {error}", "stop the proxy, move the file away: a new one is made")
    if said != "ok":
        return Found(ERROR, "store", f"{path}: {said}", "stop the proxy, move the file away: a new one is made")
    return Found(OK, "store", f"{path} is sound")


async def _redis(subject: Subject) -> AsyncIterator[Found]:
    try:
        from redis.asyncio import from_url
        from redis.exceptions import RedisError
    except ImportError:
        yield Found(ERROR, "store", "the Redis client is not installed", "pip install 'strangler-proxy[fleet]'")
        return
    url = subject.snapshot.store
    client = from_url(
        url, password=subject.environ.get(_PASSWORD) or None, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
    )
    try:
        seconds, micros = await client.time()
        version = str((await client.info("server")).get("redis_version", "0"))
    except (RedisError, OSError) as error:
        yield Found(ERROR, "store", f"{url}: {error}", f"start it, correct the address, or set {_PASSWORD}")
        return
    finally:
        await client.aclose()
    major, _, rest = version.partition(".")
    if float(f"{major}.{rest.partition('.')[0] or 0}") < _CLIENT:
        yield Found(
            WARNING, "store", f"{url} is version {version}", f"{_CLIENT} or later is what the proxy is tried with"
        )
    apart = abs(time.time() - (seconds + micros / 1e6))
    if apart > _APART:
        yield Found(WARNING, "store", f"{url}: its clock is {apart:.1f} s from ours", "let both follow a time server")
    else:
        yield Found(OK, "store", f"{url} answers, version {version}")
