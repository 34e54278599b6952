"""One database, opened to read: sessions that cannot write, statements that end in time, what its tables look like."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy
from sqlalchemy import event, exc
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from proxy.data.column_types import TableShape, column_type
from proxy.data.sqlite_functions import Digest, Sum, hash60, md5_of
from proxy.settings import EXIT_UNREACHABLE, EXIT_USAGE, ProxyError
from rules.data_settings import DataLimits, DataSource, TableSide

MYSQL, POSTGRESQL, SQLITE = "mysql", "postgresql", "sqlite"
_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "sqlite": "sqlite",
}
_CONNECT_WITHIN = 5
_LONGEST_GROUP = 1 << 26
"""Bytes of the rows that MySQL digests together; what is longer is cut, with a warning."""
_CUT_OFF = frozenset({1040, 1053, 1077, 1079, 1927, 2002, 2003, 2005, 2006, 2013})
"""MySQL's numbers for a server that is full, ends, or is not there."""
_REFUSED = ("denied", "authentication failed", "does not exist", "Unknown database", "no password supplied")
_RUNNING = (
    "SELECT count(*) FILTER (WHERE state IN ('active', 'fastpath function call')),"
    " count(*) FILTER (WHERE state IS NULL OR state = 'disabled')"
    " FROM pg_stat_activity WHERE coalesce(backend_type, 'client backend') = 'client backend' AND datid IS NOT NULL"
    " AND usesysid IS NOT NULL"
)
"""Of another user's session a reader sees neither its state nor its kind; a server's own processes have no user."""
_UNSEEN = (
    "{side}: what other users execute cannot be seen, so their `load` is not waited for: grant pg_read_all_stats to "
    "the user, or write `load: 0`"
)
_WRITING = ("INSERT", "UPDATE", "DELETE", "ALL PRIVILEGES", "DROP", "ALTER")


class DatabaseError(ProxyError):
    """A database did not answer as it must; `exit_code` is whether it was reached."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.exit_code = EXIT_UNREACHABLE if unreachable else EXIT_USAGE
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Running:
    """How many statements a server executes, this process's own included; `unseen` is why others are not counted."""

    statements: int = 0
    unseen: str = ""


Fetched = tuple[list[tuple[Any, ...]], int]
"""The rows of one SELECT, and how often MySQL warned of it."""


class CutOffError(DatabaseError):
    """A connection broke while it was in use."""


