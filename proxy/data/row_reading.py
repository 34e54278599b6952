"""The queries a table is read with: checksums by group, rows by range or key, keys of what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from comparators import row_values as kinds
from comparators.row_values import ValuePair
from proxy.data.database import MYSQL, POSTGRESQL, SQLITE, Database, DatabaseError
from proxy.data.key_ranges import Checksum, KeyRange
from proxy.data.table_plan import SidePlan, TablePlan

MOST_CHANGED = 200_000
"""Changed rows that are looked up one by one; beyond, reading everything is cheaper."""
MOST_OF_GROUP = 1024
"""Rows whose texts are digested together: keys that lie unevenly may have many in one range."""
SPANS_PER_QUERY = 64
BEYOND = 1 << 63
"""Above every key that a signed column holds."""

Key = tuple[Any, ...]
Row = tuple[Any, ...]


def bounds(side: SidePlan, database: Database) -> tuple[Any, Any]:
    """Return the lowest and the highest key; None twice for an empty table."""
    found = database.rows(f"SELECT MIN({side.key[0]}), MAX({side.key[0]}) FROM {side.table}{_where(side)}")  # noqa: S608
    return found[0][0], found[0][1]


def count(side: SidePlan, database: Database) -> int:
    """Return how many rows there are."""
    return int(database.value(f"SELECT COUNT(*) FROM {side.table}{_where(side)}"))  # noqa: S608 - quoted names


def chunk_end(side: SidePlan, database: Database, first: int, rows: int) -> int:
    """Return the key of the last of `rows` rows from `first` on; `BEYOND` where there are fewer."""
    key = side.key[0]
    sql = f"SELECT {key} FROM {side.table} WHERE {_and(side, f'{key} >= ?')}"  # noqa: S608 - quoted names
    found = database.value(f"{sql} ORDER BY {key} LIMIT 1 OFFSET {rows - 1}", (first,))
    return BEYOND if found is None else int(found)


def checksums(side: SidePlan, database: Database, chunk: KeyRange, width: int, summed: str) -> dict[int, Checksum]:
    """Return the sums of `summed` (a checksum of the row or of its key) by group of a chunk."""
    divide = "DIV" if database.dialect == MYSQL else "/"
    place, table = side.ordered_by, side.table
    where = _and(side, f"{place} BETWEEN ? AND ?")
    if database.dialect == POSTGRESQL and place == side.key_hash:
        # it would compute a key's checksum for each end of the range, and once more for the group
        table = f"(SELECT *, {place} AS strangler_place FROM {side.table}{_where(side)} OFFSET 0) AS placed"  # noqa: S608
        place, where = "strangler_place", "strangler_place BETWEEN ? AND ?"
    add = "strangler_sum" if database.dialect == SQLITE else "SUM"  # its own sum overflows
    group = f"({place} - {chunk.first}) {divide} {width}"
    sql = f"SELECT {group}, COUNT(*), {add}({summed}) FROM {table} WHERE {where} GROUP BY 1"  # noqa: S608 - quoted names
    rows = database.rows(sql, (chunk.first, chunk.last))
    return {int(name): Checksum(int(many), int(found)) for name, many, found in rows}


def digests(side: SidePlan, database: Database, spans: Sequence[KeyRange], row: str) -> dict[int, Checksum] | None:
    """Return the digest of the rows (each written as `row`) in each of these ranges of a numbered key, by place.

    One digest for many rows takes half of what a number for each and their sum take. None: a range has too many rows
    for that, or more text than the database puts together.
    """
    ask = _digests_by_one_plan if database.dialect == POSTGRESQL else _digests_one_by_one
    found = ask(side, database, spans, row)
    if found is None or any(rows > MOST_OF_GROUP for _, rows, _ in found):
        return None
    return {int(place): Checksum(int(rows), int(digest, 16)) for place, rows, digest in found if rows}


def _digests_by_one_plan(
    side: SidePlan, database: Database, spans: Sequence[KeyRange], row: str
) -> list[tuple[Any, ...]] | None:
    key = side.ordered_by
    where = _and(side, f"{key} BETWEEN strangler_spans.first AND strangler_spans.last")
    rows = f"SELECT {row} AS row_text FROM {side.table} WHERE {where} ORDER BY {key} LIMIT {MOST_OF_GROUP + 1}"  # noqa: S608
    sql = (
        "SELECT place - 1, many, digest FROM unnest(?::bigint[], ?::bigint[]) WITH ORDINALITY"  # noqa: S608
        " AS strangler_spans(first, last, place), LATERAL (SELECT count(*) AS many, md5(string_agg(row_text, '|'))"
        f" AS digest FROM ({rows}) AS rows_of_span) AS digests"
    )
    edges = [[min(one.first, BEYOND - 1) for one in spans], [min(one.last, BEYOND - 1) for one in spans]]
    return database.rows(sql, edges)


def _digests_one_by_one(
    side: SidePlan, database: Database, spans: Sequence[KeyRange], row: str
) -> list[tuple[Any, ...]] | None:
    """Ask for each range by itself: MySQL sorts all rows before it groups them."""
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(spans), SPANS_PER_QUERY):
        some = enumerate(spans[start : start + SPANS_PER_QUERY], start)
        rows = database.rows_unless_warned(
            " UNION ALL ".join(_digest_of(side, database, place, span, row) for place, span in some)
        )
        if rows is None:
            return None
        found += rows
    return found


def _digest_of(side: SidePlan, database: Database, place: int, span: KeyRange, row: str) -> str:
    key = side.ordered_by
    where = _and(side, f"{key} BETWEEN {span.first} AND {span.last}")
    if database.dialect == MYSQL:
        # rows in another order would be read one by one: the primary key's is the order they are kept in
        order = "" if side.in_order else f" ORDER BY {key}"
        digest = f"MD5(GROUP_CONCAT({row}{order} SEPARATOR '|'))"
        return f"SELECT {place}, COUNT(*), {digest} FROM {side.table} WHERE {where}"  # noqa: S608 - quoted names
    rows = f"SELECT {row} AS row_text FROM {side.table} WHERE {where} ORDER BY {key} LIMIT {MOST_OF_GROUP + 1}"  # noqa: S608
    return f"SELECT {place}, COUNT(*), strangler_digest(row_text) FROM ({rows})"  # noqa: S608 - quoted names


def whole(side: SidePlan) -> Sequence[str]:
    """Return what is read of a row to compare it: its columns, behind them its checksum."""
    return (*side.fetched, side.checksum)


def digest(side: SidePlan) -> Sequence[str]:
    """Return what is read of a row to see whether it differs: its checksum alone."""
    return (side.checksum,)


def in_ranges(
    side: SidePlan, database: Database, plan: TablePlan, spans: Sequence[KeyRange], columns: Sequence[str]
) -> dict[Key, Row]:
    """Return these columns of the rows in any of these ranges of keys, or of their checksums; ranges in order."""
    between = f"{side.ordered_by} BETWEEN ? AND ?"
    bounds = [bound for span in spans for bound in (span.first, span.last)]
    where = between
    if len(spans) > 1:  # a checksum of a key far from all of them is looked at once
        where = f"{between} AND ({' OR '.join([between] * len(spans))})"
        bounds = [spans[0].first, spans[-1].last, *bounds]
    return _rows(side, database, plan, _and(side, where), bounds, columns)


def by_keys(
    side: SidePlan, database: Database, plan: TablePlan, keys: Sequence[Key], columns: Sequence[str]
) -> dict[Key, Row]:
    """Return these columns of the rows of these keys, and of no other that a collation holds to be equal."""
    if not keys:
        return {}
    one = " AND ".join(f"{name} = ?" for name in side.key)
    where = " OR ".join([f"({one})"] * len(keys))
    if len(side.key) == 1:
        where = f"{side.key[0]} IN ({', '.join('?' * len(keys))})"
    own = [_native(part, plan.key_pairs[index], database) for key in keys for index, part in enumerate(key)]
    found = _rows(side, database, plan, _and(side, f"({where})"), own, columns)
    return {key: found[key] for key in keys if key in found}


def changed_keys(side: SidePlan, database: Database, plan: TablePlan, since: float) -> list[Key]:
    """Return the keys of rows changed since an epoch time; DatabaseError for more than are looked up one by one."""
    moment = _written_moment(datetime.fromtimestamp(since, UTC), side, database)
    sql = f"SELECT {', '.join(side.key)} FROM {side.table} WHERE {_and(side, f'{side.changed} >= ?')}"  # noqa: S608
    found = [_key(row, plan) for row in database.rows(f"{sql} LIMIT {MOST_CHANGED + 1}", (moment,))]
    if len(found) > MOST_CHANGED:
        raise DatabaseError(f"{plan.table.name}: more than {MOST_CHANGED:,} rows changed; run it with --full")
    return found


def _written_moment(moment: datetime, side: SidePlan, database: Database) -> Any:
    """Return an instant as a side's column of the last change is compared with."""
    if side.changed_kind == kinds.INTEGER:
        return int(moment.timestamp())
    if side.changed_zoned and database.dialect == POSTGRESQL:
        return moment
    local = moment if side.changed_zoned else moment.astimezone(ZoneInfo(database.zone))
    naive = local.replace(tzinfo=None)
    return naive.isoformat(" ", "seconds") if database.dialect == SQLITE else naive


