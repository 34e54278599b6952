"""Removes secrets from JSON and text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus

from comparators.html_volatile import is_token_name
from comparators.json_parse import NotJson, TooDeep, parse
from comparators.paths import after, closure, steps
from comparators.personal_data import without_personal
from comparators.redaction_labels import columns_of, is_pair, without_labelled
from comparators.sensitive_names import Mask, looks_secret
from comparators.values import Number, exact

# Decides which members are secret: by their name, or by configuration.


Rests = frozenset[tuple[str, ...]]
NAMES: Final = frozenset(
    {"name", "key", "field", "fieldname", "label", "id", "option_name", "meta_key", "title", "caption", "header",
     "property", "setting", "attribute", "param", "parameter", "variable", "question"}
)  # fmt: skip
HOLDS: Final = frozenset(
    {"value", "val", "content", "data", "text", "values", "option_value", "meta_value", "default", "answer", "current"}
)
"""Members of a row in a list of fields: what is called so, what it holds."""


class Names:
    """What to redact; `fields` are JSON pointers with `*` and `**`, or plain names. Nothing changes.

    `is_secret` caches names: a page has the same few a thousand times.

    Outside JSON there are no pointers: there a field's last name stands for it.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        patterns = [steps(field) if field.startswith("/") else ("**", field) for field in fields]
        self.rests: Rests = closure(pattern for pattern in patterns if pattern)
        self.is_secret = lru_cache(maxsize=4096)(self._is_secret)
        self._named = {pattern[-1].lower() for pattern in patterns if pattern} - {"*", "**"}

    def is_named_row(self, members: Mapping[str, Any]) -> bool:
        """Whether an object is a row whose name makes its value secret: `{"name": "password", "value": …}`."""
        return any(
            name.lower() in NAMES and isinstance(held, str) and self.is_secret(held) for name, held in members.items()
        )

    def is_named(self, name: str) -> bool:
        """Whether the operator named a field of this name, wherever it stands."""
        return name.lower() in self._named

    def _is_secret(self, name: str) -> bool:
        """Whether a name outside JSON is a secret's: of a header, a parameter, a column, an element."""
        plain = unquote_plus(name)
        # PHP writes user[email], XML s:email, JavaScript user.email.
        last = plain.rstrip("]").replace("[", ".").replace(":", ".").rpartition(".")[2]
        return (
            looks_secret(plain)
            or looks_secret(last)
            or is_token_name(last)
            or self.is_named(plain)
            or self.is_named(last)
        )

    def covers(self, pointer: str) -> bool:
        """Whether what stands at a pointer is secret, or lies inside something that is."""
        rests = self.rests
        for step in steps(pointer):
            if looks_secret(step):
                return True
            rests = after(rests, step)
            if () in rests:
                return True
        return False


# Finds numbers that are payment cards by their check digit.


_SHORTEST: Final = 13
_LONGEST: Final = 19
# Digits in groups of three or more, as cards print them; letters, dots or more digits around make it something else.
_DIGITS: Final = re.compile(r"(?<![\w.])[0-9]{3,}(?:(?:[ +-]|%20)[0-9]{3,})*(?![\w]|\.[0-9])")
_GROUP: Final = re.compile(r"[0-9]{3,}(?:[ +-]|%20)?")
# With dots only in the groups that are printed on a card: anything else is an address or an amount.
_DOTTED: Final = re.compile(
    r"(?<![\w.])(?:[2-6][0-9]{3}\.[0-9]{4}\.[0-9]{4}\.[0-9]{4}|3[0-9]{3}\.[0-9]{6}\.[0-9]{5})(?![\w]|\.[0-9])"
)


def is_card(digits: str) -> bool:
    """Whether these digits are a card's number: 13 to 19 of them, a network's first digit, the check digit right."""
    if not _SHORTEST <= len(digits) <= _LONGEST or digits[0] not in "23456" or not digits.isdecimal():
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digit sum of a doubled digit
    return total % 10 == 0


def without_cards(text: str, mask: Callable[[str], str]) -> str:
    """Return a text with the numbers of cards masked."""
    if len(text) < _SHORTEST:
        return text
    if "." in text:
        text = _DOTTED.sub(lambda found: _dotted(found[0], mask), text)
    return _DIGITS.sub(lambda found: _masked(found[0], mask), text)


def _dotted(run: str, mask: Callable[[str], str]) -> str:
    digits = run.replace(".", "")
    return mask(digits) if is_card(digits) else run


