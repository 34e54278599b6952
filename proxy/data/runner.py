"""One run over tables and checks: opens both databases, verifies one table after the other, keeps what is done.

A table's place (the last key done, the result so far) is kept after each chunk, so that a full run that was stopped or
cut off goes on behind it. A run that went through forgets its place. A table that cannot be verified fails alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from proxy.data import row_reading as reading
from proxy.data.checks import CheckResult, run_check
from proxy.data.database import Database, DatabaseError
from proxy.data.pace import Paused, SteadyPace
from proxy.data.results import TableResult, table_result
from proxy.data.row_settling import Redact
from proxy.data.run_state import RunState
from proxy.data.table_plan import SidePlan, TablePlan, plan_table
from proxy.data.verify import Progress, TableRun
from rules.data_settings import LEGACY_DATA, MODERN_DATA, DataSettings, DataTable


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is about: these tables (none named: all), rows changed since an epoch time (None: every row)."""

    tables: tuple[str, ...] = ()
    since: float | None = None


@dataclass(frozen=True, slots=True)
class TableFailure:
    """A table that could not be verified: one sentence for an operator, and whether a database was not reached."""

    table: str
    reason: str
    unreachable: bool


class UnknownTableError(DatabaseError):
    """The file has no such table."""


@contextmanager
def opened(settings: DataSettings, environ: Mapping[str, str]) -> Iterator[tuple[Database, Database]]:
    """Open both databases for a run, close them after it."""
    legacy = Database(LEGACY_DATA, settings.legacy, settings.limits, environ)
    try:
        modern = Database(MODERN_DATA, settings.modern, settings.limits, environ)
        try:
            yield legacy, modern
        finally:
            modern.close()
    finally:
        legacy.close()


class Runner:
    """Verifies tables and runs checks; `stop` ends it between two queries. It changes nothing of its own."""

    def __init__(
        self,
        settings: DataSettings,
        databases: tuple[Database, Database],
        now: Callable[[], float],
        stop: threading.Event,
        progress: Progress,
        redact: Redact,
        state: RunState | None = None,
        paused: Paused = lambda _reason: None,
    ) -> None:
        self._settings = settings
        self._databases = databases
        self._now = now
        self._progress = progress
        self._redact = redact
        self._state = state
        self._pace = SteadyPace(settings.limits, databases, now, stop, paused)

    def warnings(self) -> list[str]:
        """Return what an operator should know: users that may do more than read, limits that cannot be kept."""
        able = [one for one in self._databases if one.may_write()]
        return [
            f"{one.side}: the user of {one.place} may do more than SELECT; one that only reads is enough"
            for one in able
        ] + self._pace.unseen()

    def tables(self, wanted: Wanted) -> Iterator[TableResult | TableFailure]:
        """Yield each table's outcome as it is done; StoppedError when the run is to end."""
        many = 2 * max(self._settings.limits.queries, 1)
        with ThreadPoolExecutor(max_workers=many, thread_name_prefix="verify-data") as threads:
            for table in chosen(self._settings, wanted.tables):
                try:
                    yield self._verified(table, wanted, threads)
                except DatabaseError as error:
                    yield TableFailure(table.name, str(error), error.unreachable)

    def checks(self, names: Sequence[str] = ()) -> Iterator[CheckResult]:
        """Yield the result of each check, or of these."""
        for check in self._settings.checks:
            if names and check.name not in names:
                continue
            result = run_check(check, self._databases, self._pace.settle, self._settings.limits.replica_lag)
            yield result.redacted(self._redact, check)

    def _verified(self, table: DataTable, wanted: Wanted, threads: ThreadPoolExecutor) -> TableResult:
        began = self._now()
        plan = plan_table(table, *self._databases)
        for side, database in zip((plan.legacy, plan.modern), self._databases, strict=True):
            refuse_bad_key(plan, side, database)
        since = wanted.since if table.changed is not None else None
        kept = self._state.place(table, self._now()) if self._state is not None and since is None else None
        result = TableResult(table.name) if kept is None else table_result(kept.result)
        run = TableRun(
            plan, self._databases, self._settings.limits, self._pace, threads, self._kept(table, since), result,
            self._redact, since,
        )  # fmt: skip
        if kept is not None:
            result.note(f"an earlier run ended at key {kept.last}; this one went on behind it")
        found = run.all_rows(None if kept is None else kept.last)
        for note in self._pace.notes():
            found.note(note)
        if self._state is not None:
            if since is None:
                self._state.forget(table)
            self._state.finished(table, found.document(), began, self._now())
        return found

    def _kept(self, table: DataTable, since: float | None) -> Progress:
        def report(result: TableResult, last: int | None, share: float) -> None:
            if self._state is not None and since is None and last is not None:
                self._state.keep(table, last, result.document(), self._now())
            self._progress(result, last, share)

        return report


def refuse_bad_key(plan: TablePlan, side: SidePlan, database: Database) -> None:
    """Raise DatabaseError for a key that names no row, or more than one, where the database does not rule it out."""
    name = f"{plan.table.name}: {database.side}'s key ({', '.join(side.key)})"
    if side.nullable and (many := reading.rows_without_key(side, database, side.nullable)):
        columns = [column.strip('`"') for column in side.nullable]
        without = " and ".join(f"{column} is not null" for column in columns)
        hint = f'leave them out with `where: "{without}"`'
        raise DatabaseError(f"{name} is null in {many:,} rows: {hint}")
    if side.unproven and (found := reading.repeated_key(side, database)) is not None:
        *key, rows = found
        raise DatabaseError(f"{name} is not unique: {rows} rows have {', '.join(map(str, key))}")


def chosen(settings: DataSettings, names: Sequence[str]) -> list[DataTable]:
    """Return the tables of these names, all for none; UnknownTableError lists those there are."""
    known = {table.name: table for table in settings.tables}
    for name in names:
        if name not in known:
            raise UnknownTableError(f"no table `{name}` under `data.tables`; there are {', '.join(known) or 'none'}")
    return [known[name] for name in names] if names else list(settings.tables)
