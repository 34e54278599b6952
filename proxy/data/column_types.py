"""What a column holds, by the type that its database declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comparators import row_values as kinds


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column as the database declares it: the kind of its values, decimals kept, what pads or generates it.

    `fractions`: times are written with fractions of a second, of MySQL's types those that are declared so.
    `charset` is that of MySQL's texts; `octets` are the most that a text or binary takes, None where none is declared.
    """

    name: str
    kind: str
    declared: str
    scale: int | None = None
    zoned: bool = False
    padded: bool = False
    nullable: bool = False
    fractions: bool = False
    charset: str = ""
    octets: int | None = None

    @property
    def single(self) -> bool:
        """Whether it holds floats of 32 bits: MySQL's FLOAT, PostgreSQL's REAL; SQLite has none."""
        return self.kind == kinds.FLOAT and self.declared.startswith(("FLOAT", "REAL"))


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's columns by name, the sets of columns that are unique, the primary key's."""

    columns: Mapping[str, ColumnType]
    unique: frozenset[frozenset[str]]
    primary: tuple[str, ...] = ()


def column_type(name: str, declared: Any, *, nullable: bool = False, charset: str = "") -> ColumnType:
    """Return what a declared type (SQLAlchemy's) holds; `charset` is that of the table."""
    text = str(declared).upper()
    kind, zoned = _kind(text), "TIMESTAMPTZ" in text or bool(getattr(declared, "timezone", False))
    if text.startswith("TIMESTAMP") and type(declared).__module__.endswith("mysql.types"):
        zoned = True
    padded = text.startswith(("CHAR", "BINARY", "NCHAR", "BPCHAR"))
    scale, fractions = getattr(declared, "scale", None), bool(getattr(declared, "fsp", 0))
    own = getattr(declared, "charset", None) or (getattr(declared, "collation", None) or charset).partition("_")[0]
    octets = _octets(declared) if kind in {kinds.TEXT, kinds.BINARY} else None
    return ColumnType(name, kind, text, scale, zoned, padded, nullable, fractions, own, octets)


def _octets(declared: Any) -> int | None:
    """Return four for each declared character or byte; PostgreSQL's and MySQL's longest types declare none."""
    length = getattr(declared, "length", None)
    return None if length is None else 4 * int(length)


_KINDS: tuple[tuple[str, str], ...] = (
    ("BOOL", kinds.BOOLEAN),
    ("BIT", kinds.BINARY),
    ("UUID", kinds.UUIDS),
    ("JSON", kinds.JSON),
    ("TINYINT", kinds.INTEGER),
    ("SMALLINT", kinds.INTEGER),
    ("MEDIUMINT", kinds.INTEGER),
    ("BIGINT", kinds.INTEGER),
    ("INTEGER", kinds.INTEGER),
    ("INTERVAL", kinds.OTHER),
    ("INT", kinds.INTEGER),
    ("YEAR", kinds.INTEGER),
    ("DECIMAL", kinds.DECIMAL),
    ("NUMERIC", kinds.DECIMAL),
    ("MONEY", kinds.DECIMAL),
    ("FLOAT", kinds.FLOAT),
    ("DOUBLE", kinds.FLOAT),
    ("REAL", kinds.FLOAT),
    ("DATETIME", kinds.DATETIME),
    ("TIMESTAMP", kinds.DATETIME),
    ("DATE", kinds.DATE),
    ("TIME", kinds.TIME),
    ("BYTEA", kinds.BINARY),
    ("VARBINARY", kinds.BINARY),
    ("BINARY", kinds.BINARY),
    ("BLOB", kinds.BINARY),
    ("TINYBLOB", kinds.BINARY),
    ("MEDIUMBLOB", kinds.BINARY),
    ("LONGBLOB", kinds.BINARY),
    ("ENUM", kinds.TEXT),
    ("SET", kinds.TEXT),
    ("CHAR", kinds.TEXT),
    ("VARCHAR", kinds.TEXT),
    ("NVARCHAR", kinds.TEXT),
    ("NCHAR", kinds.TEXT),
    ("BPCHAR", kinds.TEXT),
    ("CITEXT", kinds.TEXT),
    ("TEXT", kinds.TEXT),
    ("TINYTEXT", kinds.TEXT),
    ("MEDIUMTEXT", kinds.TEXT),
    ("LONGTEXT", kinds.TEXT),
)


def _kind(declared: str) -> str:
    if declared.endswith("]"):
        return kinds.OTHER  # a list of values
    return next((kind for prefix, kind in _KINDS if declared.startswith(prefix)), kinds.OTHER)