def _masked(run: str, mask: Callable[[str], str]) -> str:
    """Mask the groups that make a card together; a price or a date may stand right beside one."""
    groups = _GROUP.findall(run)
    shown: list[str] = []
    at = 0
    while at < len(groups):
        end = _card_end(groups, at)
        if end is None:
            shown.append(groups[at])
            at += 1
        else:
            last = groups[end - 1]
            shown += mask("".join(map(_digits, groups[at:end]))), last[len(_digits(last)) :]
            at = end
    return "".join(shown)


def _card_end(groups: list[str], start: int) -> int | None:
    """Return where the groups end that make a card from `start` on, None where they make none."""
    digits = ""
    for end, group in enumerate(groups[start : start + _LONGEST // 3 + 1], start + 1):
        digits += _digits(group)
        if is_card(digits):
            return end
    return None


def _digits(group: str) -> str:
    return group.removesuffix("%20").rstrip(" +-")


_BLANKS: Final = "\ufeff \t\r\n"


def redacted_json(text: str, names: Names, mask: Mask, scrub: Callable[[str], str]) -> str | None:
    """Return a document redacted, the very same text where it holds no secret; None where it is no document.

    Under a secret's name every value is masked, of a container each inside it: its shape stays. What the operator
    names becomes one mark. null stays null, empty text empty, true and false under a secret's name themselves.
    """
    try:
        repeated: list[str] = []
        before = parse(text.strip(_BLANKS), repeated)
        shown = _Walk(names, mask, scrub).value(before, names.rests, hidden=False)
        # Of a repeated member only the last is read: what was said first may be the secret.
        return text if shown == before and not repeated else _written(shown)
    except (NotJson, TooDeep, RecursionError):
        return None


class _Walk:
    """One document being redacted; nothing changes."""

    def __init__(self, names: Names, mask: Mask, scrub: Callable[[str], str]) -> None:
        self._names = names
        self._mask = mask
        self._scrub = scrub

    def value(self, value: Any, rests: Rests, *, hidden: bool) -> Any:
        match value:
            case dict():
                named = self._names.is_named_row(value)
                return {
                    self._scrub(name): self._member(name, inner, rests, hidden or (named and name.lower() in HOLDS))
                    for name, inner in value.items()
                }
            case list():
                return self._list(value, rests, hidden=hidden)
            case None | bool():
                return value
            case Number():
                spelled = value.decode()
                if not hidden and not is_card(spelled):
                    return value
                if self._mask.taken is not None:
                    self._mask.taken.add(spelled)
                return self._mask.of(_canonical(value))
            case _:
                return self._mask.of(value) if hidden else self._scrub(value)

    def _list(self, items: list[Any], rests: Rests, *, hidden: bool) -> list[Any]:
        """Return a list redacted: the second of a pair whose first is a secret's name, a column headed by one."""
        if not hidden and is_pair(items, self._names.is_secret):
            return [items[0], self._member("1", items[1], rests, hidden=True)]
        columns = set() if hidden else columns_of(items, self._names.is_secret)
        if not columns:
            return [self._member(str(at), inner, rests, hidden) for at, inner in enumerate(items)]
        return [items[0], *(self._row(row, columns, rests) for row in items[1:])]

    def _row(self, row: list[Any], columns: set[int], rests: Rests) -> list[Any]:
        return [self._member(str(at), inner, rests, at in columns) for at, inner in enumerate(row)]

    def _member(self, name: str, value: Any, rests: Rests, hidden: bool) -> Any:  # noqa: FBT001 - passed on
        left = after(rests, name) if rests else rests
        if () in left and value is not None and value != "":
            return self._mask.of(value if type(value) is str else _canonical(value))
        return self.value(value, left, hidden=hidden or looks_secret(name))


def _canonical(value: Any) -> str:
    """Return one text for all spellings of a value; never that of another type."""
    match value:
        case dict():
            members = (f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value))
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case bool() | None:
            return json.dumps(value)
        case Number():
            negative, digits, power = exact(value)
            return f"{'-' if negative else ''}{digits}e{power}"
        case _:
            return json.dumps(value)


def _written(value: Any) -> str:
    match value:
        case dict():
            return f"{{{','.join(f'{_quoted(name)}:{_written(inner)}' for name, inner in value.items())}}}"
        case list():
            return f"[{','.join(map(_written, value))}]"
        case Number():
            return value.decode()
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    """Return a text in quotes; half of a surrogate pair cannot be encoded, it is escaped."""
    return json.dumps(text, ensure_ascii=any("\ud800" <= each <= "\udfff" for each in text))


# Removes secrets from text of any form: what is assigned to a secret's name, what looks like a secret by itself.


_LOOKS_SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:(?!-----END)[\s\S])*+(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?"
    r"|\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?"
    r"|\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bgh[opsur]_\w{20,}|\bAKIA[0-9A-Z]{16}\b"
    r"|(?<=Bearer )[\w.~+/=-]{6,}|(?<=Basic )[\w+/=-]{6,}|(?<=://)[^\s/?#@\"'<>]{1,200}(?=@)"
)
# A name, what may close it, what assigns: JSON, forms, headers, JavaScript, print_r, var_dump.
_ASSIGNED: Final = re.compile(
    r"(?<![\w%.-])([A-Za-z_%][\w%.\[\]-]{0,80}+)(?:\\?[\"']\]?)?\s{0,4}(?:=>|[:=])\s{0,4}(?:string\([0-9]+\)\s)?"
)
# PHP writes serialised values by their length, names with NULs around a class: s:8:"password";s:7:"hunter2";
_SERIALISED: Final = re.compile(
    r"""(?:s:[0-9]{1,6}:(\\?")(?:\x00[^\x00"]{1,100}\x00)?([^"\\\x00]{1,80})\\?";|(?<![\w.-])([A-Za-z_][\w.-]{0,80}+)\|)"""
    r"""(?:s:([0-9]{1,9}):(\\?")|([idb]):(?=[^;]{1,40};)|a:[0-9]{1,6}:(?=\{))"""
)
# A row of a list of fields in a script, the name first or last.
_ROW: Final = re.compile(
    r"""["']?\b(?:name|key|field|id|label)["']?\s{0,4}:\s{0,4}["']([^"'\s]{1,80})["']\s{0,4},\s{0,4}"""
    r"""["']?(?:value|val|content)["']?\s{0,4}:\s{0,4}("[^"]*"?|'[^']*'?)"""
)
_ROW_BACK: Final = re.compile(
    r"""(["']?\b(?:value|val|content)["']?\s{0,4}:\s{0,4})("[^"]{0,500}"|'[^']{0,500}')(?=\s{0,4},\s{0,4}"""
    r"""["']?(?:name|key|field|id|label)["']?\s{0,4}:\s{0,4}["']([^"'\s]{1,80})["'])"""
)
_PASSWORD_TYPE: Final = re.compile(r"""\btype\s?=\s?["']?password\b""", re.IGNORECASE)
_NAMED: Final = re.compile(r"<(?:input|meta|button|textarea)\b[^>]{0,4000}>?", re.IGNORECASE)
_NAME: Final = re.compile(r"""\bname\s?=\s?["']?([^"'\s>]{1,80})""", re.IGNORECASE)
_HELD: Final = re.compile(r"""\b((?:value|content)\s?=\s?)("[^"]*"?|'[^']*'?|(?!<redacted:)[^\s"'>]+)""", re.IGNORECASE)
_ELEMENT: Final = re.compile(
    r"<([A-Za-z_][\w:.-]{0,80}+)(?:\s[^<>]{0,1000})?>(\s{0,20}<!\[CDATA\[[^\]]*(?:\](?!\]>)[^\]]*)*|[^<]+)"
)
_CDATA: Final = re.compile(r"\s{0,20}<!\[CDATA\[")
_PLACED: Final = re.compile(
    r"((?:\[name=([^\]]{1,80})\]|/([\w.-]{1,80})|@([\w.-]{1,80}))(?:: (?:value|content))?[=:] ?)(.+)", re.DOTALL
)
_PLAIN_END: Final = re.compile(r"[&\s\"'<>;,)}\]]|$")
_LINE_END: Final = re.compile(r"[\n\r\"'<>&;,{}\]]|$")
_SAYS_NOTHING: Final = {"", "null", "true", "false", "NULL"}
_MOST_DEPTH_SCANNED: Final = 65536


