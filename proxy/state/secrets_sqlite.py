"""Keeps keys that were made once, in the store's file, for every worker and every start to come."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_BUSY_SECONDS = 5.0


def kept(path: Path, name: str, made: str) -> str:
    """The key called `name`: `made` if there was none before. Raises `OSError` or `sqlite3.Error`.

    The file is made readable for its owner alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    try:
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, made))
        found = connection.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
    finally:
        connection.close()
    return str(found[0])
