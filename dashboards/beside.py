"""Lays two bodies beside each other, line by line, the differing places marked.

JSON is laid out by its structure: what has one pointer stands on one line on both sides. Anything else is laid out
by its lines. Long stretches that are alike are left out but for a few lines around each difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, TypeAlias

SAME, ALIKE, OTHER, MARKED, GAP = "same", "alike", "other", "marked", "gap"
"""ALIKE: another spelling of what seems to be one value, as 35.0 for "35.00"; whether it is, the comparison says."""
AROUND = 3
MOST_LINES = 2000
"""Of either side; a comparison of lines takes their product."""
_MOST_ROWS = 600
_DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]")
_PUNCTUATION = re.compile(r"[TZ :]|\.0+(?=Z|$)")
_DEEPEST = 60
_WORTH_A_GAP = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of each side; None where a side has none. A gap's `left` says how many lines it stands for."""

    kind: str
    left: str | None
    right: str | None


class _Missing:
    """What one side does not have."""


_MISSING = _Missing()
Line: TypeAlias = "tuple[int, str]"


class _Number(str):
    """A number as it was spelled: 10.50 stays 10.50."""

    __slots__ = ()


def rows(legacy: str, modern: str, marked: Iterable[str] = ()) -> tuple[Row, ...]:
    """Return the rows; `marked` are the pointers (RFC 6901) of what was found to differ."""
    left, right = _parsed(legacy), _parsed(modern)
    if isinstance(left, _Missing) or isinstance(right, _Missing):
        laid = _by_lines(legacy.splitlines()[:MOST_LINES], modern.splitlines()[:MOST_LINES])
    else:
        laid = _by_structure(left, right, frozenset(marked), "", "", 0)
    return tuple(_shortened(list(laid)))[:_MOST_ROWS]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return _MISSING


def _by_structure(left: Any, right: Any, marked: frozenset[str], pointer: str, label: str, depth: int) -> Iterator[Row]:
    both_maps = isinstance(left, dict) and isinstance(right, dict)
    both_lists = isinstance(left, list) and isinstance(right, list)
    if pointer in marked or depth >= _DEEPEST or not (both_maps or both_lists):
        yield from _pair(left, right, pointer in marked, label, depth)
        return
    opening, closing = "{}" if both_maps else "[]"
    yield _row(SAME, f"{label}{opening}", f"{label}{opening}", depth)
    for key in _keys(left, right):
        name = f"{json.dumps(key, ensure_ascii=False)}: " if both_maps else ""
        inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield from _by_structure(_at(left, key), _at(right, key), marked, inner, name, depth + 1)
    yield _row(SAME, closing, closing, depth)


def _keys(left: Any, right: Any) -> list[Any]:
    if isinstance(left, list):
        return list(range(max(len(left), len(right))))
    return [*left, *(key for key in right if key not in left)]


def _at(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        return value[key] if key < len(value) else _MISSING
    return value.get(key, _MISSING)


def _pair(left: Any, right: Any, is_marked: bool, label: str, depth: int) -> Iterator[Row]:  # noqa: FBT001 - inner step
    is_same = type(left) is type(right) and left == right
    kind = MARKED if is_marked else SAME if is_same else ALIKE if _is_alike(left, right) else OTHER
    lefts, rights = _lines(left, label), _lines(right, label)
    for one, other in zip_longest(lefts, rights):
        yield _row(kind, one, other, depth)


def _is_alike(left: Any, right: Any) -> bool:
    """Whether two texts or numbers are one number, or one moment but for its punctuation."""
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return _DATED.match(left) is not None and _PUNCTUATION.sub("", left) == _PUNCTUATION.sub("", right)


def _lines(value: Any, label: str) -> list[str]:
    if isinstance(value, _Missing):
        return []
    if isinstance(value, _Number):
        return [f"{label}{value}"]
    text = json.dumps(_spelled(value), ensure_ascii=False, indent=2)
    first, *more = text.split("\n")
    return [f"{label}{first}", *more]


def _spelled(value: Any) -> Any:
    """Numbers inside a value that one side alone has are shown as numbers where Python spells them alike."""
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    if isinstance(value, _Number):
        number = json.loads(value)
        return number if json.dumps(number) == value else str(value)
    return value


def _row(kind: str, left: str | None, right: str | None, depth: int) -> Row:
    indent = "  " * depth
    return Row(kind, None if left is None else indent + left, None if right is None else indent + right)


def _by_lines(left: list[str], right: list[str]) -> Iterator[Row]:
    for operation, a, b, c, d in SequenceMatcher(None, left, right, autojunk=True).get_opcodes():
        kind = SAME if operation == "equal" else MARKED
        for one, other in zip_longest(left[a:b], right[c:d]):
            yield Row(kind, one, other)


def _shortened(laid: list[Row]) -> Iterator[Row]:
    telling = [index for index, row in enumerate(laid) if row.kind in (OTHER, MARKED)]
    near = {near for index in telling for near in range(index - AROUND, index + AROUND + 1)}
    skipped: list[Row] = []
    for index, row in enumerate(laid):
        if telling and index not in near:
            skipped.append(row)
            continue
        yield from _gap(skipped)
        skipped = []
        yield row
    yield from _gap(skipped)


def _gap(skipped: list[Row]) -> list[Row]:
    """One line takes no more room than the word that it is left out."""
    return skipped if len(skipped) < _WORTH_A_GAP else [Row(GAP, f"{len(skipped)} lines that are alike", None)]
