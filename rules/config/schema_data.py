"""The `data:` section as operators write it: both databases, tables, checks, limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from rules.config import types as t
from rules.config.schema_compare import Section, TimeZone
from rules.config.units import UnitError, did_you_mean
from rules.data_settings import Conversion

SCHEMES = ("mysql", "mariadb", "postgresql", "sqlite")
_SQL_NAME = re.compile(r"[^\x00-\x1f`\"\[\];]{1,128}")
_CONVERT = re.compile(r"\s*([*/+-])\s*([0-9]+(?:\.[0-9]+)?)\s*")
_SECRET_PARAMETERS = frozenset({"password", "passwd", "sslpassword"})


def _url(value: str) -> str:
    scheme, colon, rest = value.partition(":")
    if scheme not in SCHEMES or not colon or not rest:
        hint = did_you_mean(scheme, SCHEMES) or "mysql://, mariadb://, postgresql:// or sqlite:PATH"
        raise UnitError(f"`{scheme}` is not a database that can be read", hint)
    if scheme == "sqlite":
        return value
    parts = urlsplit(value)
    if parts.password or _SECRET_PARAMETERS & {name for name, _ in parse_qsl(parts.query)}:
        raise UnitError("a password does not belong in the file", "name its variable: `password_env: NAME`")
    if not parts.hostname or len(parts.path) < 2:  # noqa: PLR2004 - a slash and a name
        raise UnitError("a database is written with host and name", f"{scheme}://user@127.0.0.1/name")
    return value


def _sql_name(value: str) -> str:
    if _SQL_NAME.fullmatch(value):
        return value
    raise UnitError(f"`{value}` is not the name of a table or column")


def _conversion(value: object) -> Conversion:
    if isinstance(value, Conversion):
        return value
    found = _CONVERT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise UnitError(f"`{value}` is not a conversion", "one of * / + - and a number, such as `/ 100`")
    if Decimal(found[2]) == 0 and found[1] in "*/":
        raise UnitError("a value times or by 0 says nothing of legacy's")
    return Conversion(found[1], found[2])


def _select(value: str) -> str:
    """Check that a check's text is one SELECT."""
    text = value.strip().rstrip(";").strip()
    if not re.match(r"(?i)(?:select|with)\b", text):
        raise UnitError("a check is one SELECT")
    if ";" in re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`", "", text):
        raise UnitError("a check is one SELECT; another statement follows here")
    if re.search(r"(?i)\bfor\s+(?:update|share)\b|\binto\s+(?:outfile|dumpfile|@)|\block\s+in\s+share", text):
        raise UnitError("a check reads: no locks, no files")
    return text


def _keys(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SqlName = Annotated[str, AfterValidator(_sql_name)]
DatabaseUrl = Annotated[str, AfterValidator(_url)]
Convert = Annotated[
    Conversion, BeforeValidator(_conversion), WithJsonSchema({"type": "string", "pattern": r"^ *[*/+-] *[0-9.]+ *$"})
]
Select = Annotated[str, AfterValidator(_select)]
Rule = Literal["empty_null", "zero_date"]


class Source(Section):
    """One database."""

    url: DatabaseUrl
    password_env: t.Variable | None = None
    timezone: TimeZone = "UTC"


class DataLimits(Section):
    """How much load the databases may get."""

    rows_per_query: t.Count = 50_000
    queries: t.Count = 2
    statement_timeout: t.Time = 10.0
    rows_per_second: t.Count = 20_000
    replica_lag: t.Time = 30.0
    load: t.Count = 25


class TableSide(Section):
    """Where one side stores the rows."""

    table: SqlName
    key: Annotated[list[SqlName], BeforeValidator(_keys), Field(min_length=1)] = Field(default=["id"])
    where: Annotated[str, Field(min_length=1)] | None = None


class Column(Section):
    """One compared column."""

    name: SqlName
    legacy: SqlName | None = None
    modern: SqlName | None = None
    convert: Convert | None = None


class Total(Section):
    """A total that is the same on both sides."""

    sum: SqlName | None = None
    count: t.On | None = None
    by: SqlName | None = None


class Table(Section):
    """One table that both sides hold."""

    name: t.Name
    legacy: Annotated[TableSide, t.Short("table")]
    modern: Annotated[TableSide, t.Short("table")]
    columns: list[Annotated[Column, t.Short("name")]] = Field(min_length=1)
    ignore: list[SqlName] = Field(default_factory=list)
    changed: Annotated[Column, t.Short("name")] | None = None
    totals: list[Total] = Field(default_factory=list)
    settle: t.Time = 2.0
    routes: list[t.Name] = Field(default_factory=list)
    equivalent: list[Rule] = Field(default_factory=list)


class Check(Section):
    """One figure queried on both sides."""

    name: t.Name
    legacy: Select
    modern: Select
    equal: Literal["exact", "rounded"] = "exact"
    every: t.Time = 300.0
    on_violation: Literal["observe", "rollback"] = "observe"
    routes: list[t.Name] = Field(default_factory=list)
    settle: t.Time = 2.0


class Data(Section):
    """The verification of both databases."""

    legacy: Source | None = None
    modern: Source | None = None
    limits: DataLimits = DataLimits()
    tables: list[Table] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    every: t.Time = 0.0
    full_every: t.Time = 86_400.0
    max_age: t.Time = 3600.0
