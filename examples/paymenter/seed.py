"""Fills the billing database of both sides.

Only the standard library is needed for SQLite; a `mysql://` address needs PyMySQL.

    python -m examples.paymenter.seed sqlite:///billing.db
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from examples.paymenter.rows import ADMINS, PASSWORD, USERS, tables

__all__ = ["ADMINS", "PASSWORD", "USERS", "connect", "seed"]

SCHEMA = Path(__file__).with_name("schema.sql")

_WORDS = {
    "sqlite": {
        "pk": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "money": "VARCHAR(16)",
        "moment": "VARCHAR(19)",
        "map": "TEXT",
        "table": "",
    },
    "mysql": {
        "pk": "INTEGER PRIMARY KEY AUTO_INCREMENT",
        "money": "DECIMAL(12,2)",
        "moment": "DATETIME",
        "map": "TEXT",
        "table": " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    },
}


def seed(url: str) -> None:
    """Create every table in the empty database at `url`, then insert the rows.

    `url` is `sqlite:///PATH` (four slashes for an absolute path) or `mysql://user:pass@host:port/db`.
    Raises ValueError for another scheme, and the driver's own error if the tables are already there.
    """
    kind = "mysql" if url.startswith("mysql://") else "sqlite"
    mark = "%s" if kind == "mysql" else "?"
    with closing(connect(url)) as connection:
        cursor = connection.cursor()
        for statement in _statements(kind):
            cursor.execute(statement)
        for table, rows in tables().items():
            places = ", ".join([mark] * len(rows[0]))
            # The table names are the literals below, never anything from outside.
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        connection.commit()


def connect(url: str) -> Any:
    """Open a DB-API connection to `url`; SQLite is put into WAL mode: readers never wait for a writer."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=5)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection
    if parts.scheme == "mysql":
        import pymysql  # an optional driver, wanted by this address alone

        return pymysql.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=parts.path.lstrip("/"),
            charset="utf8mb4",
        )
    raise ValueError(f"a database address begins with sqlite:/// or mysql://, not {url!r}")


def _statements(kind: str) -> Iterator[str]:
    text = "\n".join(line for line in SCHEMA.read_text().splitlines() if not line.startswith("--"))
    for word, spelling in _WORDS[kind].items():
        text = text.replace("{" + word + "}", spelling)
    return (statement for statement in text.split(";") if statement.strip())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: seed.py DATABASE_URL")
    seed(sys.argv[1])
