"""Says what a text or an attribute of a page is there for: for money, for a date that something is due.

Its classes, name, id and microdata (`class="total"`, `itemprop="price"`) and those around it; the name before it
(`<th>Total</th><td>`, `<dt>Total</dt><dd>`, `Total: <b>`, `<label>Total</label>`), the name above its column. Of a
value in JSON its name says that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from comparators.html_tokens import END, START, TEXT, Stream, Token
from comparators.noise_rules import is_currency
from comparators.sensitive_names import looks_due, looks_money, may_name

_ROLES: Final = ("class", "itemprop", "property", "name", "id")
_HELD: Final = frozenset({"content", "datetime", "max", "min", "title", "value"})
"""Attributes that say what their element's text says elsewhere."""
_LAYOUT: Final = re.compile(
    r"(?:\w+:)*(?:align|border|content|dropdown|flex|float|grid|items|justify|menu|offcanvas|place|rounded|self|text)"
    r"(?:-\w+)*-(?:end|balance)(?:-\w+)?|end(?:-\w+)?|(?:after|before):.*"
    r"|(?:footer|image|media|photo|picture|site)-credits?"
    r"|is-valid|valid-(?:feedback|tooltip)"
)
"""Classes that say where a thing stands: `text-end`, `justify-content-md-end`, `after:mr-2`."""
_DRESS: Final = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "code", "data", "del", "em", "i", "ins", "mark", "optgroup", "option", "p", "s",
     "small", "span", "strong", "sub", "sup", "time", "u"}
)  # fmt: skip
"""Elements whose text is what the element around them is there for."""
_WRAPPERS: Final = frozenset({"article", "body", "footer", "form", "header", "html", "main", "nav", "section", "table"})
"""Elements with more in them than their name could speak for."""
_CELLS: Final = frozenset({"td", "dd"})
_NAMES: Final = frozenset({"th", "dt"})
_CELLS_AND_NAMES: Final = _CELLS | _NAMES
_BEGIN_OF_ROW: Final = frozenset({"tr", "dt"})
_LABELS: Final = frozenset({"b", "dt", "h3", "h4", "h5", "h6", "label", "legend", "strong", "th"})
_NEAR: Final = 16
"""How many tokens before a text say what it is about."""
_BETWEEN: Final = 6
"""How many tags a label may be before what it labels."""
_INLINE: Final = _DRESS - {"p", "option", "optgroup"}
_PARTS_OF_A_SUM: Final = 2
"""A price may be written as `€<b>9</b><sup>99</sup>`."""
_SAYING: Final = frozenset({"data", "input", "time"})
"""Elements whose value is a text in their place."""
_MONEY: Final = "currency"
_PARTS: Final = frozenset({"thead", "tbody", "tfoot"})
_SPANS: Final = frozenset(map(str, range(2, 100)))
_LONGEST_LABEL: Final = 60


class Roles:
    """The roles of one page's texts; its tables are read once, when the first column is asked for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._columns: dict[int, str] | None = None

    def of(self, at: int, *, columns: bool) -> str:
        """Return the words around a text; with `columns` also the name above its column, where that counts."""
        tokens = self._stream.before(at, _NEAR)
        if not tokens:
            return ""
        found = [word for each in _around(tokens) for word in _words_of(each.attributes)]
        found += _names_in_row(tokens)
        found.append(_label(tokens))
        if _is_beside_a_currency(tokens, self._stream.tokens[at + 1 : at + 1 + _BETWEEN]):
            found.append(_MONEY)
        if columns:
            found.append(self._column(at))
        return " ".join(filter(None, found))

    def of_attribute(self, at: int, name: str, *, columns: bool) -> str:
        """Return the words that say what an attribute holds: `<meta itemprop="price" content="12.00">`, `data-due`.

        Of a field its label, of a time what stands before it, as for a text in its place.
        """
        if name.startswith("data-"):
            return name
        if name not in _HELD:
            return ""
        token = self._stream.tokens[at]
        found = list(_words_of(token.attributes))
        if token.text in _SAYING:
            return f"{' '.join(found)} {self.of(at, columns=columns)}"
        if token.text in _DRESS:
            found += [word for each in _around(self._stream.before(at, _NEAR)) for word in _words_of(each.attributes)]
        return " ".join(found)

    def _column(self, at: int) -> str:
        if self._columns is None:
            self._columns = _columns_that_count(self._stream.whole())
        return self._columns.get(self._stream.index(at), "")


def _words_of(attributes: Mapping[str, str]) -> Iterator[str]:
    for name in _ROLES:
        if value := attributes.get(name, ""):
            yield " ".join(each for each in value.split() if not _LAYOUT.fullmatch(each)) if name == "class" else value


def _around(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the elements that a text is in, the nearest first, up to one that does more than dress it up."""
    closed = 0
    for token in reversed(tokens):
        if token.kind == END:
            closed += 1
        elif token.kind == START and closed:
            closed -= 1
        elif token.kind == START:
            if token.text in _WRAPPERS:
                return
            yield token
            if token.text not in _DRESS:
                return


