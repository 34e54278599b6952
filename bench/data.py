"""Verifies one table of MariaDB and PostgreSQL beside reladiff: time, rows over the wire, differences found.

    python -m bench.data --rows 1000000 --reladiff /path/to/venv/bin/reladiff --write

Twelve columns; 0, 10 and 10,000 differences in one range, 10,000 spread evenly. reladiff is a separate program,
not one of this project's packages: without `--reladiff` only our side is measured.

A million rows take minutes to write: `--serve FILE` keeps both databases running until it is interrupted, `--use FILE`
measures them, with `--case N` one of the cases at a time; what was measured is kept in FILE, for `--write`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pymysql

from bench import machine, results
from bench.tables import grid
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


@dataclass(frozen=True)
class Place:
    """A running database: how it is reached, which process it is."""

    scheme: str
    port: int
    user: str
    pid: int

    @classmethod
    def of(cls, server: Server) -> Place:
        return cls(server.scheme, server.port, server.user, server.process.pid)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.user}@127.0.0.1:{self.port}/bench"


def written_to(postgres: Place) -> psycopg.Connection[Any]:
    place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname=bench"
    return psycopg.connect(place, autocommit=True)


def fill(maria: Place, postgres: Place, rows: int) -> None:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    left = pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user, autocommit=True)
    place = f"host=127.0.0.1 port={postgres.port} user={postgres.user} dbname="
    with psycopg.connect(place + "postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench")
    right = written_to(postgres)
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
    right.execute("VACUUM ANALYZE t")
    cursor.execute("ANALYZE TABLE t")
    left.close()
    right.close()


@dataclass(frozen=True)
class Load:
    """What a database has done so far: rows and bytes sent (MariaDB alone counts them), seconds of processor."""

    rows: int
    sent: int
    maria: float
    postgres: float

    @classmethod
    def of(cls, maria: Place, postgres: Place) -> Load:
        with pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Rows_sent', 'Bytes_sent')")
            told = {name.lower(): int(value) for name, value in cursor.fetchall()}
        return cls(told["rows_sent"], told["bytes_sent"], processor(maria.pid), processor(postgres.pid))

    def since(self, before: Load) -> Load:
        return Load(
            self.rows - before.rows,
            self.sent - before.sent,
            self.maria - before.maria,
            self.postgres - before.postgres,
        )


def processor(pid: int) -> float:
    """Seconds of processor of a process, its children and those that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor(int(child)) for child in children)


@dataclass(frozen=True)
class Measured:
    """One program at one case."""

    seconds: float
    found: int
    load: Load


Program = Callable[[], int]
"""Verifies the table; how many differing rows it found."""


def measured(program: Program, maria: Place, postgres: Place) -> Measured:
    before, began = Load.of(maria, postgres), time.perf_counter()
    found = program()
    took = time.perf_counter() - began
    time.sleep(0.3)  # a backend of PostgreSQL ends after its client, its processor time is its parent's then
    return Measured(took, found, Load.of(maria, postgres).since(before))


def ours(maria: Place, postgres: Place) -> int:
    """Verify as `strangler verify-data --full` does, from planning to totals, without state and settling."""
    side = TableSide("t", ("id",))
    table = DataTable("t", side, side, tuple(DataColumn(one, one, one) for one in COLUMNS), settle=0.0)
    settings = DataSettings(DataSource(maria.url), DataSource(postgres.url), LIMITS, (table,))
    with opened(settings, {}) as databases, ThreadPoolExecutor(4) as threads:
        plan = plan_table(table, *databases)
        pace = SteadyPace(LIMITS, databases, time.monotonic, threading.Event())
        run = TableRun(plan, databases, LIMITS, pace, threads, lambda *_: None, TableResult("t"))
        found = run.all_rows()
    return found.different + found.missing_legacy + found.missing_modern


