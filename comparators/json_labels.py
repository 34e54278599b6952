"""What a value in JSON is called where its member's name does not say it: by a neighbour, by the head of its column.

`{"code": "grand_total", "value": 12.00}`, `{"columns": ["id", "price"], "rows": [[1, 12.00]]}`, a list of lists whose
first one names the others' cells. Names of members alone say that a value is about money or what is due elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from comparators.sensitive_names import may_name

_VALUES: Final = frozenset(
    {"content", "data", "display", "displayValue", "display_value", "formatted", "formattedValue",
     "formatted_value", "raw", "text", "v", "val", "value", "values"}
)  # fmt: skip
"""Names that say nothing about what they name."""
NAMES: Final = (
    "name", "code", "key", "label", "title", "field", "attribute", "attribute_code", "property", "metric", "id",
)  # fmt: skip
"""Members, elements and attributes that say what the value beside them is called."""
_HEADS: Final = ("columns", "headers", "header", "head", "headings", "fields", "cols", "labels", "names", "keys")
_IN_A_HEAD: Final = ("name", "key", "field", "data", "label", "title", "id")
_DEEPEST: Final = 32
"""Levels, each of which is walked for each value."""


def may_be_labelled(step: Any) -> bool:
    """Whether a value that this step leads to may go by what its neighbours call it."""
    return type(step) is int or step in _VALUES


def labels(document: Any, steps: Sequence[Any]) -> list[str]:
    """Return what neighbours call the value that these steps lead to; none where they call it nothing.

    Steps are names of members and indices, the latter as numbers or as their digits. What has a name of its own goes by
    that, whatever the object is called that it is in.
    """
    found: list[str] = []
    above: list[tuple[Any, Any]] = []
    here = document
    if len(steps) > _DEEPEST:
        return []
    for step in steps:
        if type(here) is dict:
            if step in _VALUES:
                found += [each for name in NAMES if name != step and type(each := here.get(name)) is str]
            else:
                found.clear()
            inner = here.get(step)
        elif type(here) is list and (index := _index(step, len(here))) is not None:
            found.append(_head(above, index))
            inner = here[index]
        else:
            break
        above.append((here, step))
        here = inner
    return [each for each in found if each and may_name(each)]


def _index(step: Any, length: int) -> int | None:
    index = step if type(step) is int else int(step) if type(step) is str and step.isdecimal() else -1
    return index if 0 <= index < length else None


def _head(above: Sequence[tuple[Any, Any]], index: int) -> str:
    """Return the name of a cell of the row that the last of these steps leads to."""
    if not above:
        return ""
    rows, step = above[-1]
    if type(rows) is dict:
        return _beside(rows, step, index) if step in _VALUES else ""
    first = rows[0]
    if step not in {0, "0"} and type(first) is list and index < len(first) and type(first[index]) is str:
        return str(first[index])
    return _beside(*above[-2], index) if len(above) > 1 and type(above[-2][0]) is dict else ""


def _beside(table: dict[str, Any], step: Any, index: int) -> str:
    """Return the name of a column that stands beside a list of rows, or of cells."""
    for name in _HEADS:
        cells = table.get(name)
        if name != step and type(cells) is list and index < len(cells):
            return _named(cells[index])
    return ""


def _named(cell: Any) -> str:
    if type(cell) is dict:
        return next((each for name in _IN_A_HEAD if type(each := cell.get(name)) is str), "")
    return cell if type(cell) is str else ""
