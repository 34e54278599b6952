"""Removes secrets that stand beside the words that name them: in forms, tables of a page, parts of a message, pairs.

The name is not part of what holds the value, as a member's or an attribute's is: it is the text of a label, a heading
of a column, the first of two. What is masked too often is a word beside the word "password".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any, Final

Mask = Callable[[str], str]
IsSecret = Callable[[str], bool]

_LONGEST: Final = 60
_LABELS: Final = re.compile(
    r"<(th|td|dt|label|strong|b|span|div|p|li|em|legend|key|name|field)\b[^<>]{0,400}>\s{0,40}([^<>]{1,80}?)[\s:*]{0,40}"
    r"(?:</?(?:span|b|strong|em|i|small|abbr|label)\b[^<>]{0,400}>[\s:*]{0,40}){0,4}"
    r"(?=<)",
    re.IGNORECASE,
)
# What stands between a label and its value: ends, and beginnings of what may hold one.
_BETWEEN: Final = re.compile(
    r"(?:\s+|:|</[\w:]{1,20}\s{0,20}>|<br\s{0,9}/?>|<(td|dd|div|span|p|code|pre|output|b|i|em|strong|small|kbd|samp|tt|"
    r"data|value|content|text|string|textarea)\b[^<>]{0,400}>){1,12}",
    re.IGNORECASE,
)
_TEXT: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|[^<]+", re.DOTALL)
_FIELD: Final = re.compile(r"<(?:input|button|meter|data|param)\b[^>]{0,4000}>?", re.IGNORECASE)
_HELD: Final = re.compile(r"""\b((?:value|content)\s?=\s?)("[^"]*"?|'[^']*'?|(?!<redacted:)[^\s"'>]+)""", re.IGNORECASE)
_NAMED: Final = re.compile(r"<([A-Za-z][\w:.-]{0,40})\s([^<>]{1,2000})>([^<]*)")
_NAME: Final = re.compile(r"""\b(?:name|key|property|field|setting)\s?=\s?["']?([^"'<>]{1,80})""", re.IGNORECASE)
_NO_VALUE: Final = frozenset(
    {"a", "body", "button", "fieldset", "form", "frame", "iframe", "input", "label", "map", "object", "optgroup",
     "option", "script", "select", "slot", "style"}
)  # fmt: skip
"""Elements of a page whose text is not the value of what they are named for."""
_SURE: Final = frozenset({"td", "th", "dt", "label", "key", "name", "field"})
"""Elements that name what follows; others only where a colon does, or what follows is one word."""

_ROWS: Final = re.compile(r"<tr\b[^<>]{0,400}>", re.IGNORECASE)
_HEADINGS: Final = re.compile(r"<th\b[^<>]{0,400}>([^<]{0,80})", re.IGNORECASE)
_CELLS: Final = re.compile(r"(<t[dh]\b[^<>]{0,400}>(?:\s|<(?!/?t[dhr]\b)[^<>]{0,400}>)*)([^<]+)", re.IGNORECASE)
_TABLE_END: Final = re.compile(r"</table\b|<table\b", re.IGNORECASE)

