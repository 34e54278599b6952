"""Takes the columns of secrets out of a table of text."""

from __future__ import annotations

from typing import Final

from comparators.csv_body import delimiter_of, rows
from comparators.mask import Mask
from comparators.redact_names import Names

_TABLES: Final = ("text/csv", "application/csv")


def redacted(text: str, media: str, names: Names, mask: Mask) -> str:
    """Return a table with the cells under a secret's heading masked; what is no table as it is."""
    if media not in _TABLES:
        return text
    delimiter = delimiter_of(text)
    table = rows(text, delimiter)
    hidden = {
        column for column, heading in enumerate(table[0] if table else []) if names.is_secret(heading.strip("\ufeff "))
    }
    if not hidden:
        return text
    shown = [[mask.of(cell) if column in hidden else cell for column, cell in enumerate(row)] for row in table[1:]]
    return "".join(delimiter.join(map(_quoted, row)) + "\n" for row in [table[0], *shown])


def _quoted(cell: str) -> str:
    """Return a cell as RFC 4180 writes it; quoted always, so that whatever splits it later splits it alike."""
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'
