"""Says what a text of a page is there for, by what stands around it: for money, for a date that something is due.

Its classes and microdata (`class="total"`, `itemprop="price"`), the name before it in its row (`<th>Total</th><td>`,
`<dt>Total</dt><dd>`), the name above its column. Of a value in JSON its name says that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from comparators.html_tokens import END, START, TEXT, Stream, Token
from comparators.sensitive_names import looks_money

_ROLES: Final = ("class", "itemprop", "name")
_CELLS: Final = frozenset({"td", "dd"})
_NAMES: Final = frozenset({"th", "dt"})
_CELLS_AND_NAMES: Final = _CELLS | _NAMES
_BEGIN_OF_ROW: Final = frozenset({"tr", "dt"})
_NEAR: Final = 16
"""How many tokens before a text say what it is about."""


class Roles:
    """The roles of one page's texts; its tables are read once, when the first column is asked for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._columns: dict[int, str] | None = None

    def of(self, at: int, *, columns: bool) -> str:
        """Return the words around a text, nothing for one that does not begin its element.

        With `columns` also the name above its column, where that is about money.
        """
        tokens = self._stream.before(at, _NEAR)
        if not tokens or tokens[-1].kind != START:
            return ""
        holder = tokens[-1]
        found = [holder.attributes.get(name, "") for name in _ROLES]
        if holder.text in _CELLS:
            found += _names_in_row(tokens)
        if columns:
            found.append(self._column(at))
        return " ".join(found).strip()

    def _column(self, at: int) -> str:
        if self._columns is None:
            self._columns = _money_columns(self._stream.whole())
        return self._columns.get(self._stream.index(at), "")


def _names_in_row(tokens: Sequence[Token]) -> list[str]:
    """Return the names before a cell in its row; other cells hold what people write (`What does it cost?`)."""
    found: list[str] = []
    is_name = False
    for token in tokens:
        if token.kind == TEXT and is_name:
            found.append(token.text)
        elif token.kind == START and token.text in _CELLS_AND_NAMES:
            is_name = token.text in _NAMES
        if token.kind == START and token.text in _BEGIN_OF_ROW:
            found = []
    return found


def _money_columns(tokens: Sequence[Token]) -> dict[int, str]:
    """Return for each text below a name that is about money that name; the first row of a table has the names."""
    found: dict[int, str] = {}
    tables: list[_Table] = []
    for at, token in enumerate(tokens):
        if token.kind == START and token.text == "table":
            tables.append(_Table())
        elif not tables:
            continue
        elif token.kind == START:
            tables[-1].start(token.text)
        elif token.kind == END and token.text == "table":
            tables.pop()
        elif token.kind == TEXT and (name := tables[-1].above(token.text)):
            found[at] = name
    return found


class _Table:
    """A table that is open: the row and column that it has come to, which columns have names about money."""

    def __init__(self) -> None:
        self._row = self._column = 0
        self._is_name = False
        self._names: dict[int, str] = {}

    def start(self, tag: str) -> None:
        """Go on with a row or a cell."""
        if tag == "tr":
            self._row, self._column = self._row + 1, 0
        elif tag in {"td", "th"}:
            self._column += 1
            self._is_name = tag == "th"

    def above(self, text: str) -> str:
        """Return the name above a cell's text; note it where it is one, in the first row."""
        if self._row > 1:
            return self._names.get(self._column, "")
        if self._is_name and looks_money((text,)):
            self._names[self._column] = text
        return ""
