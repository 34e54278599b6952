"""Compares rows of both sides; what differs is read again until it stands still, and only then counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from comparators.row_values import rule
from proxy.data.results import RowDifference, TableResult
from proxy.data.row_reading import Key, Row
from proxy.data.table_plan import TablePlan

KEYS_PER_QUERY = 500
READINGS = 3
"""How often a row that differs is read again while either side still changes it."""

Suspect = tuple[Key, Row | None, Row | None]
UNREAD = (None, None)
"""Both rows of a suspect that was never read whole."""
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

    def compared(self, legacy: dict[Key, Row], modern: dict[Key, Row]) -> list[Suspect]:
        """Count the rows that are equal; return the others."""
        suspects = []
        for key in dict.fromkeys((*legacy, *modern)):
            left, right = legacy.get(key), modern.get(key)
            if left is None or right is None or not self._alike(left, right):
                suspects.append((key, left, right))
        return suspects

    def settled(self, suspects: Sequence[Suspect]) -> None:
        """Read suspects again until they stand still; count those that differ then."""
        waiting = {key: (left, right) for key, left, right in suspects}
        for _ in range(READINGS):
            if not waiting:
                return
            self.wait(self.plan.table.settle)
            moving: dict[Key, tuple[Row | None, Row | None]] = {}
            for key, pair in self._again(list(waiting)):
                if self._came_together(pair):
                    self.result.settled += 1
                elif waiting[key] in (pair, UNREAD):
                    self._count(key, *pair)
                else:
                    moving[key] = pair
            waiting = moving
        if waiting:
            self.result.note(f"{len(waiting)} rows changed at every reading and were left for the next run")

    def _alike(self, left: Row, right: Row) -> bool:
        rules = [rule(one, other, pair) for one, other, pair in zip(left, right, self.plan.pairs, strict=True)]
        if None in rules:
            return False
        self.result.equal += 1
        self.result.forgiven.update(filter(None, rules))
        return True

    def _came_together(self, pair: tuple[Row | None, Row | None]) -> bool:
        legacy, modern = pair
        if legacy is None or modern is None:
            return legacy is modern
        return self._alike(legacy, modern)

    def _again(self, keys: list[Key]) -> Iterator[tuple[Key, tuple[Row | None, Row | None]]]:
        for start in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[start : start + KEYS_PER_QUERY]
            legacy, modern = self.read(some)
            yield from ((key, (legacy.get(key), modern.get(key))) for key in some)

    def _count(self, key: Key, legacy: Row | None, modern: Row | None) -> None:
        if key in self.counted:
            return
        self.counted.add(key)
        first = not self.result.examples
        self.result.add_difference(self._difference(key, legacy, modern))
        if first:
            self.result.look = self.plan.look(tuple(self.redact("", str(part), "")[0] for part in key))

    def _difference(self, key: Key, legacy: Row | None, modern: Row | None) -> RowDifference:
        name = self.redact("", ", ".join(map(str, key)), "")[0]
        if legacy is None or modern is None:
            return RowDifference(name, "missing_legacy" if legacy is None else "missing_modern")
        columns = tuple(
            (pair.name, *self.redact(pair.name, shown(left), shown(right)))
            for left, right, pair in zip(legacy, modern, self.plan.pairs, strict=True)
            if rule(left, right, pair) is None
        )
        return RowDifference(name, "different", columns)


def shown(value: Any) -> str:
    """Return a value as people read it: `null`, quotes where blanks would not be seen, bytes in hexadecimal."""
    if value is None:
        return "null"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"0x{bytes(value)[:32].hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    return f"'{value}'" if value == "" or (isinstance(value, str) and value != value.strip()) else str(value)
