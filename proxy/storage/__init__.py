"""Chooses the store that a file names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from proxy.ipc.codec import CodecError
from proxy.storage.fleet import Fleet
from proxy.storage.store import MemoryStore, Store, StoreError
from rules.model import Override

_SQLITE = "sqlite:"
_REDIS = ("redis://", "rediss://")


def is_shared(text: str) -> bool:
    """Whether other instances may use the store that `text` names."""
    return text.startswith(_REDIS)


def store_of(text: str, base: Path, overrides: Iterable[Override] = ()) -> Store:
    """Return the store that `text` names, paths relative to `base`; one in memory begins with `overrides`."""
    if text.startswith(_SQLITE):
        from proxy.storage.store_sqlite import SqliteStore

        return SqliteStore(base / text.removeprefix(_SQLITE))
    if is_shared(text):
        from proxy.storage.store_redis import RedisStore

        return RedisStore(text)
    return MemoryStore(overrides)


def fleet_of(text: str) -> Fleet | None:
    """Return the exchange with other instances that use the store `text` names, None where there can be none."""
    if not is_shared(text):
        return None
    from proxy.storage.fleet_redis import RedisFleet

    return RedisFleet(text)


def kept_overrides(text: str, base: Path) -> tuple[Override, ...]:
    """Return the overrides of an earlier run from the store; StoreError where they cannot be read."""
    if is_shared(text):
        from proxy.storage.store_redis import overrides_at_start

        return overrides_at_start(text)
    if not text.startswith(_SQLITE):
        return ()
    import sqlite3

    from proxy.storage.store_sqlite import opened, read_overrides

    try:
        connection = opened(base / text.removeprefix(_SQLITE))
        try:
            return read_overrides(connection)
        finally:
            connection.close()
    except (OSError, sqlite3.Error, CodecError) as error:
        raise StoreError(str(error)) from error
