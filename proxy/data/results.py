"""What verifying a table found, as values that are added up chunk by chunk and travel as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EXAMPLES = 10

RowState = Literal["different", "missing_legacy", "missing_modern"]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that both databases do not hold alike. `columns` are (name, legacy's value, modern's value) as text."""

    key: str
    state: RowState
    columns: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TotalDifference:
    """A figure of a group that differs."""

    what: str
    group: str
    legacy: str
    modern: str


@dataclass(slots=True)
class TableResult:
    """One table's outcome so far; every field grows while its chunks are read."""

    table: str
    equal: int = 0
    different: int = 0
    missing_legacy: int = 0
    missing_modern: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    forgiven: Counter[str] = field(default_factory=Counter)
    examples: list[RowDifference] = field(default_factory=list)
    totals: list[TotalDifference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    settled: int = 0
    """Rows that differed at first and were alike when read again."""
    full: bool = True
    look: tuple[str, str] | None = None
    """SQL that shows the first example on each side."""

    @property
    def compared(self) -> int:
        """How many rows at least one side holds."""
        return self.equal + self.different + self.missing_legacy + self.missing_modern

    @property
    def same(self) -> bool:
        """Whether nothing differs, rows and totals."""
        return not (self.different or self.missing_legacy or self.missing_modern or self.totals)

    def add_difference(self, state: RowState, columns: Iterable[str]) -> None:
        """Count a row that differs in these columns."""
        setattr(self, state, getattr(self, state) + 1)
        self.by_column.update(columns)

    def note(self, text: str) -> None:
        """Say something about the table once."""
        if text not in self.notes:
            self.notes.append(text)

    def document(self) -> dict[str, Any]:
        """Return this as the API, the store and `--json` show it."""
        return {
            "table": self.table,
            "same": self.same,
            "full": self.full,
            "rows": {
                "compared": self.compared,
                "equal": self.equal,
                "different": self.different,
                "missing_legacy": self.missing_legacy,
                "missing_modern": self.missing_modern,
            },
            "settled": self.settled,
            "by_column": dict(self.by_column),
            "forgiven": dict(self.forgiven),
            "examples": [
                {"key": one.key, "state": one.state,
                 "columns": [{"name": name, "legacy": left, "modern": right} for name, left, right in one.columns]}
                for one in self.examples
            ],
            "totals": [
                {"what": one.what, "group": one.group, "legacy": one.legacy, "modern": one.modern}
                for one in self.totals
            ],
            "notes": list(self.notes),
            "look": None if self.look is None else {"legacy": self.look[0], "modern": self.look[1]},
        }  # fmt: skip


def table_result(document: Mapping[str, Any]) -> TableResult:
    """Return the result that a document shows: what a run that is resumed begins with."""
    rows, look = document["rows"], document["look"]
    return TableResult(
        document["table"], rows["equal"], rows["different"], rows["missing_legacy"], rows["missing_modern"],
        Counter(document["by_column"]), Counter(document["forgiven"]),
        [_example(one) for one in document["examples"]],
        [TotalDifference(one["what"], one["group"], one["legacy"], one["modern"]) for one in document["totals"]],
        list(document["notes"]), document["settled"], document["full"],
        None if look is None else (look["legacy"], look["modern"]),
    )  # fmt: skip


def _example(document: Mapping[str, Any]) -> RowDifference:
    columns = tuple((one["name"], one["legacy"], one["modern"]) for one in document["columns"])
    return RowDifference(document["key"], document["state"], columns)