_PART: Final = re.compile(
    r"(content-disposition:[^\r\n]{0,200}?\bname=\"?([^\";\r\n]{1,80})[^\r\n]{0,300}\r?\n(?:[^\r\n]{1,300}\r?\n){0,8}\r?\n)"
    r"((?:(?!\r?\n--)[\s\S])+)",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(
    r"""(?:\[|\barray\(|\()\s{0,40}(\\?["'])([^"'\\\r\n]{1,60})\1\s{0,40}(?:,|=>)\s{0,40}"""
    r"""(?:(\\?["'])((?:(?!\3)[^\r\n]){1,4000})\3|([0-9.]{1,40}))(?=\s{0,40}[\])])"""
)
_ROW: Final = re.compile(
    r"""["']?\b(?:name|key|field|id|label|title|caption|header|property|setting|attribute|param|parameter|variable)["']?"""
    r"""\s{0,4}:\s{0,4}["']([^"'\r\n]{1,60})["'](?:[^{}]{0,300}?[,\s])?["']?\b(?:value|val|content|data|text|default|answer)["']?"""
    r"""\s{0,4}:\s{0,4}("[^"]*"?|'[^']*'?|[^\s,{}\[\]"']+)"""
)


def is_label(text: str, is_secret: IsSecret) -> bool:
    """Whether a text is the label of a secret: a few words, no sentence."""
    bare = unescape(text).strip(" \t\r\n:*\xa0")
    return 0 < len(bare) <= _LONGEST and bare[-1] not in "?.!" and is_secret(bare)


def without_labelled(text: str, mask: Mask, is_secret: IsSecret) -> str:
    """Return a text with what stands beside a secret's label masked; time grows with its length alone."""
    if "<" in text:
        text = _columns(text, mask, is_secret)
        text = _beside(text, mask, is_secret)
        text = _NAMED.sub(lambda found: _named(found, mask, is_secret), text)
    if "isposition:" in text or "ISPOSITION:" in text:
        text = _PART.sub(lambda found: found[1] + mask(found[3]) if is_secret(found[2]) else found[0], text)
    if "[" in text or "(" in text:
        text = _PAIR.sub(lambda found: _second(found, mask) if is_label(found[2], is_secret) else found[0], text)
    if ":" in text:
        text = _ROW.sub(lambda found: _held(found, mask) if is_label(found[1], is_secret) else found[0], text)
    return text


def _second(found: re.Match[str], mask: Mask) -> str:
    at = 4 if found[5] is None else 5
    return f"{found[0][: found.start(at) - found.start()]}{mask(found[at])}{found[3] or ''}"


def _held(found: re.Match[str], mask: Mask) -> str:
    return found[0][: found.start(2) - found.start()] + _in_quotes(found[2], mask)


def _in_quotes(value: str, mask: Mask) -> str:
    quote = value[0] if value[0] in "\"'" else ""
    if not quote:
        return value if value in {"null", "true", "false"} else mask(value)
    closing = quote if len(value) > 1 and value.endswith(quote) else ""
    return quote + mask(value[1 : len(value) - len(closing)]) + closing


def _beside(text: str, mask: Mask, is_secret: IsSecret) -> str:
    """Mask the text or the field that follows a label."""
    shown: list[str] = []
    done = 0
    for found in _LABELS.finditer(text):
        if found.start() < done or not is_label(found[2], is_secret):
            continue
        between = _BETWEEN.match(text, found.end())
        at = found.end() if between is None else between.end()
        tag = found[1].lower()
        if (field := _FIELD.match(text, at)) is not None:
            held = _HELD.sub(lambda value: value[1] + _in_quotes(value[2], mask), field[0])
            shown += text[done:at], held
            done = field.end()
        elif (value := _TEXT.match(text, at)) is not None and (
            tag in _SURE or ":" in text[found.start(2) : at] or " " not in value[0].strip()
        ):
            bare = value[0].strip()
            start = value.start() + value[0].find(bare)
            shown += text[done:start], mask(bare)
            done = start + len(bare)
    return "".join((*shown, text[done:]))


def _named(found: re.Match[str], mask: Mask, is_secret: IsSecret) -> str:
    """Mask what an element holds that a secret's name is an attribute of: `<field name="password">…`."""
    named = _NAME.search(found[2])
    if named is None or not is_secret(named[1]) or found[1].lower() in _NO_VALUE:
        return found[0]
    attributes = _HELD.sub(lambda value: value[1] + _in_quotes(value[2], mask), found[2])
    bare = found[3].strip()
    return f"<{found[1]} {attributes}>{found[3].replace(bare, mask(bare)) if bare else found[3]}"


def _columns(text: str, mask: Mask, is_secret: IsSecret) -> str:
    """Mask the cells of a table of a page whose column is headed by a secret's name."""
    starts = [found.start() for found in _ROWS.finditer(text)]
    if not starts:
        return text
    shown = [text[: starts[0]]]
    hidden: set[int] = set()
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        row = text[start:end]
        headings = _HEADINGS.findall(row)
        if len(headings) > 1:
            hidden = {at for at, heading in enumerate(headings) if is_label(heading, is_secret)}
        elif hidden:
            row = _row(row, hidden, mask)
        shown.append(row)
        if _TABLE_END.search(row):
            hidden = set()
    return "".join(shown)


def _row(row: str, hidden: set[int], mask: Mask) -> str:
    shown: list[str] = []
    for column, cell in enumerate(re.split(r"(?i)(?=<t[dh]\b)", row)[1:]):
        found = _CELLS.match(cell)
        if column not in hidden or found is None or not found[2].strip():
            shown.append(cell)
        else:
            shown.append(found[1] + mask(found[2].strip()) + cell[found.end() :])
    return re.split(r"(?i)(?=<t[dh]\b)", row, maxsplit=1)[0] + "".join(shown)


def columns_of(rows: list[Any], is_secret: IsSecret) -> set[int]:
    """Return which columns of a list of lists are secrets': its first row names them, or each row is a pair."""
    first = rows[0] if rows else None
    if len(rows) < 2 or not isinstance(first, list) or not all(isinstance(each, str) for each in first):  # noqa: PLR2004 - a heading and a row
        return set()
    if any(not isinstance(row, list) or len(row) != len(first) for row in rows):
        return set()
    return {at for at, name in enumerate(first) if is_label(name, is_secret)}


def is_pair(items: list[Any], is_secret: IsSecret) -> bool:
    """Whether a list is a secret's name and its value."""
    return (
        len(items) == 2  # noqa: PLR2004 - a pair
        and isinstance(items[0], str)
        and not isinstance(items[1], list | dict)
        and is_label(items[0], is_secret)
    )