def theirs(program: str, maria: Place, postgres: Place) -> int:
    columns = [word for one in COLUMNS for word in ("-c", one)]
    urls = (maria.url.replace("test@", "test:@"), "t", postgres.url.replace("test@", "test:@"), "t")
    done = subprocess.run(
        [program, *urls, "-k", "id", *columns], capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    rows = [line[1:] for line in done.stdout.splitlines() if line.startswith(("-", "+"))]
    return len({row.partition(",")[0].strip(" '()") for row in rows})


HEAD = ["differences", "program", "seconds", "rows sent", "MB sent", "MariaDB s", "PostgreSQL s", "found"]
ABOUT = (
    "One table of twelve columns, MariaDB to PostgreSQL, both on this machine. *Sent* is what MariaDB counts "
    "(PostgreSQL is asked for the same); seconds of processor of each database beside it. Medians of all rounds."
)


def row(case: Case, name: str, rounds: Sequence[Measured]) -> list[str]:
    def middle(value: Callable[[Measured], float]) -> float:
        return median(map(value, rounds))

    found = {one.found for one in rounds}
    wrong = "" if found == {case.changed} else " **wrong**"
    return [
        case.name,
        name,
        f"{middle(lambda one: one.seconds):.1f}",
        f"{middle(lambda one: one.load.rows):,.0f}",
        f"{middle(lambda one: one.load.sent) / 1e6:.1f}",
        f"{middle(lambda one: one.load.maria):.1f}",
        f"{middle(lambda one: one.load.postgres):.1f}",
        f"{', '.join(f'{each:,}' for each in sorted(found))}{wrong}",
    ]


def judged(found: Mapping[str, Mapping[str, Sequence[Measured]]]) -> list[list[str]]:
    """The goals beside what was found; nothing without the peer."""
    goals = []
    for name, programs in found.items():
        if RELADIFF not in programs:
            continue
        own, peer = (median(one.seconds for one in programs[each]) for each in (STRANGLER, RELADIFF))
        least = 5.0 if "in one range" in name else 1.0
        goals.append(_goal(f"{name}: times as fast", least, peer / own, at_least=True))
        if "spread" in name:
            sent = [median(one.load.rows for one in programs[each]) for each in (STRANGLER, RELADIFF)]
            goals.append(_goal(f"{name}: rows sent, of theirs", 1.1, sent[0] / max(sent[1], 1), at_least=False))
    return goals


def _goal(what: str, wanted: float, found: float, *, at_least: bool) -> list[str]:
    met = found >= wanted if at_least else found <= wanted
    return [what, f"{'≥' if at_least else '≤'} {wanted:g}", f"{found:.2f}", "met" if met else "**missed**"]


STRANGLER, RELADIFF = "strangler", "reladiff"
Found = dict[str, dict[str, list[Measured]]]
"""Case to program to its rounds."""


@dataclass(frozen=True)
class Kept:
    """Databases that go on running between two measurements: where they are, their rows, what was measured."""

    maria: Place
    postgres: Place
    rows: int
    found: Found

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Kept:
        known = json.loads(path.read_text())
        found = {
            case: {name: [_measured(one) for one in rounds] for name, rounds in programs.items()}
            for case, programs in known["found"].items()
        }
        return cls(Place(**known["maria"]), Place(**known["postgres"]), known["rows"], found)


def _measured(known: dict[str, Any]) -> Measured:
    return Measured(known["seconds"], known["found"], Load(**known["load"]))


def serve(rows: int, path: Path) -> int:
    """Keep both databases until this is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with mariadb() as maria, postgresql() as postgres:
        kept = Kept(Place.of(maria), Place.of(postgres), rows, {})
        fill(kept.maria, kept.postgres, rows)
        kept.write(path)
        print(f"{rows:,} rows; measure them with --use {path}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


def measure(kept: Kept, wanted: Sequence[Case], rounds: int, reladiff: str) -> None:
    """Add what each program takes for these cases to `kept.found`."""
    programs: dict[str, Program] = {STRANGLER: lambda: ours(kept.maria, kept.postgres)}
    if reladiff:
        programs[RELADIFF] = lambda: theirs(reladiff, kept.maria, kept.postgres)
    with contextlib.closing(written_to(kept.postgres)) as right:
        for case in wanted:
            right.execute("BEGIN; UPDATE t SET total = total + 0.01 WHERE " + case.where + "; COMMIT")
            taken = kept.found[case.name] = {name: [] for name in programs}
            for _ in range(rounds):
                for name, program in programs.items():
                    taken[name].append(measured(program, kept.maria, kept.postgres))
            for name, each in taken.items():
                print(" | ".join(row(case, name, each)), flush=True)
            right.execute("BEGIN; UPDATE t SET total = total - 0.01 WHERE " + case.where + "; COMMIT")
            right.execute("VACUUM t")


def told(kept: Kept, arguments: Sequence[str]) -> tuple[str, bool]:
    """Return the tables, and whether every goal was reached and everything was found."""
    rows = [
        row(case, name, rounds) for case in cases(kept.rows) for name, rounds in kept.found.get(case.name, {}).items()
    ]
    goals = judged(kept.found)
    how = machine.about(arguments).replace("bench", "bench.data", 1)
    parts = [f"## {kept.rows:,} rows of both databases\n\n{how}", ABOUT, grid(HEAD, rows)]
    text = machine.anonymous("\n\n".join([*parts, grid(["goal", "wanted", "found", ""], goals)]))
    return text, all(line[-1] == "met" for line in goals) and "wrong" not in str(rows)


def main(arguments: Sequence[str]) -> int:
    """Print the tables; 0 when the goals are reached and everything was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--case", type=int, help="one of the four cases, from 0")
    parser.add_argument("--reladiff", default="", metavar="PROGRAM")
    parser.add_argument("--serve", type=Path, metavar="FILE", help="keep the databases running, written down in FILE")
    parser.add_argument("--use", type=Path, metavar="FILE", help="measure these databases")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    asked = parser.parse_args(arguments)
    if asked.serve:
        return serve(asked.rows, asked.serve)
    with contextlib.ExitStack() as stack:
        if asked.use:
            kept = Kept.read(asked.use)
        else:
            servers = stack.enter_context(mariadb()), stack.enter_context(postgresql())
            kept = Kept(Place.of(servers[0]), Place.of(servers[1]), asked.rows, {})
            fill(kept.maria, kept.postgres, asked.rows)
        every = list(cases(kept.rows))
        if asked.rounds:  # none: what was measured before is written down
            measure(kept, every if asked.case is None else [every[asked.case]], asked.rounds, asked.reladiff)
    if asked.use:
        kept.write(asked.use)
    text, good = told(kept, ["PROGRAM" if word == asked.reladiff else word for word in arguments])
    print(text)
    if asked.write:
        results.write("data", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
