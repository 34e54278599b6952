"""How one table is asked for on both sides: its columns paired, what databases can check, what is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comparators import row_values as kinds
from comparators.row_values import ValuePair
from proxy.data.canonical_sql import SideColumn, Written, canonical, fingerprint, hash60, row_text
from proxy.data.column_types import ColumnType, TableShape
from proxy.data.database import MYSQL, POSTGRESQL, SQLITE, Database, DatabaseError
from rules.data_settings import LEGACY_DATA, DataColumn, DataTable, TableSide

_TYPE_RULES = {
    (kinds.INTEGER, kinds.BOOLEAN): "tinyint_boolean",
    (kinds.BINARY, kinds.BOOLEAN): "tinyint_boolean",
    (kinds.BINARY, kinds.UUIDS): "binary_uuid",
}


_ALIKE = (
    frozenset({kinds.INTEGER, kinds.DECIMAL, kinds.FLOAT, kinds.BOOLEAN, kinds.BINARY}),
    frozenset({kinds.DATE, kinds.DATETIME}),
    frozenset({kinds.UUIDS, kinds.BINARY}),
    *(frozenset({one}) for one in (kinds.TIME, kinds.JSON)),
)
"""Kinds whose values can mean the same."""
_ANYTHING = frozenset({kinds.TEXT, kinds.OTHER})
"""A text can spell any value; unknown types are let through."""
_NOT_COMPUTED = frozenset({kinds.DATE, kinds.DATETIME, kinds.TIME, kinds.JSON, kinds.UUIDS})
_KEYS = frozenset({kinds.INTEGER, kinds.DECIMAL, kinds.TEXT, kinds.UUIDS, kinds.BINARY, kinds.DATE})
"""What a key may be: values that both drivers give alike."""


@dataclass(frozen=True, slots=True)
class SidePlan:
    """One side's SQL: the quoted table with its condition, key columns, row checksum, columns to fetch."""

    table: str
    condition: str
    key: tuple[str, ...]
    key_hash: str
    ordered_by: str
    """The number that rows are cut into ranges by: a numbered key itself, of any other its checksum."""
    checksum: str
    row: str
    """How a row is written where rows are digested together."""
    key_row: str
    """The same of its key alone."""
    in_order: bool
    """Whether a range of keys is read in their order anyway: they are the primary key."""
    fetched: tuple[str, ...]
    unproven: bool
    """Whether the database does not promise that the key is unique."""
    nullable: tuple[str, ...]
    """Key columns that may be without a value."""
    changed: str = ""
    changed_kind: str = kinds.DATETIME
    changed_zoned: bool = False


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table prepared for verifying.

    `numbered`: both keys are one integer. `fetched` are the positions of the columns (in `pairs`) that
    databases cannot check; `rules` counts a rule for every row found equal by checksum.
    """

    table: DataTable
    pairs: tuple[ValuePair, ...]
    key_pairs: tuple[ValuePair, ...]
    numbered: bool
    legacy: SidePlan
    modern: SidePlan
    fetched: tuple[int, ...]
    rules: tuple[str, ...]
    notes: tuple[str, ...]

    def look(self, key: Sequence[str]) -> tuple[str, str]:
        """Return the SQL that shows one row on each side, to be pasted into a client."""
        return _look(self.legacy, key), _look(self.modern, key)


def _look(side: SidePlan, key: Sequence[str]) -> str:
    where = " AND ".join(f"{name} = {_literal(part)}" for name, part in zip(side.key, key, strict=True))
    return f"SELECT {', '.join((*side.key, *side.fetched))} FROM {side.table} WHERE {where};"  # noqa: S608 - to be read


def _literal(part: str) -> str:
    return part if part.lstrip("-").isdecimal() else "'" + part.replace("'", "''") + "'"


def plan_table(table: DataTable, legacy: Database, modern: Database) -> TablePlan:
    """Pair the columns of both sides; DatabaseError names the table, column or key that does not fit."""
    shapes = legacy.shape(table.legacy), modern.shape(table.modern)
    pairs = tuple(_pair(column, table, (legacy, modern), shapes) for column in table.columns)
    key_pairs = tuple(
        _pair(DataColumn(f"{left}/{right}", left, right), table, (legacy, modern), shapes)
        for left, right in zip(table.legacy.key, table.modern.key, strict=True)
    )
    checked = [
        _checked(column, pair, (legacy, modern), shapes) for column, pair in zip(table.columns, pairs, strict=True)
    ]
    keys = [
        _checked(DataColumn(pair.name, left, right), pair, (legacy, modern), shapes)
        for pair, left, right in zip(key_pairs, table.legacy.key, table.modern.key, strict=True)
    ]
    for pair, one in zip(key_pairs, keys, strict=True):
        if one is None or not {pair.legacy, pair.modern} <= _KEYS:
            kinds_told = f"`{pair.name}` is {pair.legacy} and {pair.modern}"
            raise DatabaseError(f"{table.name}: {kinds_told}, which cannot be a key of both sides")
    for side, shape in zip((table.legacy, table.modern), shapes, strict=True):
        _refuse_unusable_key(table.name, side, shape)
    numbered = len(key_pairs) == 1 and key_pairs[0].legacy == key_pairs[0].modern == kinds.INTEGER
    sound = [one for one in keys if one is not None]
    sides = [
        SidePlan(
            table=database.quoted(side.table),
            condition=f"({side.where})" if side.where else "",
            key=tuple(database.quoted(name) for name in side.key),
            key_hash=_hashed(sound, index, database),
            ordered_by=database.quoted(side.key[0]) if numbered else _hashed(sound, index, database),
            checksum=fingerprint([*sound, *filter(None, checked)], index, database.dialect),
            row=row_text([*sound, *filter(None, checked)], index, database.dialect),
            key_row=_key_text([one.by(index) for one in sound], database.dialect),
            in_order=shapes[index].primary == side.key,
            fetched=tuple(
                _fetched(column.legacy if index == 0 else column.modern, database, shapes[index])
                for column in table.columns
            ),
            unproven=not unique_key(side, shapes[index]),
            nullable=tuple(database.quoted(name) for name in side.key if shapes[index].columns[name].nullable),
            **_changed(table, database, shapes[index]),
        )
        for index, (database, side) in enumerate(((legacy, table.legacy), (modern, table.modern)))
    ]
    fetched = tuple(index for index, one in enumerate(checked) if one is None)
    return TablePlan(
        table, pairs, key_pairs, numbered, sides[0], sides[1], fetched,
        tuple(found for pair, one in zip(pairs, checked, strict=True) if one and (found := _type_rule(pair))),
        tuple(_notes(table, fetched)),
    )  # fmt: skip


def _hashed(keys: Sequence[Written], index: int, database: Database) -> str:
    return hash60(_key_text([one.by(index) for one in keys], database.dialect), database.dialect)


def _key_text(parts: list[str], dialect: str) -> str:
    return f"CONCAT_WS('|', {', '.join(parts)})" if dialect != "sqlite" else " || '|' || ".join(parts)


def _refuse_nonsense(table: str, pair: ValuePair) -> None:
    """Raise DatabaseError for two types of which no value of one can mean a value of the other."""
    both = {pair.legacy, pair.modern}
    if pair.operator and both & _NOT_COMPUTED:
        raise DatabaseError(
            f"{table}: `{pair.name}` is {pair.legacy} and {pair.modern}: `convert` computes with numbers; leave it out"
        )
    if not both & _ANYTHING and not any(both <= alike for alike in _ALIKE):
        raise DatabaseError(
            f"{table}: `{pair.name}` is {pair.legacy} in legacy and {pair.modern} in modern, which cannot be compared: "
            "name another column, or leave it out of `columns`"
        )


def _pair(
    column: DataColumn, table: DataTable, databases: tuple[Database, Database], shapes: tuple[TableShape, TableShape]
) -> ValuePair:
    left = _column(column.legacy, table.name, table.legacy, databases[0], shapes[0])
    right = _column(column.modern, table.name, table.modern, databases[1], shapes[1])
    convert = column.convert
    pair = ValuePair(
        column.name, left.kind, right.kind, databases[0].zone, databases[1].zone,
        convert.operator if convert else "", convert.operand if convert else "0",
        left.padded or right.padded, frozenset(table.equivalent),
        any(one.single and side.dialect != SQLITE for one, side in zip((left, right), databases, strict=True)),
    )  # fmt: skip
    if "/" not in column.name:  # a key has a sentence of its own
        _refuse_nonsense(table.name, pair)
    return pair


def _column(name: str, table: str, side: TableSide, database: Database, shape: TableShape) -> ColumnType:
    found = shape.columns.get(name)
    if found is None:
        known = ", ".join(sorted(shape.columns)[:30])
        raise DatabaseError(f"{table}: {database.side}'s `{side.table}` has no column `{name}`; it has {known}")
    return found


def _checked(
    column: DataColumn, pair: ValuePair, databases: tuple[Database, Database], shapes: tuple[TableShape, TableShape]
) -> Written | None:
    sides = [
        SideColumn(database.quoted(name), shape.columns[name], database.dialect)
        for database, shape, name in zip(databases, shapes, (column.legacy, column.modern), strict=True)
    ]
    return canonical(sides[0], sides[1], pair)


def _refuse_unusable_key(table: str, side: TableSide, shape: TableShape) -> None:
    for name in side.key:
        if name not in shape.columns:
            known = ", ".join(sorted(shape.columns)[:30])
            raise DatabaseError(f"{table}: `{side.table}` has no key column `{name}`; it has {known}")


def _changed(table: DataTable, database: Database, shape: TableShape) -> dict[str, Any]:
    if table.changed is None:
        return {}
    legacy = database.side == LEGACY_DATA
    name, side = (table.changed.legacy, table.legacy) if legacy else (table.changed.modern, table.modern)
    found = _column(name, table.name, side, database, shape)
    return {"changed": database.quoted(name), "changed_kind": found.kind, "changed_zoned": found.zoned}


def _fetched(name: str, database: Database, shape: TableShape) -> str:
    """Return what fetches a column.

    Documents as text, in which a null inside and no document are kept apart; money as a number, not as a locale's text;
    a single as the double it is: MySQL would send six digits of it.
    """
    quoted, found = database.quoted(name), shape.columns[name]
    if database.dialect == MYSQL and found.single:
        return f"({quoted} + 0e0)"
    if database.dialect != POSTGRESQL:
        return quoted
    if found.single:
        return f"{quoted}::float8"
    if found.declared == "MONEY":
        return f"{quoted}::numeric"
    return f"{quoted}::text" if found.kind == kinds.JSON else quoted


def _type_rule(pair: ValuePair) -> str:
    if pair.operator:
        return "convert"
    if pair.padded and pair.legacy == kinds.TEXT:
        return "char_padding"
    if pair.legacy == pair.modern == kinds.DATETIME and pair.legacy_zone != pair.modern_zone:
        return "time_zone"
    return _TYPE_RULES.get((pair.legacy, pair.modern), "")


def _notes(table: DataTable, fetched: tuple[int, ...]) -> list[str]:
    if not fetched:
        return []
    names = ", ".join(table.columns[index].name for index in fetched)
    return [f"{names}: no database can check this, so it is fetched for every row and compared here"]


def unique_key(side: TableSide, shape: TableShape) -> bool:
    """Whether the database itself promises that the key is unique."""
    return any(columns <= set(side.key) for columns in shape.unique)
