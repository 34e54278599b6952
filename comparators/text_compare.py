"""Compares what is read as text: plain text, CSV, bytes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from itertools import islice, zip_longest
from typing import Final

from comparators import charsets
from comparators.body_kind import media_type
from comparators.context import Context
from comparators.literals import first_difference
from comparators.model import Capture
from comparators.noise_bytes import BYTES
from comparators.noise_rules import MASKED
from comparators.sensitive_names import may_name

# Reads two bodies as text in one common way, cuts what is shown of them around their first difference.


_BOM: Final = "\ufeff"
_UTF_8: Final = "utf-8"
_PAGE: Final = "text/html"
_PROPERTY: Final = re.compile(r"[A-Z][A-Z-]{0,40}(?=[;:])")
"""A line of iCalendar, vCard and their like."""
_BEFORE: Final = 30
_AFTER: Final = 120


def as_declared(legacy: bytes, modern: bytes, context: Context) -> tuple[str, str]:
    """Decode both as what they declare, where the preset's `charset` is on and one is not UTF-8; else `as_texts`."""
    if context.has("charset"):
        codecs = _codec(context.legacy, legacy), _codec(context.modern, modern)
        if set(codecs) - {None, _UTF_8}:
            left, right = charsets.read(legacy, codecs[0] or _UTF_8), charsets.read(modern, codecs[1] or _UTF_8)
            if left is not None and right is None and codecs[1] is not None:
                # Modern's own label is wrong: its users see replacement characters, whatever bytes they are.
                return left, modern.decode(codecs[1], "replace")
            if left is not None and right is not None:
                context.charsets = (codecs[0] or _UTF_8, codecs[1] or _UTF_8)
                if legacy != modern and left == right:
                    context.forgive("charset")
                return left, right
    return as_texts(legacy, modern)


def _codec(capture: Capture, body: bytes) -> str | None:
    named = charsets.declared(capture)
    return charsets.in_page(body) if named is None and media_type(capture) == _PAGE else named


def as_texts(legacy: bytes, modern: bytes) -> tuple[str, str]:
    """Decode both as UTF-8, or both as Latin-1 where one of them is not: two different bodies never become one."""
    try:
        return legacy.decode(), modern.decode()
    except UnicodeDecodeError:
        return legacy.decode("latin-1"), modern.decode("latin-1")


def without_mark(legacy: str, modern: str, context: Context) -> tuple[str, str]:
    """Take the byte order mark off both where the preset forgives legacy's, where legacy is held against itself."""
    bare = legacy.removeprefix(_BOM)
    if bare != legacy and context.has("bom_ws"):
        if not modern.startswith(_BOM):
            context.forgive("bom_ws")
        return bare, modern.removeprefix(_BOM)
    return legacy, modern


def around(text: str, at: int) -> str:
    """Return the piece of a text around an index, with an ellipsis where more stands."""
    start, end = max(0, at - _BEFORE), at + _AFTER
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def parted(legacy: str, modern: str, whole: bytes, other: bytes) -> tuple[str, str]:
    """Return what two bodies begin with, where that is the same the pieces around their first difference."""
    if legacy != modern:
        return legacy, modern
    left, right = whole.decode("utf-8", "replace"), other.decode("utf-8", "replace")
    at = first_difference(left, right)
    return around(left, at), around(right, at)


_MOST: Final = 8


