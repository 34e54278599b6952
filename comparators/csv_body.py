"""Compares two bodies as tables: the delimiter, the order of rows, each cell as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice, zip_longest
from typing import Final

from comparators.context import Context
from comparators.texts import around, as_texts, first_difference, without_mark

_DELIMITERS: Final = ",;\t|"
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*+"')
_MOST_CELLS: Final = 5

Row = list[str]


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two tables part: RFC 4180 read generously; quoting, line ends, a last line end do not count."""
    left, right = without_mark(*as_texts(legacy, modern), context)
    if left == right:
        return
    one, two = delimiter_of(left), delimiter_of(right)
    if one != two:
        context.differ("@body", "value", f"delimiter {one!r}", f"delimiter {two!r}")
        return
    legacy_rows, modern_rows = rows(left, one), rows(right, two)
    context.spend(sum(map(len, legacy_rows)) + sum(map(len, modern_rows)))
    _compare(legacy_rows, modern_rows, context)


def rows(text: str, delimiter: str) -> list[Row]:
    """Return the rows of a table; a quote that is never closed, or has text after it, is a plain character."""
    found: list[Row] = [[]]
    for cell in _cells(delimiter).finditer(text):
        quoted, plain, end = cell.groups()
        found[-1].append(plain if quoted is None else quoted.replace('""', '"'))
        if end != delimiter:
            found.append([])
        if not end:
            break
    # The line end of the last row opens no further one.
    while found and found[-1] in ([], [""]):
        found.pop()
    return found


@cache
def _cells(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(rf'(?:"((?:[^"]|"")*+)"(?={mark}|[\r\n]|\Z)|([^{mark}\r\n]*))({mark}|\r\n|\n|\r|\Z)')


def delimiter_of(text: str) -> str:
    """Return the delimiter that stands most often in the first row, outside quotes."""
    first = re.split(r"[\r\n]", _QUOTED.sub("", text[:65536].lstrip("\r\n")), maxsplit=1)[0]
    return max(_DELIMITERS, key=first.count)


def _compare(legacy: list[Row], modern: list[Row], context: Context) -> None:
    if len(legacy) != len(modern):
        context.differ("@body", "length", f"{len(legacy)} rows", f"{len(modern)} rows")
    elif Counter(map(tuple, legacy)) == Counter(map(tuple, modern)):
        _order(legacy, modern, context)
        return
    # Rows of one table that is longer are shifted from there on: one cell shows where.
    most = _MOST_CELLS if len(legacy) == len(modern) else 1
    apart = _apart(legacy, modern, context)
    for row, column, one, two in islice(apart, most):
        _differ(f"row {row}, column {column}", one, two, context)
    if most > 1 and (further := next(apart, None)) is not None:
        # Who hides these cells as noise must not hide with them what was no longer looked at.
        row, column, one, two = further
        _differ(f"row {row}, column {column}, not the last", one, two, context)


def _apart(legacy: list[Row], modern: list[Row], context: Context) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Yield the cells that are not the same with their place, counted from 1; None where a row has no such cell."""
    for row, (left, right) in enumerate(zip_longest(legacy, modern, fillvalue=Row()), 1):
        for column, (one, two) in enumerate(zip_longest(left, right), 1):
            if one != two and (one is None or two is None or not context.same_text(one, two)):
                yield row, column, one, two


def _order(legacy: list[Row], modern: list[Row], context: Context) -> None:
    """Say from which row on the same rows stand in another order."""
    for number, (left, right) in enumerate(zip(legacy, modern, strict=True), 1):
        if left != right:
            context.differ("@body", "order", f"row {number}: {_shown(left)}", f"row {number}: {_shown(right)}")
            return


def _differ(place: str, one: str | None, two: str | None, context: Context) -> None:
    if one is None:
        context.differ("@body", "extra", "", f"{place}: {two}")
    elif two is None:
        context.differ("@body", "missing", f"{place}: {one}", "")
    else:
        at = first_difference(one, two)
        context.differ("@body", "value", f"{place}: {around(one, at)}", f"{place}: {around(two, at)}")


def _shown(row: Row) -> str:
    return ",".join(row)