def _label(tokens: Sequence[Token]) -> str:
    """Return the text before, where it names what follows: `Total: <b>`, `<label>Total</label>`, `<h5>Total</h5>`."""
    for at in range(len(tokens) - 1, max(0, len(tokens) - _BETWEEN) - 1, -1):
        token = tokens[at]
        if token.kind == TEXT:
            after = tokens[at + 1] if at + 1 < len(tokens) else token
            names = token.text.endswith(":") or (after.kind == END and after.text in _LABELS) or _counts(token.text)
            return token.text[-_LONGEST_LABEL:] if names and not token.text.endswith("?") else ""
        if token.kind == START and token.text in _BEGIN_OF_ROW:
            return ""
    return ""


def _counts(text: str) -> bool:
    """Whether a few words are a name of money or of what is due: `<div>Total</div><div>`, `Total <b>`.

    With a figure they say that of this.
    """
    counts = looks_money((text,)) or looks_due((text,))
    return counts and may_name(text) and not any(map(str.isdigit, text))


def _is_beside_a_currency(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether the text before or behind is a currency: `<span>€</span><span>`, `€<b>100</b><sup>`, `<b> EUR`."""
    near = islice(_in_line(reversed(before[-_BETWEEN:])), _PARTS_OF_A_SUM)
    return any(map(is_currency, near)) or is_currency(next(_in_line(after), ""))


def _in_line(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the texts up to the end of the line, which an element begins that does more than dress a text up."""
    for token in tokens:
        if token.kind == TEXT:
            yield token.text
        elif token.text not in _INLINE:
            return


def _names_in_row(tokens: Sequence[Token]) -> list[str]:
    """Return the names before a cell in its row, its own excepted: headings, and a first cell of a few words.

    Other cells hold what people write (`What does it cost?`).
    """
    found: list[str] = []
    cells, is_name, is_inside = 0, False, False
    for token in tokens:
        if token.kind == START and token.text in _BEGIN_OF_ROW:
            found, cells = [], 0
        if token.kind == START and token.text in _CELLS_AND_NAMES:
            is_name, is_inside, cells = token.text in _NAMES, True, cells + 1
        elif token.kind == END and token.text in _CELLS_AND_NAMES:
            is_inside = False
        elif token.kind == TEXT and is_inside and (is_name or (cells == 1 and may_name(token.text))):
            found.append(token.text)
    return found if is_inside and not is_name else []


def _columns_that_count(tokens: Sequence[Token]) -> dict[int, str]:
    """Return for each text below a name of money or of what is due that name; a table's first row has the names."""
    found: dict[int, str] = {}
    tables: list[_Table] = []
    for at, token in enumerate(tokens):
        if token.kind == START and token.text == "table":
            tables.append(_Table())
        elif not tables:
            continue
        elif token.kind == START:
            tables[-1].start(token)
        elif token.kind == END and token.text == "table":
            tables.pop()
        elif token.kind == TEXT and (name := tables[-1].above(token.text)):
            found[at] = name
    return found


class _Table:
    """A table that is open: the row and column that it has come to, which columns have names that count."""

    def __init__(self) -> None:
        self._row = self._column = 0
        self._wide = 1
        self._is_head = self._is_name = False
        self._names: dict[int, str] = {}

    def start(self, token: Token) -> None:
        """Go on with a part, a row or a cell of the table."""
        tag = token.text
        if tag in _PARTS:
            self._is_head = tag == "thead"
        elif tag == "tr":
            self._row, self._column, self._wide = self._row + 1, 0, 1
        elif tag in {"td", "th"}:
            self._column += self._wide
            wide = token.attributes.get("colspan", "")
            self._wide = int(wide) if wide in _SPANS else 1
            self._is_name = tag == "th" or self._is_head

    def above(self, text: str) -> str:
        """Return the name above a cell's text; note it where it is one, in the first row or the table's head."""
        if self._row > 1 and not self._is_head:
            return self._names.get(self._column, "")
        if self._is_name and (looks_money((text,)) or looks_due((text,))):
            self._names.update(dict.fromkeys(range(self._column, self._column + self._wide), text))
        return ""
