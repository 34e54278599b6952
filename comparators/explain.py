"""Explains to an operator how two stored bodies differ, in DeepDiff's detail; it never decides whether they do.

DeepDiff treats some unequal values as equal, and stops silently (its `max_diffs`): so it gets exact
decimals, its limits are not used, sizes are bounded beforehand, and a note says what it left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import unified_diff
from typing import Any, Final

from comparators.json_parse import deeper
from comparators.model import Comparison
from comparators.paths import escaped
from comparators.text_compare import as_texts

_MOST_NODES: Final = 5000
_DEEPEST: Final = 60  # levels; DeepDiff takes several frames for each
_MOST_DETAILS: Final = 100
_MOST_LINES: Final = 2000
_LONGEST_BODY: Final = 512 * 1024
_LONGEST: Final = 256
_BETWEEN_TAGS: Final = re.compile(r"(?<=>)\s*(?=<)")
_CHANGES: Final = {
    "values_changed": "value",
    "type_changes": "type",
    "dictionary_item_added": "extra",
    "iterable_item_added": "extra",
    "dictionary_item_removed": "missing",
    "iterable_item_removed": "missing",
    "iterable_item_moved": "order",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One step from the legacy body to the modern one; `change` is value, type, missing, extra or order.

    `path` is where modern has it, for what is missing where legacy has it; a side without a value shows nothing.
    """

    path: str
    change: str
    legacy: str
    modern: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How two bodies differ: `details` for JSON, else `lines` of a unified diff; `note` says what is left out."""

    details: tuple[Detail, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""


def explain(legacy: bytes, modern: bytes, found: Comparison | None = None) -> Explanation:
    """Explain two bodies without codings; never raises for what they hold, empty for equal ones.

    With the findings of a comparison (`found`) only those are detailed: excused ones are one line.
    """
    if legacy == modern:
        return Explanation()
    if max(len(legacy), len(modern)) > _LONGEST_BODY:
        return Explanation(note=f"only bodies up to {_LONGEST_BODY // 1024} KiB are explained")
    left, right = as_texts(legacy, modern)
    try:
        one, two = _parsed(left), _parsed(right)
    except (ValueError, ArithmeticError, RecursionError):
        return _lines(_split(left), _split(right))
    if _nodes(one) + _nodes(two) > _MOST_NODES:
        return _lines(_indented(one), _indented(two))
    return _detailed(one, two, found)


def _parsed(text: str) -> Any:
    value = json.loads(text.lstrip("\ufeff"), parse_float=Decimal, parse_int=Decimal)
    if deeper(value, text.count("[") + text.count("{"), _DEEPEST):
        raise ValueError("nested too deeply to be explained by its structure")
    return value


def _detailed(legacy: Any, modern: Any, compared: Comparison | None) -> Explanation:
    from deepdiff import DeepDiff
    from deepdiff.helper import CannotCompare

    def same_row(one: Any, two: Any, _: Any = None) -> bool:
        """Match rows by their id, so that one row more is one change."""
        if isinstance(one, dict) and isinstance(two, dict) and "id" in one and "id" in two:
            return bool(one["id"] == two["id"])
        raise CannotCompare

    try:
        found: Any = DeepDiff(
            legacy, modern, view="tree", verbose_level=2, threshold_to_diff_deeper=0, iterable_compare_func=same_row
        )
        details = sorted(_details(found), key=lambda detail: detail.path)
        limits = [name for name, reached in found.get_stats().items() if name.endswith("REACHED") and reached]
    except Exception as error:  # noqa: BLE001 - it has raised on odd documents; the findings stand without it
        return Explanation(note=f"DeepDiff could not say: {type(error).__name__}")
    details, folded = _counting(details, compared)
    left_out = f"{len(details) - _MOST_DETAILS} more are left out" if len(details) > _MOST_DETAILS else ""
    notes = [each for each in (left_out or ", ".join(limits).lower(), folded) if each]
    return Explanation(tuple(details[:_MOST_DETAILS]), note="; ".join(notes))


def _counting(details: list[Detail], compared: Comparison | None) -> tuple[list[Detail], str]:
    """Return the details that belong to a comparison's findings, and a line about the others."""
    paths = {each.path for each in compared.findings} if compared is not None else set()
    counting = [each for each in details if _belongs(each.path, paths)]
    others = len(details) - len(counting)
    if compared is None or not counting or not others:
        return details, ""
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(compared.forgiven.items()))
    return counting, f"{others} more places differ only in what is forgiven" + (f": {rules}" if rules else "")


def _belongs(path: str, paths: set[str]) -> bool:
    """Whether a path is one of these, or inside one, or around one."""
    return any(f"{path}/".startswith(f"{each}/") or each.startswith(f"{path}/") for each in paths)


def _details(found: Any) -> Iterator[Detail]:
    for kind, levels in found.items():
        for level in levels:
            change = _CHANGES.get(kind, kind)
            # String paths are ambiguous for names with both kinds of quotes.
            steps = level.path(output_format="list")
            path = "".join(f"/{step if isinstance(step, int) else escaped(str(step))}" for step in steps)
            yield Detail(path, change, _shown(level.t1, change, "extra"), _shown(level.t2, change, "missing"))


def _shown(value: Any, change: str, absent: str) -> str:
    return "" if change == absent else _literal(value)[:_LONGEST]


def _literal(value: Any) -> str:
    """Return a value as JSON, its numbers as they were written."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{json.dumps(name)}: {_literal(each)}' for name, each in value.items())}}}"
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _nodes(value: Any) -> int:
    match value:
        case dict():
            return 1 + sum(map(_nodes, value.values()))
        case list():
            return 1 + sum(map(_nodes, value))
        case _:
            return 1


def _indented(value: Any) -> list[str]:
    return json.dumps(value, ensure_ascii=False, default=str, indent=1, sort_keys=True).split("\n")


def _split(text: str) -> list[str]:
    """Return the lines of a text; of a page each element's, which are often one line on the wire."""
    return _BETWEEN_TAGS.sub("\n", text).split("\n")


def _lines(legacy: Sequence[str], modern: Sequence[str]) -> Explanation:
    """Return a unified diff; difflib's time grows with the square of the lines, so they are bounded."""
    cut = max(len(legacy), len(modern)) > _MOST_LINES
    diff = unified_diff(legacy[:_MOST_LINES], modern[:_MOST_LINES], "legacy", "modern", n=2, lineterm="")
    lines = tuple(line[:_LONGEST] for line in diff)
    notes = [f"only the first {_MOST_LINES} lines are looked at"] if cut else []
    notes += ["more lines are left out"] if len(lines) > _MOST_DETAILS else []
    return Explanation(lines=lines[:_MOST_DETAILS], note=", ".join(notes))
