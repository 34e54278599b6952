"""Verifies one table of MariaDB and PostgreSQL beside reladiff: time, rows over the wire, differences found.

    python -m bench.data --rows 1000000 --reladiff /path/to/venv/bin/reladiff

Twelve columns; 0, 10 and 10,000 differences in one range, 10,000 spread evenly. reladiff is a separate program,
not one of this project's packages: without `--reladiff` only our side is measured.
"""

from __future__ import annotations

import argparse
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pymysql

from proxy.data.pace import SteadyPace
from proxy.data.results import TableResult
from proxy.data.runner import opened
from proxy.data.table_plan import plan_table
from proxy.data.verify import TableRun
from rules.data_settings import DataColumn, DataLimits, DataSettings, DataSource, DataTable, TableSide
from tests.support.databases import Server, mariadb, postgresql

COLUMNS = ("number", "currency", "status", "total", "tax", "paid", "created_at", "note", "email", "plan", "quantity")
BATCH = 10_000
LIMITS = DataLimits(rows_per_second=0, statement_timeout=300.0)


@dataclass(frozen=True)
class Case:
    """The rows that are changed on the modern side."""

    name: str
    where: str
    changed: int


def cases(rows: int) -> Iterator[Case]:
    many = min(10_000, rows // 10)
    step = rows // many
    yield Case("0", "false", 0)
    yield Case("10", f"id % {rows // 10} = 1", 10)
    yield Case(f"{many:,} in one range", f"id > {rows // 2} AND id <= {rows // 2 + many}", many)
    yield Case(f"{many:,} spread evenly", f"id % {step} = 0", many)


def filled(maria: Server, postgres: Server, rows: int) -> psycopg.Connection[Any]:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    left = pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user, autocommit=True)
    place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname="
    with psycopg.connect(place + "postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench")
    right = psycopg.connect(place + "bench", autocommit=True)
    cursor = left.cursor()
    cursor.execute("CREATE DATABASE bench")
    cursor.execute("USE bench")
    cursor.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, number varchar(20), currency varchar(3), status varchar(10),"
        " total decimal(12,2), tax decimal(12,2), paid int, created_at datetime, note varchar(80), email varchar(80),"
        " plan varchar(20), quantity int) DEFAULT CHARSET utf8mb4"
    )
    right.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, number text, currency text, status text, total numeric(12,2),"
        " tax numeric(12,2), paid int, created_at timestamp, note text, email text, plan text, quantity int)"
    )
    for start in range(1, rows + 1, BATCH):
        some = [
            (i, f"N{i}", "EUR", "paid" if i % 3 else "open", Decimal(i * 7919 % 10**7) / 100, Decimal(i % 999) / 100,
             i % 2, (base + timedelta(seconds=i)).replace(tzinfo=None), f"note {i}", f"user{i}@example.org",
             f"plan{i % 17}", i % 5)
            for i in range(start, min(start + BATCH, rows + 1))
        ]  # fmt: skip
        cursor.executemany(f"INSERT INTO t VALUES ({', '.join(['%s'] * 12)})", some)
        with right.cursor().copy("COPY t FROM STDIN") as copy:
            for row in some:
                copy.write_row(row)
    right.execute("ANALYZE t")
    return right


def ours(maria: Server, postgres: Server) -> tuple[float, int, int]:
    """Seconds, rows over the wire, differences found."""
    side = TableSide("t", ("id",))
    table = DataTable("t", side, side, tuple(DataColumn(one, one, one) for one in COLUMNS), settle=0.0)
    settings = DataSettings(DataSource(maria.url("bench")), DataSource(postgres.url("bench")), LIMITS, (table,))
    began = time.perf_counter()
    with opened(settings, {}) as databases, ThreadPoolExecutor(2) as threads:
        plan = plan_table(table, *databases)
        pace = SteadyPace(LIMITS, databases, time.monotonic, threading.Event())
        run = TableRun(plan, databases, LIMITS, pace, threads, lambda *_: None, TableResult("t"))
        found = run.all_rows()
        read = sum(database.rows_read for database in databases)
    apart = found.different + found.missing_legacy + found.missing_modern
    return time.perf_counter() - began, read, apart


def theirs(program: str, maria: Server, postgres: Server) -> tuple[float, int, int]:
    """Seconds, rows downloaded by its own statistics (-1: unknown), differences found."""
    columns = [word for one in COLUMNS for word in ("-c", one)]
    urls = (maria.url("bench").replace("test@", "test:@"), "t", postgres.url("bench").replace("test@", "test:@"), "t")
    began = time.perf_counter()
    done = subprocess.run(
        [program, *urls, "-k", "id", *columns], capture_output=True, text=True, timeout=900, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    rows = [line[1:] for line in done.stdout.splitlines() if line.startswith(("-", "+"))]
    return took, -1, len({row.partition(",")[0].strip(" '()") for row in rows})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--reladiff", default="", metavar="PROGRAM")
    asked = parser.parse_args()
    with mariadb() as maria, postgresql() as postgres:
        right = filled(maria, postgres, asked.rows)
        print(f"{asked.rows:,} rows x 12 columns")
        print(f"{'differences':>24} {'program':>10} {'seconds':>8} {'rows read':>10} found")
        for case in cases(asked.rows):
            right.execute("BEGIN; UPDATE t SET total = total + 0.01 WHERE " + case.where + "; COMMIT")
            for name, measure in (("strangler", ours), ("reladiff", theirs)):
                if name == "reladiff" and not asked.reladiff:
                    continue
                arguments = (maria, postgres) if name == "strangler" else (asked.reladiff, maria, postgres)
                took, read, apart = measure(*arguments)  # type: ignore[operator]  # each takes its own
                wrong = "" if apart == case.changed else f" (should be {case.changed})"
                print(f"{case.name:>24} {name:>10} {took:8.2f} {read:10,} {apart}{wrong}", flush=True)
            right.execute("BEGIN; UPDATE t SET total = total - 0.01 WHERE " + case.where + "; COMMIT")


if __name__ == "__main__":
    main()