class Scrubber:
    """Scrubs texts with one mask; nothing changes."""

    def __init__(self, mask: Mask, names: Names, *, personal: bool = True) -> None:
        self._mask = mask.of
        self._names = names
        self._personal = personal

    def text(self, text: str) -> str:
        """Return a text with its secrets masked, everything else kept; time grows with its length alone."""
        if "<" in text:
            text = _NAMED.sub(self._tag, text)
            text = _ELEMENT.sub(self._element, text)
        text = without_labelled(text, self._mask, self._names.is_secret)
        if "=" in text or ":" in text:
            text = self._serialised(text)
            text = _ROW.sub(self._row, text)
            text = _ROW_BACK.sub(self._row_back, text)
            text = self._assigned(text)
        text = _LOOKS_SECRET.sub(lambda found: self._mask(found[0]), text)
        text = without_cards(text, self._mask)
        return without_personal(text, self._mask) if self._personal else text

    def placed(self, text: str) -> str:
        """Return the literal of a finding in a page or document: its place may name the secret that it shows."""
        found = _PLACED.search(text)
        if found is not None and any(name and self._names.is_secret(name) for name in found.group(2, 3, 4)):
            return text[: found.start(5)] + self._mask(found[5])
        return self.text(text)

    def _tag(self, found: re.Match[str]) -> str:
        named = _NAME.search(found[0])
        secret = named is not None and self._names.is_secret(named[1])
        if not secret and _PASSWORD_TYPE.search(found[0]) is None:
            return found[0]
        return _HELD.sub(lambda held: held[1] + self._quoted(held[2]), found[0])

    def _element(self, found: re.Match[str]) -> str:
        if not self._names.is_secret(found[1]):
            return found[0]
        start = found.start(2) - found.start()
        opened = _CDATA.match(found[2])
        start += 0 if opened is None else opened.end()
        return found[0][:start] + self._mask(found[0][start:])

    def _row(self, found: re.Match[str]) -> str:
        if not self._names.is_secret(found[1]):
            return found[0]
        return found[0][: found.start(2) - found.start()] + self._quoted(found[2])

    def _row_back(self, found: re.Match[str]) -> str:
        return found[1] + self._quoted(found[2]) if self._names.is_secret(found[3]) else found[0]

    def _serialised(self, text: str) -> str:
        """Mask what PHP's serialize() and its sessions hold under the names of secrets."""
        pieces: list[str] = []
        done = 0
        for found in _SERIALISED.finditer(text) if ":" in text else ():
            if found.start() < done or not self._names.is_secret(found[2] or found[3]):
                continue
            end = _end_of_serialised(text, found)
            if found.end() < end and text[found.end() : end] not in _SAYS_NOTHING:
                pieces += text[done : found.end()], self._mask(text[found.end() : end])
                done = end
        return "".join((*pieces, text[done:]))

    def _quoted(self, value: str) -> str:
        quote = value[0] if value[0] in "\"'" else ""
        if not quote:
            return self._mask(value)
        closing = quote if len(value) > 1 and value.endswith(quote) else ""
        return quote + self._mask(value[1 : len(value) - len(closing)]) + closing

    def _assigned(self, text: str) -> str:
        """Mask what is assigned to the names of secrets."""
        pieces: list[str] = []
        done = 0
        for found in _ASSIGNED.finditer(text):
            if found.end() <= done or not self._names.is_secret(found[1]):
                continue
            start, end = _value(text, found.end(), "=" in found[0] and ">" not in found[0])
            value = text[start:end]
            if value not in _SAYS_NOTHING:
                pieces += text[done:start], self._mask(value)
                done = end
        return "".join((*pieces, text[done:]))


