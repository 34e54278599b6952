"""Keeps differences in an SQLite file of their own, so that many of them delay no other writer.

The file is its owner's alone (0600). One that is no longer a database is renamed and a new one begun: its contents
are only for operators to read, no rollout depends on it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import EQUAL, EXAMPLES, MOST_GROUPS, Difference, DiffsError, Example, Group, Known, Wanted
from proxy.storage.store_sqlite import ours_alone

_BUSY_SECONDS = 5.0
_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS groups (
    id TEXT PRIMARY KEY, route TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL,
    first_seen REAL NOT NULL, last_seen REAL NOT NULL, known TEXT, rejudged TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS groups_by_time ON groups (last_seen);
CREATE TABLE IF NOT EXISTS pairs (
    id TEXT PRIMARY KEY, at REAL NOT NULL, route TEXT NOT NULL, request TEXT NOT NULL, notes TEXT NOT NULL,
    size INTEGER NOT NULL, pair BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pairs_by_time ON pairs (at);
CREATE TABLE IF NOT EXISTS examples (
    number INTEGER PRIMARY KEY, groupid TEXT NOT NULL, pair TEXT NOT NULL, found TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS examples_by_group ON examples (groupid, number);
CREATE INDEX IF NOT EXISTS examples_by_pair ON examples (pair);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_COUNT = """
INSERT INTO groups (id, route, path, kind, count, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET count = count + excluded.count, rejudged = '',
    first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)
"""
_THIN_OUT = """
DELETE FROM examples WHERE groupid = :group
    AND number NOT IN (SELECT number FROM examples WHERE groupid = :group ORDER BY number DESC LIMIT :latest)
    AND number NOT IN (SELECT min(number) FROM examples WHERE groupid = :group)
"""
_SWEEP = "DELETE FROM pairs WHERE id NOT IN (SELECT pair FROM examples)"
_TOO_MANY = "DELETE FROM groups WHERE id IN (SELECT id FROM groups ORDER BY last_seen DESC LIMIT -1 OFFSET ?)"
_GROUPS = """
SELECT * FROM groups WHERE last_seen >= :since AND (:route = '' OR route = :route)
    AND (last_seen, id) < (:seen, :after) AND (id LIKE 't-%') = :transient
