"""Writes both sides' values as one text inside their databases, so that checksums over them can be compared.

The text is the same on both sides exactly where `comparators.row_values` holds the values to be the same. A pair of
columns for which that cannot be had (documents, doubles, times in two zones of which none can be converted) gets no
text: it is fetched and compared here. Multiplying and adding are exact in every database, dividing is not: a
conversion that divides legacy's value multiplies modern's instead.

Every value is written once, in the cheapest way that both have: a checksum of a million rows is a million times this.
Two texts that differ though their values mean the same cost the reading of that row, never a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from comparators import row_values as kinds
from comparators.row_values import ValuePair
from proxy.data.column_types import ColumnType
from proxy.data.database import MYSQL, POSTGRESQL, SQLITE

_SCALE = 10
"""Decimals that MySQL keeps of a number whose own scale is not declared."""
_MOST_SCALE = 30
_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii"})
"""MySQL's character sets whose bytes are UTF-8's."""
LONG = 4096
"""Bytes of texts and binaries above which a row stands as its MD5 in a group: what is held at once is bounded."""
_INVERSE = {"/": "*", "-": "+"}


@dataclass(frozen=True, slots=True)
class SideColumn:
    """One side's column, quoted, with its type and the dialect it is asked in."""

    sql: str
    type: ColumnType
    dialect: str


class Written(NamedTuple):
    """Both sides' expressions for one column. `bounded`: neither can write a `|`, or a lone `-`.

    `short`: neither is longer than a number or a time; `octets` are the most that each side writes, None for any.
    """

    legacy: str
    modern: str
    bounded: bool
    short: bool = True
    octets: tuple[int | None, int | None] = (None, None)

    def by(self, index: int) -> str:
        """Return legacy's expression for 0, modern's for 1."""
        return self.modern if index else self.legacy