def _end_of_serialised(text: str, found: re.Match[str]) -> int:
    """Return where a serialised value ends: by its length where that fits, a text has quotes inside unescaped."""
    at = found.end()
    if found[5] is None:
        end = _bracket(text, at) if text[at : at + 1] == "{" else text.find(";", at)
        return len(text) if end < 0 else end
    by_length = at + int(found[4])
    if text.startswith(found[5], by_length):
        return by_length
    # its length counts bytes, or the text was cut
    end = text.find(f"{found[5]};", at)
    return len(text) if end < 0 else end


def _value(text: str, at: int, tight: bool) -> tuple[int, int]:  # noqa: FBT001 - how the name was assigned
    """Return where a value begins and ends: a quoted text's inside, a bracket's whole, else up to what parts values."""
    first = text[at : at + 1]
    if first == "\\" and text[at + 1 : at + 2] in {'"', "'"}:
        return at + 2, _closing(text, at + 2, text[at : at + 2])
    if first and first in "\"'":
        return at + 1, _closing(text, at + 1, first)
    if first and first in "{[":
        return at, _bracket(text, at)
    end = (_PLAIN_END if tight else _LINE_END).search(text, at)
    return at, len(text) if end is None else end.start()


def _closing(text: str, at: int, quote: str) -> int:
    """Return where a quoted text ends; a cut one at the end of all."""
    while (end := text.find(quote, at)) >= 0:
        if len(quote) > 1 or text[end - 1] != "\\" or _escaped(text, end) is False:
            return end
        at = end + 1
    return len(text)


def _escaped(text: str, at: int) -> bool:
    """Whether an odd number of backslashes stands before a quote."""
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _bracket(text: str, at: int) -> int:
    """Return where a bracket closes again; texts in it are skipped, what is too long is taken whole."""
    depth = 0
    for place in range(at, min(len(text), at + _MOST_DEPTH_SCANNED)):
        if text[place] in "{[":
            depth += 1
        elif text[place] in "}]":
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)