ORDER BY last_seen DESC, id DESC LIMIT :limit
"""
_OPEN = "SELECT route, count(*) FROM groups WHERE known IS NULL AND rejudged <> ? AND id NOT LIKE 't-%' GROUP BY route"
_EXAMPLES = """
SELECT examples.pair, examples.found, pairs.at, pairs.request, pairs.notes FROM examples
JOIN pairs ON pairs.id = examples.pair WHERE examples.groupid = ? ORDER BY examples.number DESC
"""


class SqliteDiffs:
    """A `Diffs`. Only the file changes; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = _opened(path)
        except (OSError, sqlite3.Error) as error:
            raise DiffsError(f"{path.name}: {error}") from error

    def add_differences(self, differences: Sequence[Difference]) -> None:
        """Count these pairs in their groups, store a few of them."""
        with self._changing() as connection:
            touched: set[str] = set()
            for one in differences:
                firsts = {each.group: each for each in reversed(one.found)}.values()
                for found in firsts:
                    row = found.group, one.route, found.pattern, found.kind, one.count, one.at, one.at
                    connection.execute(_COUNT, row)
                if not one.is_example:
                    continue
                connection.execute(
                    "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (one.id, one.at, one.route, one.request, _text(one.notes), len(one.pair), one.pair),
                )
                for found in firsts:
                    touched.add(found.group)
                    connection.execute(
                        "INSERT INTO examples (groupid, pair, found) VALUES (?, ?, ?)",
                        (found.group, one.id, _text(asdict(found))),
                    )
            for group in touched:
                connection.execute(_THIN_OUT, {"group": group, "latest": EXAMPLES - 1})
            connection.execute(_SWEEP)

    def groups(self, wanted: Wanted) -> tuple[Group, ...]:
        """Return groups with their latest examples."""
        with self._asking() as connection:
            seen, after = wanted.place
            asked = {
                "route": wanted.route, "since": wanted.since, "seen": seen, "after": after, "limit": wanted.limit,
                "transient": wanted.transient,
            }  # fmt: skip
            rows = connection.execute(_GROUPS, asked).fetchall()
            return tuple(self._group(row) for row in rows)

    def group(self, group: str) -> Group | None:
        """Return one group with all its examples, None when there is none of this id."""
        with self._asking() as connection:
            row = connection.execute("SELECT * FROM groups WHERE id = ?", (group,)).fetchone()
            return None if row is None else self._group(row)

    def pair(self, pair: str) -> bytes:
        """Return a pair as it was packed, empty when it is not kept."""
        with self._asking() as connection:
            row = connection.execute("SELECT pair FROM pairs WHERE id = ?", (pair,)).fetchone()
            return b"" if row is None else bytes(row["pair"])

    def open_groups(self) -> Mapping[str, int]:
        """Return for each route how many groups are neither known nor found equal under a later file."""
        with self._asking() as connection:
            return dict(connection.execute(_OPEN, (EQUAL,)).fetchall())

    def know(self, group: str, known: Known | None) -> bool:
        """Note that a group is known, or (None) is not any more; False when there is no such group."""
        with self._changing() as connection:
            text = None if known is None else _text(asdict(known))
            return connection.execute("UPDATE groups SET known = ? WHERE id = ?", (text, group)).rowcount > 0

    def known(self) -> Mapping[str, Known]:
        """Return everything that is known, by group."""
        with self._asking() as connection:
            rows = connection.execute("SELECT id, known FROM groups WHERE known IS NOT NULL")
            return {row["id"]: Known(**orjson.loads(row["known"])) for row in rows}

    def rejudged(self, verdicts: Mapping[str, str]) -> None:
        """Store the result of each of these groups' examples under the current file."""
        with self._changing() as connection:
            rows = [(verdict, group) for group, verdict in verdicts.items()]
            connection.executemany("UPDATE groups SET rejudged = ? WHERE id = ?", rows)

    def note(self, name: str, value: bytes) -> None:
        """Store a small value under a name."""
        with self._changing() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def noted(self, name: str) -> bytes:
        """Return a small value, empty for none."""
        with self._asking() as connection:
            row = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
            return b"" if row is None else bytes(row["value"])

    def trim(self, now: float, keep: float, max_bytes: int) -> None:
        """Delete what is older than `keep` seconds, then the oldest pairs until `max_bytes` suffice; 0 is no limit."""
        old = now - keep if keep else 0.0
        with self._changing() as connection:
            connection.execute("DELETE FROM groups WHERE last_seen < ? AND known IS NULL", (old,))
            connection.execute(_TOO_MANY, (MOST_GROUPS,))
            connection.execute("DELETE FROM pairs WHERE at < ?", (old,))
            if max_bytes:
                _shrink(connection, max_bytes)
            connection.execute("DELETE FROM examples WHERE pair NOT IN (SELECT id FROM pairs)")
            connection.execute("DELETE FROM examples WHERE groupid NOT IN (SELECT id FROM groups)")
            connection.execute(_SWEEP)
        with self._asking() as connection:
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _group(self, row: sqlite3.Row) -> Group:
        examples = tuple(
            Example(
                each["pair"],
                each["at"],
                each["request"],
                Found(**orjson.loads(each["found"])),
                tuple(orjson.loads(each["notes"])),
            )
            for each in self._connection.execute(_EXAMPLES, (row["id"],))
        )
        known = None if row["known"] is None else Known(**orjson.loads(row["known"]))
        times = row["first_seen"], row["last_seen"]
        return Group(
            row["id"], row["route"], row["path"], row["kind"], row["count"], *times, known, row["rejudged"], examples
        )

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._asking() as connection, connection:
            yield connection

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise DiffsError(f"{self._path.name}: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    ours_alone(path)
    try:
        return _connected(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return _begun_anew(path)


def _begun_anew(path: Path) -> sqlite3.Connection:
    path.replace(path.with_name(f"{path.name}.broken"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    # created by the thread that opens it, used by the one that writes: never by two at a time
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _shrink(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Drop the oldest pairs: everything older than the newest `max_bytes` of them."""
    connection.execute(
        "DELETE FROM pairs WHERE id IN (SELECT id FROM"
        " (SELECT id, sum(size) OVER (ORDER BY at DESC, id) AS upto FROM pairs) WHERE upto > ?)",
        (max_bytes,),
    )


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