def repeated_key(side: SidePlan, database: Database) -> tuple[Any, ...] | None:
    """Return a key that more than one row has, and how many have it; None where each has its own."""
    columns = ", ".join(side.key)
    sql = f"SELECT {columns}, COUNT(*) FROM {side.table}{_where(side)} GROUP BY {columns} HAVING COUNT(*) > 1 LIMIT 1"  # noqa: S608
    return next(iter(database.rows(sql)), None)


def rows_without_key(side: SidePlan, database: Database, columns: Sequence[str]) -> int:
    """Return how many rows have no value in one of these key columns."""
    missing = " OR ".join(f"{name} IS NULL" for name in columns)
    return int(database.value(f"SELECT COUNT(*) FROM {side.table} WHERE {_and(side, f'({missing})')}"))  # noqa: S608


def _and(side: SidePlan, condition: str) -> str:
    return f"{side.condition} AND {condition}" if side.condition else condition


def _where(side: SidePlan) -> str:
    return f" WHERE {side.condition}" if side.condition else ""


def _native(part: Any, pair: ValuePair, database: Database) -> Any:
    """Return a part of a key as a side's own type wants it."""
    kind = pair.legacy if database.side == "legacy" else pair.modern
    if kind == kinds.BINARY and pair.modern == kinds.UUIDS:
        return bytes.fromhex(part.replace("-", ""))
    return part


def _rows(
    side: SidePlan, database: Database, plan: TablePlan, where: str, parameters: Sequence[Any], columns: Sequence[str]
) -> dict[Key, Row]:
    sql = f"SELECT {', '.join((*side.key, *columns))} FROM {side.table} WHERE {where}"  # noqa: S608 - quoted names
    found = database.rows(sql, parameters)
    if plan.numbered:
        return {row[:1]: row[1:] for row in found}
    parts = len(side.key)
    return {_key(row[:parts], plan): row[parts:] for row in found}


def _key(row: Row, plan: TablePlan) -> Key:
    return tuple(_key_part(part, pair) for part, pair in zip(row, plan.key_pairs, strict=True))


def _key_part(part: Any, pair: ValuePair) -> Any:
    """Return a part of a key in the one spelling that both sides have."""
    if pair.modern == kinds.UUIDS:
        return str(kinds.uuid_of(part) or part)
    if isinstance(part, str) and pair.padded:
        return part.rstrip(" ")
    return int(part) if isinstance(part, bool) else part