class Database:
    """One side's database. Its connections change as they break; `rows_read` and `asking` (queries under way) count.

    Databases of one `server` share its processors.
    Every call may raise `DatabaseError`, with one sentence for an operator.
    """

    def __init__(self, side: str, source: DataSource, limits: DataLimits, environ: Mapping[str, str]) -> None:
        self.side = side
        self.zone = source.timezone
        self.dialect = MYSQL if source.url.startswith(("mysql", "mariadb")) else source.url.partition(":")[0]
        self._limits = limits
        self.place = _without_user(source.url)
        self.server = self.place if self.dialect == SQLITE else urlsplit(source.url).netloc.rpartition("@")[2]
        self._engine = _engine(source, self.dialect, limits, environ)
        self._quote = self._engine.dialect.identifier_preparer.quote_identifier
        self._lock = threading.Lock()
        self.rows_read = 0
        self.asking = 0
        self._closed = False
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "checkin", self._returned)

    def close(self) -> None:
        """Close every connection; one in use is closed when its query ends."""
        self._closed = True
        self._engine.dispose()

    def _returned(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """Close what comes back late: the pool that it belongs to is not the engine's any more."""
        if self._closed:
            record.invalidate()

    def quoted(self, name: str) -> str:
        """Return a column or table name as this database writes it; `schema.table` keeps its parts."""
        return ".".join(self._quote(part) for part in name.split("."))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of one SELECT; one whose connection breaks is sent once more, over another."""
        return self._read(sql, parameters)[0]

    def rows_unless_warned(self, sql: str) -> list[tuple[Any, ...]] | None:
        """Return all rows of one SELECT; None where MySQL warns of it: a text may have been cut."""
        found, warnings = self._read(sql)
        return None if warnings else found

    def _read(self, sql: str, parameters: Sequence[Any] = ()) -> Fetched:
        try:
            found = self._fetched(sql, parameters)
        except CutOffError:
            found = self._fetched(sql, parameters)
        with self._lock:
            self.rows_read += len(found[0])
        return found

    def _fetched(self, sql: str, parameters: Sequence[Any]) -> Fetched:
        with self._asking() as connection, self._counted():
            cursor = connection.exec_driver_sql(self._marked(sql), tuple(parameters)).cursor
            # the driver's tuples as they are: there may be a million
            return list(cursor.fetchall()), getattr(cursor, "warning_count", 0)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the one value of one SELECT; None for no row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def tables(self) -> list[str]:
        """Return the names of its tables, in order."""
        with self._asking() as connection:
            return sorted(sqlalchemy.inspect(connection).get_table_names())

    def shape(self, side: TableSide) -> TableShape:
        """Return what the table of `side` looks like."""
        schema, _, table = side.table.rpartition(".")
        with self._asking() as connection:
            inspector = sqlalchemy.inspect(connection)
            unique: list[Sequence[str | None]] = []
            try:
                columns = inspector.get_columns(table, schema or None)
                charset = _charset(inspector, table, schema) if self.dialect == MYSQL else ""
                unique += [one["column_names"] for one in inspector.get_unique_constraints(table, schema or None)]
                unique += [one["column_names"] for one in inspector.get_indexes(table, schema or None) if one["unique"]]
                primary = inspector.get_pk_constraint(table, schema or None)["constrained_columns"]
            except exc.NoSuchTableError:
                known = ", ".join(inspector.get_table_names(schema or None)[:20]) or "none"
                raise DatabaseError(f"{self.side}: no table `{side.table}` in {self.place}; it has {known}") from None
        named = {
            one["name"]: column_type(one["name"], one["type"], nullable=bool(one["nullable"]), charset=charset)
            for one in columns
        }
        sets = frozenset(frozenset(filter(None, one)) for one in (*unique, primary) if one)
        return TableShape(named, sets, tuple(primary))

    def replica_lag(self) -> float:
        """Return seconds this database is behind its source; 0 where it has none."""
        if self.dialect == POSTGRESQL:
            lag = self.value(
                "SELECT CASE WHEN pg_is_in_recovery() THEN"
                " extract(epoch from now() - pg_last_xact_replay_timestamp()) ELSE 0 END"
            )
            return float(lag or 0)
        if self.dialect != MYSQL:
            return 0.0
        with (
            contextlib.suppress(DatabaseError),
            self._asking() as connection,
        ):  # needs a privilege that a reader may lack
            found = connection.exec_driver_sql("SHOW SLAVE STATUS").mappings().first()
            if found is not None:
                behind = found.get("Seconds_Behind_Master")
                return float("inf") if behind is None else float(behind)
        return 0.0

    def running(self) -> Running:
        """Return how many statements this database's server executes, ours among them."""
        if self.dialect == SQLITE:
            return Running()
        try:
            if self.dialect == MYSQL:
                return Running(int(self._fetched("SHOW GLOBAL STATUS LIKE 'Threads_running'", ())[0][0][1]))
            active, unseen = self._fetched(_RUNNING, ())[0][0]
        except DatabaseError as error:
            if error.unreachable:
                raise
            return Running(unseen=str(error))
        return Running(int(active), _UNSEEN.format(side=self.side) if unseen else "")

    def may_write(self) -> bool:
        """Whether the user of this database may do more than read."""
        if self.dialect == MYSQL:
            grants = " ".join(str(row[0]).upper() for row in self.rows("SHOW GRANTS"))
            return any(word in grants for word in _WRITING)
        if self.dialect == POSTGRESQL:
            return bool(
                self.value(
                    "SELECT EXISTS (SELECT FROM information_schema.table_privileges WHERE grantee = current_user"
                    " AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE'))"
                    " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
                )
            )
        return False

    # ── connections ────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.asking += 1
        try:
            yield
        finally:
            with self._lock:
                self.asking -= 1

    @contextlib.contextmanager
    def _asking(self) -> Iterator[sqlalchemy.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise self._explained(error) from error
        except exc.TimeoutError:
            raise DatabaseError(f"{self.side}: no connection to {self.place} came free", unreachable=True) from None

    def _explained(self, error: exc.DBAPIError) -> DatabaseError:
        cause = _sentence(error)
        if "timeout" in cause or "max_statement_time" in cause or "interrupted" in cause:
            limit = f"{self._limits.statement_timeout:g} s"
            return DatabaseError(f"{self.side}: a query took longer than `statement_timeout` ({limit}): {cause}")
        told = f"{self.side}: {self.place}: {cause}"
        if error.connection_invalidated:
            return CutOffError(told, unreachable=True)
        return DatabaseError(told, unreachable=_is_cut_off(error, cause))

    def _marked(self, sql: str) -> str:
        return sql if self.dialect == SQLITE else sql.replace("%", "%%").replace("?", "%s")

    def _prepare(self, connection: Any, _record: Any) -> None:
        if self.dialect == SQLITE:
            connection.create_function("strangler_hash", 1, hash60, deterministic=True)
            connection.create_function("strangler_md5", 1, md5_of, deterministic=True)
            connection.create_aggregate("strangler_sum", 1, Sum)
            connection.create_aggregate("strangler_digest", 1, Digest)
            connection.execute("PRAGMA query_only = 1")
            return
        milliseconds = int(self._limits.statement_timeout * 1000)
        with connection.cursor() as cursor:
            for statement in _session(self.dialect, cursor, milliseconds):
                cursor.execute(statement)
        connection.commit()


def _session(dialect: str, cursor: Any, milliseconds: int) -> list[str]:
    """Return what makes a session read only, bounded in time, in UTC."""
    if dialect == POSTGRESQL:
        return [
            "SET default_transaction_read_only = on",
            f"SET statement_timeout = {milliseconds}",
            "SET lock_timeout = '1s'",
            "SET timezone = 'UTC'",
            "SET datestyle = 'ISO'",
            "SET extra_float_digits = 1",
            # compiling what is asked for one chunk takes longer than asking it; older servers have no such setting
            "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'",
        ]
    cursor.execute("SELECT version()")
    maria = "maria" in str(cursor.fetchone()[0]).lower()
    limit = f"max_statement_time = {milliseconds / 1000:g}" if maria else f"max_execution_time = {milliseconds}"
    return [
        "SET SESSION TRANSACTION READ ONLY",
        f"SET SESSION {limit}",
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION lock_wait_timeout = 1",
        f"SET SESSION group_concat_max_len = {_LONGEST_GROUP}",
    ]


def _engine(source: DataSource, dialect: str, limits: DataLimits, environ: Mapping[str, str]) -> sqlalchemy.Engine:
    scheme, _, rest = source.url.partition(":")
    if dialect == SQLITE:
        path = rest.removeprefix("//")
        return sqlalchemy.create_engine(
            f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=QueuePool, pool_size=max(limits.queries, 1),
            connect_args={"check_same_thread": False},
        )  # fmt: skip
    url = sqlalchemy.engine.make_url(f"{_DRIVERS[scheme]}:{rest}")
    if source.password_env:
        if source.password_env not in environ:
            raise DatabaseError(f"{source.password_env} is not set: the password of {_without_user(source.url)}")
        url = url.set(password=environ[source.password_env])
    return sqlalchemy.create_engine(
        url, poolclass=QueuePool, pool_size=max(limits.queries, 1) + 1, max_overflow=0, pool_timeout=60,
        pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_WITHIN},
        isolation_level="REPEATABLE READ" if dialect == MYSQL else None,
    )  # fmt: skip


def _charset(inspector: sqlalchemy.Inspector, table: str, schema: str) -> str:
    """Return the character set of a table's texts; empty where the database does not say."""
    options = inspector.get_table_options(table, schema or None)
    return next((str(value) for name, value in options.items() if name.endswith("default charset")), "")


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}{parts.path}" if parts.hostname else url


def _is_cut_off(error: exc.DBAPIError, cause: str) -> bool:
    """Whether trying again may help: the database was not there, or went away."""
    if not isinstance(error, exc.OperationalError) or any(words in cause for words in _REFUSED):
        return False
    state = getattr(error.orig, "sqlstate", "")
    if state is None or str(state).startswith(("08", "57P")):
        return True
    code = next(iter(getattr(error.orig, "args", ())), None)
    return code in _CUT_OFF


def _sentence(error: exc.DBAPIError) -> str:
    """Return the driver's own words on one line, without its numbers and positions."""
    code, *words = getattr(error.orig, "args", ()) or (error.orig,)
    text = str(words[0] if words else code)
    return " ".join(text.split())[:300]