def canonical(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> Written | None:
    """Return how both sides write a column; None where the databases cannot write the same text."""
    texts = _texts(legacy, modern, pair)
    sides = (legacy, modern)
    # whatever SQLite's column is declared as, it may hold any text
    bounded = not any(one.type.kind == kinds.TEXT or one.dialect == SQLITE for one in sides)
    short = bounded and not any(one.type.kind == kinds.BINARY for one in sides)
    return None if texts is None else Written(*texts, bounded, short, (legacy.type.octets, modern.type.octets))


def _texts(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> tuple[str, str] | None:
    if pair.operator or (legacy.type.kind in kinds.NUMBERS and modern.type.kind in kinds.NUMBERS):
        return _numbers(legacy, modern, pair)
    if legacy.type.kind == kinds.TEXT and modern.type.kind == kinds.TEXT:
        return _both_texts(legacy, modern, pair)
    writer = _WRITERS.get((legacy.type.kind, modern.type.kind))
    return None if writer is None else writer(legacy, modern, pair)


def _numbers(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> tuple[str, str] | None:
    sides = (legacy, modern)
    if any(one.type.kind == kinds.FLOAT or one.type.kind not in kinds.NUMBERS for one in sides):
        return None
    if any(one.dialect == SQLITE and one.type.kind == kinds.DECIMAL for one in sides):
        return None  # SQLite keeps decimals as doubles
    left, right = legacy.sql, modern.sql
    if pair.operator in _INVERSE:
        right = f"({right} {_INVERSE[pair.operator]} {pair.operand})"
    elif pair.operator:
        left = f"({left} {pair.operator} {pair.operand})"
    if not pair.operator and all(one.type.kind == kinds.INTEGER for one in sides):
        return _plain(left, legacy.dialect), _plain(right, modern.dialect)
    if not pair.operator and legacy.type.scale is not None and legacy.type.scale == modern.type.scale:
        return _plain(left, legacy.dialect), _plain(right, modern.dialect)  # as many decimals on both sides
    scale = min(max(_scale(legacy), _scale(modern)) + len(pair.operand.partition(".")[2]), _MOST_SCALE)
    return _decimal(left, legacy.dialect, scale), _decimal(right, modern.dialect, scale)


def _scale(side: SideColumn) -> int:
    if side.type.kind == kinds.INTEGER:
        return 1
    return _SCALE if side.type.scale is None else max(side.type.scale, 1)


def _decimal(sql: str, dialect: str, scale: int) -> str:
    """Write a number without trailing zeros; PostgreSQL keeps all its digits, MySQL `scale` of them."""
    if dialect == POSTGRESQL:
        return f"trim_scale(({sql})::numeric)::text"
    if dialect == SQLITE:
        return _text(sql, dialect)
    whole = f"CAST(CAST({sql} AS DECIMAL(65,{scale})) AS CHAR)"
    return f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {whole}))"


def _text(sql: str, dialect: str) -> str:
    if dialect == POSTGRESQL:
        return f"({sql})::text"
    return f"CAST({sql} AS CHAR)" if dialect == MYSQL else f"CAST({sql} AS TEXT)"


def _plain(sql: str, dialect: str) -> str:
    """Write a value as it is: MySQL makes a text of it where it stands, which is cheaper than asking for one."""
    return sql if dialect == MYSQL else _text(sql, dialect)


def _both_texts(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> tuple[str, str]:
    left, right = _written(legacy, padded=pair.padded), _written(modern, padded=pair.padded)
    if "empty_null" in pair.equivalent:
        # both sides alike: an empty text that modern has where legacy has none is found by the rows' own count
        left, right = f"NULLIF({left}, '')", f"NULLIF({right}, '')"
    return left, right


def _written(side: SideColumn, *, padded: bool) -> str:
    if side.dialect == MYSQL:
        sql = side.sql if side.type.charset in _UTF8 else f"CONVERT({side.sql} USING utf8mb4)"
    else:
        sql = _text(side.sql, side.dialect)
    if not padded:
        return sql
    return f"TRIM(TRAILING ' ' FROM {sql})" if side.dialect == MYSQL else f"rtrim({sql}, ' ')"


def _booleans(legacy: SideColumn, modern: SideColumn, _pair: ValuePair) -> tuple[str, str]:
    return _truth(legacy), _truth(modern)


def _truth(side: SideColumn) -> str:
    if side.dialect == POSTGRESQL and side.type.kind == kinds.BOOLEAN:
        return f"({side.sql})::int::text"
    if side.dialect == POSTGRESQL:
        return f"({side.sql})::text"
    return _text(f"({side.sql} + 0)", side.dialect)


def _dates(legacy: SideColumn, modern: SideColumn, _pair: ValuePair) -> tuple[str, str]:
    return _date(legacy), _date(modern)


def _date(side: SideColumn) -> str:
    if side.dialect == SQLITE:
        return f"substr({side.sql}, 1, 10)"
    return f"NULLIF({side.sql}, 0)" if side.dialect == MYSQL else _text(side.sql, side.dialect)


def _datetimes(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> tuple[str, str] | None:
    zones = (_zone(legacy, pair.legacy_zone), _zone(modern, pair.modern_zone))
    common = _common_zone((legacy, modern), zones)
    if common is None or SQLITE in (legacy.dialect, modern.dialect):
        return None
    return _moment(legacy, zones[0], common), _moment(modern, zones[1], common)


def _zone(side: SideColumn, naive: str) -> str:
    return "UTC" if side.type.zoned else naive


def _common_zone(sides: tuple[SideColumn, SideColumn], zones: tuple[str, str]) -> str | None:
    """Return the zone that both can be written in: only PostgreSQL knows the history of every zone."""
    if zones[0] == zones[1]:
        return zones[0]
    fixed = [zone for side, zone in zip(sides, zones, strict=True) if side.dialect != POSTGRESQL]
    return None if len(fixed) > 1 else (fixed or ["UTC"])[0]


def _moment(side: SideColumn, zone: str, common: str) -> str:
    """Write a time as PostgreSQL does: fractions of a second without trailing zeros."""
    if side.dialect == MYSQL and not side.type.fractions:
        return f"NULLIF({side.sql}, 0)"
    if side.dialect == MYSQL:
        written = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {_text(side.sql, MYSQL)}))"
        return f"NULLIF({written}, '{kinds.ZERO_DATE} 00:00:00')"
    sql = side.sql
    if side.type.zoned:
        sql = f"({sql} AT TIME ZONE '{common}')"
    elif zone != common:
        sql = f"(({sql} AT TIME ZONE '{zone}') AT TIME ZONE '{common}')"
    return f"({sql})::text"


def _uuids(legacy: SideColumn, modern: SideColumn, _pair: ValuePair) -> tuple[str, str]:
    return _uuid(legacy), _uuid(modern)


def _uuid(side: SideColumn) -> str:
    if side.type.kind == kinds.BINARY:
        hexadecimal = f"encode({side.sql}, 'hex')" if side.dialect == POSTGRESQL else f"HEX({side.sql})"
        return f"lower({hexadecimal})"
    return f"lower(replace({_text(side.sql, side.dialect)}, '-', ''))"


def _binaries(legacy: SideColumn, modern: SideColumn, pair: ValuePair) -> tuple[str, str] | None:
    if "BIT" in legacy.type.declared or "BIT" in modern.type.declared or pair.padded:
        return None
    return _uuid(legacy), _uuid(modern)


_WRITERS = {
    (kinds.INTEGER, kinds.BOOLEAN): _booleans,
    (kinds.BOOLEAN, kinds.BOOLEAN): _booleans,
    (kinds.BINARY, kinds.BOOLEAN): _booleans,
    (kinds.DATE, kinds.DATE): _dates,
    (kinds.DATETIME, kinds.DATETIME): _datetimes,
    (kinds.UUIDS, kinds.UUIDS): _uuids,
    (kinds.TEXT, kinds.UUIDS): _uuids,
    (kinds.BINARY, kinds.UUIDS): _uuids,
    (kinds.BINARY, kinds.BINARY): _binaries,
}


def fingerprint(columns: Sequence[Written], index: int, dialect: str) -> str:
    """Return a row's sixty-bit checksum over these columns, as the side at `index` computes it."""
    return hash60(_row(columns, index, dialect), dialect)


def row_text(columns: Sequence[Written], index: int, dialect: str) -> str:
    """Return how the side at `index` writes a row that is digested with its neighbours: whole, or as its MD5.

    Both sides take the MD5 of the same rows: of those whose texts and binaries are longer than `LONG`.
    """
    row = _row(columns, index, dialect)
    long = [one for one in columns if not one.short]
    if not long or sum(one.octets[index] or LONG + 1 for one in long) <= LONG:
        return row
    octets = " + ".join(f"COALESCE({_octets(one.by(index), dialect)}, 0)" for one in long)
    return f"CASE WHEN {octets} > {LONG} THEN {_digest(row, dialect)} ELSE {row} END"


def _digest(sql: str, dialect: str) -> str:
    """Write an MD5 as no row is written whole: these end with a length, a number or a time."""
    if dialect == MYSQL:
        return f"CONCAT('x', MD5({sql}))"
    return f"'x' || {'md5' if dialect == POSTGRESQL else 'strangler_md5'}({sql})"


def _row(columns: Sequence[Written], index: int, dialect: str) -> str:
    """Return a row's text, which no other row has.

    The texts stand in a row between `|`, `-` for none; behind them the lengths in bytes of those that may hold a `|`,
    so that no two rows are written alike.
    """
    parts = [f"COALESCE({one.by(index)}, '-')" for one in columns]
    parts += [f"COALESCE({_length(one.by(index), dialect)}, '-')" for one in columns if not one.bounded]
    return _joined(parts, dialect)


def _length(sql: str, dialect: str) -> str:
    return f"{_octets(sql, dialect)}::text" if dialect == POSTGRESQL else _octets(sql, dialect)


def _octets(sql: str, dialect: str) -> str:
    if dialect == MYSQL:
        return f"LENGTH({sql})"
    return f"octet_length({sql})" if dialect == POSTGRESQL else f"length(CAST({sql} AS BLOB))"


def _joined(parts: list[str], dialect: str) -> str:
    return f"CONCAT_WS('|', {', '.join(parts)})" if dialect == MYSQL else " || '|' || ".join(parts)


def hash60(sql: str, dialect: str) -> str:
    """Return the first sixty bits of the MD5 of a text as a number."""
    if dialect == POSTGRESQL:
        return f"('x' || left(md5({sql}), 15))::bit(60)::bigint"
    if dialect == MYSQL:
        return f"CAST(CONV(LEFT(MD5({sql}), 15), 16, 10) AS UNSIGNED)"
    return f"strangler_hash({sql})"
