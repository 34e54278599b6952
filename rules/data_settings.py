"""The `data:` section: two databases, the tables and checks that must hold the same."""

from __future__ import annotations

from dataclasses import dataclass

LEGACY_DATA = "legacy"
MODERN_DATA = "modern"
STATE_FILE = ".strangler-data.sqlite"
"""Beside the configuration, where the store forgets: what verifying came to."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """One database. `password_env` names the variable with its password; `timezone` is that of its naive times."""

    url: str
    password_env: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class DataLimits:
    """How much load the databases may get; times in seconds, 0 is unlimited.

    `load`: statements that a side may be executing for others while it is read.
    """

    rows_per_query: int = 50_000
    queries: int = 2
    statement_timeout: float = 10.0
    rows_per_second: int = 20_000
    replica_lag: float = 30.0
    load: int = 25


@dataclass(frozen=True, slots=True)
class Conversion:
    """How legacy's value is converted before it is compared: `operator` (one of `* / + -`) and an exact number."""

    operator: str
    operand: str


@dataclass(frozen=True, slots=True)
class DataColumn:
    """One compared column: the common name (modern's by default) and the name on each side."""

    name: str
    legacy: str
    modern: str
    convert: Conversion | None = None


@dataclass(frozen=True, slots=True)
class TableSide:
    """Where one side stores the rows: the table, its unique key, a condition in that database's own SQL."""

    table: str
    key: tuple[str, ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """A figure per group that both sides must agree on exactly: a sum of `column`, or a count of rows (None)."""

    column: str | None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class DataTable:
    """One table that both sides hold. `settle` is in seconds; `equivalent` are rules that are off by default."""

    name: str
    legacy: TableSide
    modern: TableSide
    columns: tuple[DataColumn, ...]
    ignore: tuple[str, ...] = ()
    changed: DataColumn | None = None
    totals: tuple[Total, ...] = ()
    settle: float = 2.0
    routes: tuple[str, ...] = ()
    equivalent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataCheck:
    """One figure queried on both databases, each by one SELECT of its own; `every` and `settle` in seconds.

    `equal` is exact or rounded (to the cent), `on_violation` observe or rollback.
    """

    name: str
    legacy: str
    modern: str
    equal: str = "exact"
    every: float = 300.0
    on_violation: str = "observe"
    routes: tuple[str, ...] = ()
    settle: float = 2.0


@dataclass(frozen=True, slots=True)
class DataSettings:
    """The whole section. `every`, `full_every`, `max_age` in seconds; 0 means only by hand (or never too old)."""

    legacy: DataSource
    modern: DataSource
    limits: DataLimits = DataLimits()
    tables: tuple[DataTable, ...] = ()
    checks: tuple[DataCheck, ...] = ()
    every: float = 0.0
    full_every: float = 86_400.0
    max_age: float = 3600.0


@dataclass(frozen=True, slots=True)
class DataOrders:
    """What the process that verifies is sent: the section, which fields are redacted, where results are kept.

    `store` is as the file in `folder` names it. One instance of a fleet `leads`: it asks the databases, the others
    read what it found.
    """

    settings: DataSettings
    redact: tuple[str, ...]
    store: str
    folder: str
    leads: bool = True
