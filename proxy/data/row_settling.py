"""Compares rows of both sides; what differs is read again until it stands still, and only then counted.

A row is first read as its checksum alone, and whole when it is read again: no row is sent twice. Rows with columns that
no database can check are read whole both times.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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
                if self._came_together(rows):
                    self.result.settled += not stands
                elif stands or before == UNREAD:
                    self._count(key, *rows)
                else:
                    moving[key] = rows
            waiting = moving
        if waiting:
            self.result.note(f"{len(waiting)} rows changed at every reading and were left for the next run")

    def _alike(self, left: Row, right: Row) -> bool:
        pairs = self.plan.pairs
        rules = [rule(one, other, pair) for one, other, pair in zip(left[:-1], right[:-1], pairs, strict=True)]
        if None in rules:
            return False
        self.result.equal += 1
        self.result.forgiven.update(filter(None, rules))
        return True

    def _came_together(self, rows: Seen) -> bool:
        legacy, modern = rows
        if legacy is None or modern is None:
            return legacy is modern
        return self._alike(legacy, modern)

    def _again(self, keys: list[Key]) -> Iterator[Suspect]:
        for start in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[start : start + KEYS_PER_QUERY]
            legacy, modern = self.read(some)
            yield from ((key, (legacy.get(key), modern.get(key))) for key in some)

    def _count(self, key: Key, legacy: Row | None, modern: Row | None) -> None:
        if key in self.counted:
            return
        self.counted.add(key)
        state, columns = self._apart_in(legacy, modern)
        self.result.add_difference(state, [pair.name for pair, _, _ in columns])
        if len(self.result.examples) < EXAMPLES:
            self._show(key, state, columns)

    def _apart_in(self, legacy: Row | None, modern: Row | None) -> tuple[RowState, list[Apart]]:
        if legacy is None or modern is None:
            return "missing_legacy" if legacy is None else "missing_modern", []
        sides = zip(legacy[:-1], modern[:-1], self.plan.pairs, strict=True)
        return "different", [(pair, left, right) for left, right, pair in sides if rule(left, right, pair) is None]

    def _show(self, key: Key, state: RowState, columns: Sequence[Apart]) -> None:
        if not self.result.examples:
            self.result.look = self.plan.look(tuple(self.redact("", str(part), "")[0] for part in key))
        name = self.redact("", ", ".join(map(str, key)), "")[0]
        told = tuple((pair.name, *self.redact(pair.name, shown(left), shown(right))) for pair, left, right in columns)
        self.result.examples.append(RowDifference(name, state, told))


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
