"""The store in one SQLite file.

The file is for its owner alone (0600). WAL lets readers read during a write; every write is on the disk when
the call returns (`synchronous=FULL`), because a rollback must survive a power cut. A file that cannot be
opened, is locked or full is tried again with the next call.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from proxy.ipc.codec import CodecError, from_json, to_json
from proxy.storage.store import KEPT_EVENTS, Event, StoreError, revised
from rules.model import Override

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

BUSY_SECONDS = 2.0
"""How long another process may hold the file's lock."""
MOST_WAITING = 1000
"""Calls that may wait for the thread; one more is refused, its caller tries again."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS overrides (route TEXT PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS small_values (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class SqliteStore:
    """Implements the store's port. `_connection` belongs to the thread, `_waiting` to the event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "store")
        self._connection: sqlite3.Connection | None = None
        self._waiting = 0

    async def overrides(self) -> tuple[Override, ...]:
        """Return every override."""
        return await self._do(read_overrides)

    async def put(self, override: Override, expected: int | None = None) -> Override:
        """Store `override`; StaleError where its revision is not the expected one."""
        return await self._do(partial(_put, override=override, expected=expected))

    async def append(self, event: Event) -> None:
        """Store `event`."""
        await self._do(partial(_append, event=event))

    async def events(self, since: int = 0, limit: int = 100) -> tuple[Event, ...]:
        """Return events in order."""
        return await self._do(partial(_events, since=since, limit=limit))

    async def value(self, name: str) -> str | None:
        """Return a small value."""
        return await self._do(partial(_value, name=name))

    async def keep(self, name: str, value: str) -> None:
        """Store a small value."""
        await self._do(partial(_keep, name=name, value=value))

    async def close(self) -> None:
        """Finish what was begun, close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)

    async def _do(self, job: Job[T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise StoreError("too much waits to be written")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, job)
        except (sqlite3.Error, OSError, CodecError) as error:
            raise StoreError(f"{self._path.name}: {error}") from error
        finally:
            self._waiting -= 1

    def _run(self, job: Job[T]) -> T:
        if self._connection is None:
            self._connection = opened(self._path)
        try:
            with self._connection:
                return job(self._connection)
        except sqlite3.Error:
            # a fresh connection may work where this one failed
            self._let_go()
            raise

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def ours_alone(path: Path) -> None:
    """Make the file where there is none; it and what SQLite keeps beside it are readable for their owner alone."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for ending in ("", "-wal", "-shm", "-journal"):
        # a file of another user keeps that user's mode
        with suppress(FileNotFoundError, PermissionError):
            path.with_name(path.name + ending).chmod(0o600)


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection to the store's file, made where there is none. Raises `OSError` or `sqlite3.Error`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ours_alone(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def read_overrides(connection: sqlite3.Connection) -> tuple[Override, ...]:
    """Return every override there is."""
    rows = connection.execute("SELECT body FROM overrides ORDER BY route").fetchall()
    return tuple(from_json(body, Override) for (body,) in rows)


def _put(connection: sqlite3.Connection, override: Override, expected: int | None) -> Override:
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT body FROM overrides WHERE route = ?", (override.route,)).fetchone()
    current = from_json(row[0], Override) if row else None
    kept = replace(override, revision=revised(override, current, expected))
    connection.execute("INSERT OR REPLACE INTO overrides VALUES (?, ?, ?)", (kept.route, kept.revision, to_json(kept)))
    return kept


def _append(connection: sqlite3.Connection, event: Event) -> None:
    connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event.id, to_json(event)))
    connection.execute(
        "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)", (KEPT_EVENTS,)
    )


def _events(connection: sqlite3.Connection, since: int, limit: int) -> tuple[Event, ...]:
    newest = since < 0
    order = "DESC" if newest else "ASC"
    rows = connection.execute(
        f"SELECT body FROM events WHERE id > ? ORDER BY id {order} LIMIT ?",  # noqa: S608 - one of two words
        (max(since, 0), limit),
    ).fetchall()
    found = tuple(from_json(body, Event) for (body,) in rows)
    return found[::-1] if newest else found


def _value(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM small_values WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else None


def _keep(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO small_values VALUES (?, ?)", (name, value))


# Keeps keys that are created once, in the store's file, for all workers and later starts.


_BUSY_SECONDS = 5.0


def kept(path: Path, name: str, made: str) -> str:
    """The key called `name`: `made` if there was none. Raises `OSError` or `sqlite3.Error`.

    The file is made readable for its owner alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ours_alone(path)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    try:
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, made))
        found = connection.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
    finally:
        connection.close()
    return str(found[0])


def known(path: Path, name: str) -> str:
    """The key called `name`, empty where there is none or the file cannot be read; nothing is written."""
    if not path.is_file():
        return ""
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        try:
            found = connection.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""
