"""Drafts the `data` section from two databases: tables matched by name, columns by name, keys as they are declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comparators import row_values as kinds
from proxy.data.column_types import TableShape
from proxy.data.database import Database
from rules.data_settings import TableSide

_PREFIXES = ("tbl_", "tb_", "t_")
_CHANGED = ("updated_at", "modified_at", "changed_at")
_OLD_KEYS = ("legacy_id", "old_id")
_CONVERSIONS = {(kinds.INTEGER, kinds.DECIMAL), (kinds.INTEGER, kinds.FLOAT)}


@dataclass(frozen=True, slots=True)
class DraftedData:
    """The tables as they go into the file, and what a person has to decide, one sentence each."""

    tables: tuple[dict[str, Any], ...]
    undecided: tuple[str, ...]


def drafted(legacy: Database, modern: Database) -> DraftedData:
    """Match the tables of both databases; DatabaseError where one of them cannot be read."""
    names = legacy.tables(), modern.tables()
    pairs = list(matched(*names))
    undecided = [
        f"legacy's table {one}: modern has none of that name" for one in _left(names[0], [a for a, _ in pairs])
    ]
    undecided += [
        f"modern's table {one}: legacy has none of that name" for one in _left(names[1], [b for _, b in pairs])
    ]
    tables = []
    for left, right in pairs:
        shapes = legacy.shape(TableSide(left, ())), modern.shape(TableSide(right, ()))
        entry, open_ends = _table(left, right, *shapes)
        undecided += [f"{right}: {one}" for one in open_ends]
        if entry is not None:
            tables.append(entry)
    return DraftedData(tuple(tables), tuple(undecided))


def matched(legacy: Sequence[str], modern: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield tables of one name, prefixes such as `tbl_` and case aside."""
    by_name = {_plain(name): name for name in modern}
    for name in legacy:
        if (found := by_name.pop(_plain(name), None)) is not None:
            yield name, found


def _plain(name: str) -> str:
    lower = name.lower()
    return next((lower.removeprefix(one) for one in _PREFIXES if lower.startswith(one)), lower)


def _left(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    return [name for name in names if name not in taken]


def _table(left: str, right: str, legacy: TableShape, modern: TableShape) -> tuple[dict[str, Any] | None, list[str]]:
    keys = _keys(legacy, modern)
    if keys is None:
        return None, ["no key that both declare as unique; name one by hand"]
    own, its = keys
    common = [name for name in modern.columns if name in legacy.columns and name not in (*own, *its)]
    if not common:
        return None, ["no column of the same name on both sides"]
    entry: dict[str, Any] = {"name": right, "legacy": {"table": left, "key": list(own)}}
    entry["modern"] = {"table": right, "key": list(its)}
    if modern.columns[its[0]].nullable:
        entry["modern"]["where"] = f"{its[0]} is not null"
    entry["columns"] = common
    if changed := next((name for name in _CHANGED if name in common), None):
        entry["changed"] = changed
    return entry, list(_open_ends(common, (*own, *its), legacy, modern))


def _keys(legacy: TableShape, modern: TableShape) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    for unique in sorted(legacy.unique, key=lambda one: (len(one), sorted(one))):
        own = tuple(sorted(unique))
        if len(own) == 1 and (old := next((name for name in _OLD_KEYS if frozenset({name}) in modern.unique), None)):
            return own, (old,)
        if unique in modern.unique:
            return own, own
    return None


def _open_ends(common: Sequence[str], keys: Sequence[str], legacy: TableShape, modern: TableShape) -> Iterator[str]:
    for side, shape, other in (("legacy", legacy, modern), ("modern", modern, legacy)):
        alone = [name for name in shape.columns if name not in other.columns and name not in keys]
        if alone:
            yield f"only {side} has {', '.join(alone)}: match them by hand or leave them out"
    for name in common:
        pair = legacy.columns[name].kind, modern.columns[name].kind
        if pair in _CONVERSIONS:
            yield f"{name} is {pair[0]} and {pair[1]}: does it want `convert`?"