def text_differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find the first lines in which two texts part; `length` where one has more of them.

    The operator's patterns are blanked and own hosts undone before that; line ends count.
    """
    left, right = without_mark(*as_declared(legacy, modern, context), context)
    if context.same_text(left, right):
        return
    ours, theirs = left.split("\n"), right.split("\n")
    if len(ours) != len(theirs):
        context.differ("@body", "length", f"{len(ours)} lines", f"{len(theirs)} lines")
        _at_first(left, right, context)
        return
    shown, most, before = 0, context.places(_MOST), _by_line(context)
    start = first_difference(ours, theirs)
    for number, (one, two) in enumerate(zip(ours[start:], theirs[start:], strict=True), start + 1):
        name = _PROPERTY.match(one)
        if not context.same_text(
            one, two, place=f"line {number}", shown=partial(_line, number), name=name[0] if name is not None else ""
        ):
            one, two = _text_shown(one, two, context)  # noqa: PLW2901 - what is masked is not what differs
            at = first_difference(one, two)
            # Who hides a line as noise must not hide with it the lines that were no longer looked at.
            place = f"line {number}" if shown < most else f"line {number}, not the last"
            context.differ("@body", "value", f"{place}: {around(one, at)}", f"{place}: {around(two, at)}")
            shown += 1
            if shown > most:
                return
    if not shown and _by_line(context) == before:
        # Blanked or readdressed as a whole they differ, line by line they do not: a pattern reaches over a line end.
        _at_first(left, right, context)


def _by_line(context: Context) -> int:
    """Return how much was forgiven that is known of single lines alone."""
    return context.forgiven.get("noise", 0) + context.forgiven.get("clock", 0)


def _line(number: int) -> str:
    return f"line {number}"


def _at_first(legacy: str, modern: str, context: Context) -> None:
    legacy, modern = _text_shown(legacy, modern, context)
    at = first_difference(legacy, modern)
    line = legacy.count("\n", 0, at) + 1
    context.differ("@body", "value", f"line {line}: {around(legacy, at)}", f"line {line}: {around(modern, at)}")


def _text_shown(legacy: str, modern: str, context: Context) -> tuple[str, str]:
    """Return two texts with what is masked in them left out."""
    left, right = context.without_noise(legacy, modern)
    return left.replace(MASKED, "…"), right.replace(MASKED, "…")


# Compares two bodies byte by byte.


_SHOWN: Final = 16
_STRETCH: Final = _SHOWN - 1
_FARTHEST: Final = 4096
_LINE: Final = b"\n"


def bytes_differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find the stretches of bytes in which two bodies differ, the first few, shown in hexadecimal.

    `length` where one begins with the other. Where legacy is known to vary, bodies with as many lines are held together
    line by line (a PDF whose date and total are longer): what it varies by itself hides no other line.
    """
    if legacy == modern:
        return
    if legacy.startswith(modern) or modern.startswith(legacy):
        at = min(len(legacy), len(modern))
        context.differ("@body", "length", _bytes_shown(legacy, at), _bytes_shown(modern, at))
        return
    found = _apart(legacy, modern, context)
    for at, to in islice(found, context.places(_MOST)):
        context.differ("@body", "value", _bytes_shown(legacy, at), _bytes_shown(modern, to))
    if (further := next(found, None)) is not None:
        # Who hides these ranges as noise must not hide with them what was no longer looked at.
        context.differ(
            "@body", "value", f"not the last, {_bytes_shown(legacy, further[0])}", _bytes_shown(modern, further[1])
        )


def _apart(legacy: bytes, modern: bytes, context: Context) -> Iterator[tuple[int, int]]:
    """Yield where stretches begin in either body."""
    if not context.minds_places:
        yield from _unlike(legacy, modern)
        return
    ours, theirs = legacy.split(_LINE), modern.split(_LINE)
    if len(ours) != len(theirs):
        ours, theirs = [legacy], [modern]
    at = to = 0
    for number, (one, two) in enumerate(zip(ours, theirs, strict=True), 1):
        if one != two and not _is_noise(one, two, number, context):
            yield from ((at + here, to + there) for here, there in _unlike(one, two))
        at, to = at + len(one) + 1, to + len(two) + 1


def _is_noise(one: bytes, two: bytes, number: int, context: Context) -> bool:
    place = f"{BYTES} of line {number}"
    return context.same_but_noise(one.decode("latin-1"), two.decode("latin-1"), "@body", place, lambda: place)


def _unlike(one: bytes, two: bytes) -> Iterator[tuple[int, int]]:
    """Yield where stretches begin in either body that show, one after another, what differs.

    A difference ends where both go on with `_SHOWN` same bytes, or have the same end: whatever lengths its sides have,
    the differences before and behind it stay told. It is told once in `_STRETCH` bytes of legacy, one less than what
    parts two of them: so one that grows until it reaches another is told as often as both were.
    """
    at = to = _skipped(one, two, 0, 0)
    end = min(_skipped(one[::-1], two[::-1], 0, 0), min(len(one), len(two)) - at)
    last, final = len(one) - end, len(two) - end
    while at < last or to < final:
        meet = _meeting(one[at : last + _SHOWN], two[to : final + _SHOWN], (last - at, final - to))
        here, there = meet or (last - at, final - to)
        steps = range(0, max(1, here, 0 if meet is not None else there), _STRETCH)
        yield from ((at + min(step, here), to + min(step, there)) for step in steps)
        if meet is None:
            return
        same = _skipped(one, two, at + here, to + there)
        at, to = at + here + same, to + there + same


def _meeting(one: bytes, two: bytes, ends: tuple[int, int]) -> tuple[int, int] | None:
    """Return where two bodies that differ from their beginning on go on alike; None where that is too far to look for.

    The next place of all is taken, of two the one with the least between: the last one of bytes that repeat.
    """
    last, final = ends
    ours: dict[bytes, int] = {}
    theirs: dict[bytes, int] = {}
    for size in range(min(max(ends), _FARTHEST)):
        left, right = one[size : size + _SHOWN], two[size : size + _SHOWN]
        if size < last and len(left) == _SHOWN:
            ours[left] = size
        if size < final and len(right) == _SHOWN:
            theirs[right] = size
        for found in (right, left):
            if found in ours and found in theirs:
                return ours[found], theirs[found]
    return ends if max(ends) <= _FARTHEST else None


def _skipped(one: bytes, two: bytes, at: int, to: int) -> int:
    """Return how many bytes both have in common from there on; in steps that grow, at the cost of what is in common."""
    size, step = 0, 64
    while (left := one[at + size : at + size + step]) == (right := two[to + size : to + size + step]):
        if not left:
            return size
        size, step = size + step, step * 2
    return size + first_difference(left, right)


