"""Takes secrets out of text of any form: what is assigned to a secret's name, what looks like a secret by itself."""

from __future__ import annotations

import re
from typing import Final

from comparators.cards import without_cards
from comparators.mask import Mask
from comparators.redact_names import Names

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
_NAMED: Final = re.compile(r"<(?:input|meta|button|textarea)\b[^>]{0,4000}>?", re.IGNORECASE)
_NAME: Final = re.compile(r"""\bname\s?=\s?["']?([^"'\s>]{1,80})""", re.IGNORECASE)
_HELD: Final = re.compile(r"""\b((?:value|content)\s?=\s?)("[^"]*"?|'[^']*'?|[^\s"'>]+)""", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"<([A-Za-z_][\w:.-]{0,80}+)(?:\s[^<>]{0,1000})?>([^<]+)")
_PLACED: Final = re.compile(
    r"((?:\[name=([^\]]{1,80})\]|/([\w.-]{1,80})|@([\w.-]{1,80}))(?:: (?:value|content))?[=:] ?)(.+)", re.DOTALL
)
_PLAIN_END: Final = re.compile(r"[&\s\"'<>;,)}\]]|$")
_LINE_END: Final = re.compile(r"[\n\r\"'<>&;,{}\]]|$")
_SAYS_NOTHING: Final = {"", "null", "true", "false", "NULL"}
_MOST_DEPTH_SCANNED: Final = 65536


class Scrubber:
    """Scrubs texts with one mask; nothing changes."""

    def __init__(self, mask: Mask, names: Names) -> None:
        self._mask = mask.of
        self._names = names

    def text(self, text: str) -> str:
        """Return a text with its secrets masked, everything else kept; time grows with its length alone."""
        if "<" in text:
            text = _NAMED.sub(self._tag, text)
            text = _ELEMENT.sub(self._element, text)
        if "=" in text or ":" in text:
            text = self._assigned(text)
        text = _LOOKS_SECRET.sub(lambda found: self._mask(found[0]), text)
        return without_cards(text, self._mask)

    def placed(self, text: str) -> str:
        """Return the literal of a finding in a page or document: its place may name the secret that it shows."""
        found = _PLACED.search(text)
        if found is not None and any(name and self._names.is_secret(name) for name in found.group(2, 3, 4)):
            return text[: found.start(5)] + self._mask(found[5])
        return self.text(text)

    def _tag(self, found: re.Match[str]) -> str:
        named = _NAME.search(found[0])
        if named is None or not self._names.is_secret(named[1]):
            return found[0]
        return _HELD.sub(lambda held: held[1] + self._quoted(held[2]), found[0])

    def _element(self, found: re.Match[str]) -> str:
        if not self._names.is_secret(found[1]):
            return found[0]
        start = found.start(2) - found.start()
        return found[0][:start] + self._mask(found[2])

    def _quoted(self, value: str) -> str:
        quote = value[0] if value[0] in "\"'" else ""
        return quote + self._mask(value.strip(quote)) + quote if quote else self._mask(value)

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
    """Return where a bracket closes again; texts in it are not looked at, what is too long is taken whole."""
    depth = 0
    for place in range(at, min(len(text), at + _MOST_DEPTH_SCANNED)):
        if text[place] in "{[":
            depth += 1
        elif text[place] in "}]":
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)
