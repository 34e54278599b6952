"""Two databases of a test: filled by statements, verified by the real parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
import pymysql
import pymysql.cursors

from proxy.data.pace import Paused, SteadyPace
from proxy.data.redaction import redacting
from proxy.data.results import TableResult
from proxy.data.run_state import RunState
from proxy.data.runner import Runner, TableFailure, Wanted, opened
from rules.data_settings import (
    Conversion,
    DataCheck,
    DataColumn,
    DataLimits,
    DataSettings,
    DataSource,
    DataTable,
    TableSide,
    Total,
)
from tests.support.databases import Server

NUMBERS = count(1)
LIMITS = DataLimits(rows_per_query=500, rows_per_second=0, statement_timeout=20.0)


def column(text: str) -> DataColumn:
    """`name`, `name=legacy`, `name=legacy / 100`."""
    name, _, rest = text.partition("=")
    legacy, _, convert = rest.partition(" ")
    operator, _, operand = convert.partition(" ")
    return DataColumn(name, legacy or name, name, Conversion(operator, operand) if convert else None)


def table(legacy: str, modern: str, columns: Iterable[str], **more: Any) -> DataTable:
    """`table:key,key` for each side."""
    sides = []
    for text in (legacy, modern):
        name, _, keys = text.partition(":")
        sides.append(TableSide(name, tuple((keys or "id").split(","))))
    settings = {"settle": 0.0, **more}
    if isinstance(settings.get("changed"), str):
        settings["changed"] = column(settings["changed"])
    settings["totals"] = tuple(Total(*one) for one in settings.get("totals", ()))
    return DataTable(sides[1].table, sides[0], sides[1], tuple(column(one) for one in columns), **settings)


@dataclass
class Both:
    """The two databases; `statements` go to legacy (MariaDB) or modern (PostgreSQL)."""

    legacy_url: str
    modern_url: str
    maria: pymysql.Connection[Any]
    postgres: psycopg.Connection[Any]
    timezone: str = "UTC"
    limits: DataLimits = LIMITS
    state: RunState | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    reads: list[int] = field(default_factory=list)
    now: Callable[[], float] = lambda: 0.0
    paused: Paused = lambda _reason: None
    warnings: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def fresh(cls, maria: Server, postgres: Server) -> Iterator[Both]:
        name = f"test{next(NUMBERS)}"
        with pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user, autocommit=True) as left:
            left.cursor().execute(f"CREATE DATABASE {name}")
            left.select_db(name)
            place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname="
            with psycopg.connect(place + "postgres", autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {name}")
            with psycopg.connect(place + name, autocommit=True) as right:
                made = cls(maria.url(name), postgres.url(name), left, right)
                try:
                    yield made
                finally:
                    if made.state is not None:
                        made.state.close()

    def legacy(self, sql: str, *rows: Sequence[Any]) -> None:
        with self.maria.cursor() as cursor:
            if rows:
                cursor.executemany(sql, rows)
            else:
                cursor.execute(sql)

    def modern(self, sql: str, *rows: Sequence[Any]) -> None:
        with self.postgres.cursor() as cursor:
            if rows:
                cursor.executemany(sql, rows)
            else:
                cursor.execute(sql)

    def sent(self) -> int:
        """How many bytes MariaDB has sent since it was started."""
        with self.maria.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")
            return int((cursor.fetchone() or ("", 0))[1])

    def selects(self) -> int:
        """How many SELECTs MariaDB was sent since it was started."""
        with self.maria.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
            return int((cursor.fetchone() or ("", 0))[1])

    def settings(self, *tables: DataTable, checks: Sequence[DataCheck] = ()) -> DataSettings:
        return DataSettings(
            DataSource(self.legacy_url, timezone=self.timezone), DataSource(self.modern_url),
            self.limits, tuple(tables), tuple(checks),
        )  # fmt: skip

    def outcome(self, one: DataTable, since: float | None = None, progress: Any = None) -> TableResult | TableFailure:
        report = progress or (lambda *_: None)
        settings = self.settings(one)
        with opened(settings, {}) as databases:
            redact = redacting(b"k", ())
            runner = Runner(settings, databases, self.now, self.stop, report, redact, self.state, self.paused)
            found = next(iter(runner.tables(Wanted(since=since))))
            self.reads = [database.rows_read for database in databases]
            self.warnings = runner.warnings() if isinstance(found, TableResult) else []
        return found

    def verified(self, one: DataTable, since: float | None = None, progress: Any = None) -> TableResult:
        found = self.outcome(one, since, progress)
        assert isinstance(found, TableResult), found
        return found

    def refused(self, one: DataTable) -> TableFailure:
        found = self.outcome(one)
        assert isinstance(found, TableFailure)
        return found


def rows_of(result: TableResult) -> dict[str, str]:
    """Key to state or differing columns."""
    return {
        one.key: ",".join(name for name, _, _ in one.columns) if one.columns else one.state for one in result.examples
    }


def pace(databases: Any, limits: DataLimits = LIMITS) -> SteadyPace:
    return SteadyPace(limits, databases, lambda: 0.0, threading.Event())


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


class Turned(threading.Event):
    """Time that passes when something waits; `clock` grows."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        self.clock += timeout or 0
        return self.is_set()
