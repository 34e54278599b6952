"""Compares rows of both sides; what differs is read again until it stands still, and only then counted.

A row is first read as its checksum alone, and whole when it is read again: no row is sent twice. Rows with columns that
no database can check are read whole both times.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from comparators.row_values import ValuePair, rule
from proxy.data.results import EXAMPLES, RowDifference, RowState, TableResult
from proxy.data.row_reading import Key, Row
from proxy.data.table_plan import TablePlan

KEYS_PER_QUERY = 900
"""Keys that are looked up at once: MariaDB makes a table of longer lists."""
READINGS = 3
"""How often a row that differs is read again while either side still changes it."""

Seen = tuple[Row | None, Row | None]
"""What was read of both sides' rows: columns and checksum, or the checksum alone; None for no row."""
Suspect = tuple[Key, Seen]
UNREAD: Seen = (None, None)
"""Of a row of which neither was read."""
EQUAL: Literal["equal"] = "equal"
State = RowState | Literal["equal"]
Apart = tuple[ValuePair, Any, Any]
"""A column whose values differ, with both."""
Read = Callable[[Sequence[Key]], tuple[dict[Key, Row], dict[Key, Row]]]
Redact = Callable[[str, str, str], tuple[str, str]]
"""A column's name and both values as text to what may be shown of them."""


@dataclass(slots=True)
class Settling:
    """One table's rows as they are compared. `result` and `counted` (keys of differing rows) grow."""

    plan: TablePlan
    result: TableResult
    read: Read
    wait: Callable[[float], None]
    redact: Redact
    counted: set[Key] = field(default_factory=set)

    def count_equal(self, rows: int) -> None:
        """Count rows that databases found equal, with the rules that their types need."""
        self.result.equal += rows
        for name in self.plan.rules:
            self.result.forgiven[name] += rows

    def apart(self, legacy: dict[Key, Row], modern: dict[Key, Row]) -> list[Suspect]:
        """Count the rows whose checksums are equal; return the others."""
        suspects = _suspects(legacy, modern, operator.eq)
        self.count_equal(len(legacy.keys() | modern.keys()) - len(suspects))
        return suspects

    def compared(self, legacy: dict[Key, Row], modern: dict[Key, Row]) -> list[Suspect]:
        """Count the rows that are equal; return the others."""
        return _suspects(legacy, modern, self._alike)

    def settled(self, suspects: Sequence[Suspect]) -> None:
        """Read suspects again until they stand still; count those that differ then."""
        waiting = dict(suspects)
        for _ in range(READINGS):
            if not waiting:
                return
            self.wait(self.plan.table.settle)
            moving: dict[Key, Seen] = {}
            for key, rows in self._again(list(waiting)):
                before = waiting[key]
                stands = all(map(_is_same_reading, before, rows))
                state, columns, rules = self._verdict(*rows)
                if state == EQUAL:
                    self.result.settled += not stands
                    if rows != UNREAD:
                        self._count_row(rules)
                elif stands or before == UNREAD:
                    self._count(key, state, columns)
                else:
                    moving[key] = rows
            waiting = moving
        if waiting:
            self.result.note(f"{len(waiting)} rows changed at every reading and were left for the next run")

    def _verdict(self, legacy: Row | None, modern: Row | None) -> tuple[State, list[Apart], list[str]]:
        """Return what a row is, the columns that differ, the rules that others needed."""
        if legacy is None or modern is None:
            return _one_sided(legacy, modern), [], []
        columns: list[Apart] = []
        rules: list[str] = []
        for left, right, pair in zip(legacy[:-1], modern[:-1], self.plan.pairs, strict=True):
            found = rule(left, right, pair)
            if found is None:
                columns.append((pair, left, right))
            elif found:
                rules.append(found)
        return ("different" if columns else EQUAL), columns, rules

    def _alike(self, left: Row, right: Row) -> bool:
        state, _, rules = self._verdict(left, right)
        if state == EQUAL:
            self._count_row(rules)
        return state == EQUAL

    def _count_row(self, rules: Sequence[str]) -> None:
        self.result.equal += 1
        self.result.forgiven.update(rules)

    def _again(self, keys: list[Key]) -> Iterator[Suspect]:
        for start in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[start : start + KEYS_PER_QUERY]
            legacy, modern = self.read(some)
            yield from ((key, (legacy.get(key), modern.get(key))) for key in some)

    def _count(self, key: Key, state: State, columns: Sequence[Apart]) -> None:
        if key in self.counted or state == EQUAL:
            return
        self.counted.add(key)
        self.result.add_difference(state, [pair.name for pair, _, _ in columns])
        if len(self.result.examples) < EXAMPLES:
            self._show(key, state, columns)

    def _show(self, key: Key, state: RowState, columns: Sequence[Apart]) -> None:
        if not self.result.examples:
            self.result.look = self.plan.look(tuple(self.redact("", str(part), "")[0] for part in key))
        name = self.redact("", ", ".join(map(str, key)), "")[0]
        told = tuple((pair.name, *self.redact(pair.name, shown(left), shown(right))) for pair, left, right in columns)
        self.result.examples.append(RowDifference(name, state, told))


def _one_sided(legacy: Row | None, modern: Row | None) -> State:
    if legacy is modern:
        return EQUAL  # meanwhile neither side has it
    return "missing_legacy" if legacy is None else "missing_modern"


def _suspects(legacy: dict[Key, Row], modern: dict[Key, Row], alike: Callable[[Row, Row], bool]) -> list[Suspect]:
    found: list[Suspect] = []
    for key, left in legacy.items():
        right = modern.get(key)
        if right is None or not alike(left, right):
            found.append((key, (left, right)))
    return found + [(key, (None, right)) for key, right in modern.items() if key not in legacy]


def _is_same_reading(before: Row | None, row: Row | None) -> bool:
    """Whether a row is as it was when it was read whole, or its checksum alone."""
    return before is row is None or (before is not None and row is not None and row[-len(before) :] == before)


def shown(value: Any) -> str:
    """Return a value as people read it: `null`, quotes where blanks would not be seen, bytes in hexadecimal."""
    if value is None:
        return "null"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"0x{bytes(value)[:32].hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    return f"'{value}'" if value == "" or (isinstance(value, str) and value != value.strip()) else str(value)