def _bytes_shown(body: bytes, at: int) -> str:
    return f"{len(body)} bytes, from {at}: {body[at : at + _SHOWN].hex()}"


# Compares two bodies as tables: the delimiter, the order of rows, each cell as text.


_DELIMITERS: Final = ",;\t|"
_TABS: Final = "text/tab-separated-values"
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*+"')
_MOST_CELLS: Final = 5

Row = list[str]


def csv_differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two tables part: RFC 4180 read generously; quoting, line ends, a last line end do not count."""
    left, right = without_mark(*as_declared(legacy, modern, context), context)
    if left == right:
        return
    if media_type(context.legacy) == media_type(context.modern) == _TABS:
        # Between tabs a quote is a character.
        legacy_rows, modern_rows = _without_last(_plain_rows(left, "\t")), _without_last(_plain_rows(right, "\t"))
    else:
        one, two = delimiter_of(left), delimiter_of(right)
        if one != two:
            context.differ("@body", "value", f"delimiter {one!r}", f"delimiter {two!r}")
            return
        legacy_rows, modern_rows = rows(left, one), rows(right, two)
    # Cells are cheaper than other values: a mebibyte of empty ones on both sides has to fit.
    context.spend((sum(map(len, legacy_rows)) + sum(map(len, modern_rows))) // 2)
    _compare(legacy_rows, modern_rows, context)


def rows(text: str, delimiter: str) -> list[Row]:
    """Return the rows of a table; a quote that is never closed, or has text after it, is a plain character."""
    return _without_last(_quoted_rows(text, delimiter) if '"' in text else _plain_rows(text, delimiter))


def _without_last(found: list[Row]) -> list[Row]:
    """Take out what the line end of the last row opens: no further one."""
    while found and found[-1] in ([], [""]):
        found.pop()
    return found


def _plain_rows(text: str, delimiter: str) -> list[Row]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line.split(delimiter) for line in lines]


def _quoted_rows(text: str, delimiter: str) -> list[Row]:
    found: list[Row] = [[]]
    for cell in _cells(delimiter).finditer(text):
        quoted, plain, end = cell.groups()
        found[-1].append(plain if quoted is None else quoted.replace('""', '"'))
        if end != delimiter:
            found.append([])
        if not end:
            break
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
    start = first_difference(legacy, modern)
    if len(legacy) != len(modern):
        context.differ("@body", "length", f"{len(legacy)} rows", f"{len(modern)} rows")
    elif Counter(map(tuple, legacy[start:])) == Counter(map(tuple, modern[start:])):
        _order(legacy, modern, start, context)
        return
    # Rows of one table that is longer are shifted from there on: one cell shows where.
    most = context.places(_MOST_CELLS) if len(legacy) == len(modern) else 1
    apart = _apart_csv_body(legacy, modern, start, context)
    for row, column, one, two in islice(apart, most):
        _differ(f"row {row}, column {column}", one, two, context)
    if most > 1 and (further := next(apart, None)) is not None:
        # Who hides these cells as noise must not hide with them what was no longer looked at.
        row, column, one, two = further
        _differ(f"row {row}, column {column}, not the last", one, two, context)


def _apart_csv_body(
    legacy: list[Row], modern: list[Row], start: int, context: Context
) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Yield the cells that are not the same with their place, counted from 1; None where a row has no such cell."""
    for row, (left, right) in enumerate(zip_longest(legacy[start:], modern[start:], fillvalue=Row()), start + 1):
        for column, (one, two) in enumerate(zip_longest(left, right), 1):
            if one == two:
                continue
            name = legacy[0][column - 1] if row > 1 and column <= len(legacy[0]) else ""
            if column > 1 and left and may_name(left[0]):
                name = f"{left[0]} {name}".strip()
            place = f"row {row}, column {column}"
            if one is None or two is None or not _is_same_cell(one, two, place, name, context):
                yield row, column, one, two


def _is_same_cell(one: str, two: str, place: str, name: str, context: Context) -> bool:
    """Whether two cells are the same; `name` stands before them, above them in the first row."""
    place = place if context.minds_places else ""
    return (
        context.same_text(one, two, place=place, shown=lambda: place, name=name)
        or context.same_moment(one, two)
        or context.same_clock(one, two, lambda: (name,))
    )


def _order(legacy: list[Row], modern: list[Row], start: int, context: Context) -> None:
    """Say from which row on the same rows stand in another order."""
    for number, (left, right) in enumerate(zip(legacy[start:], modern[start:], strict=True), start + 1):
        if left != right:
            context.differ("@body", "order", f"row {number}: {_csv_shown(left)}", f"row {number}: {_csv_shown(right)}")
            return


def _differ(place: str, one: str | None, two: str | None, context: Context) -> None:
    if one is None:
        context.differ("@body", "extra", "", f"{place}: {two}")
    elif two is None:
        context.differ("@body", "missing", f"{place}: {one}", "")
    else:
        at = first_difference(one, two)
        context.differ("@body", "value", f"{place}: {around(one, at)}", f"{place}: {around(two, at)}")


def _csv_shown(row: Row) -> str:
    return ",".join(row)
