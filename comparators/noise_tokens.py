"""Finds the tokens of a page that legacy makes anew for each answer, where pages are compared as text.

Their names are those of secrets, which no other noise may be learned by: a token against forged requests, a nonce
tells nothing about anybody, and no two answers ever share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from comparators.html_blanks import token_attributes
from comparators.model import LONGEST_LITERAL, Observation

PLACE: Final = "token"
_OPEN, _CLOSE = "{", "}"
"""Around the value in what is observed; no token has them."""
_MOST: Final = 50
_ANCHOR: Final = 60
_SHORTEST: Final = 8
_ELEMENT: Final = re.compile(r"<([a-zA-Z][\w-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*'){0,200})>")
_ATTRIBUTE: Final = re.compile(r"([^\s\"'<>/=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]+))")
_SCRIPT: Final = re.compile(
    r"""["']?\b(\w{0,40}(?:csrf|xsrf)\w{0,40})["']?\s?[:=]\s?["']([^"'\s<>]+)(?=["'])""", re.IGNORECASE
)
_LETTERS: Final = "[A-Za-z0-9+/=_.~%:-]"
_TOKEN: Final = re.compile(f"{_LETTERS}+")
_WRITTEN: Final = re.compile(rf"(.*?){re.escape(_OPEN)}({_LETTERS}+){re.escape(_CLOSE)}(.*)", re.DOTALL)
_DIGIT: Final = re.compile(r"[0-9]")


class _Found(NamedTuple):
    """A token's value with what stands around it in its element or assignment; `name` says whose it is."""

    name: str
    before: str
    value: str
    after: str


def observed(legacy: str, again: str) -> tuple[Observation, ...]:
    """Return the tokens in which two texts of legacy differ; none where they do not have the same ones in a row."""
    ours, theirs = list(_tokens(legacy)), list(_tokens(again))
    if [each.name for each in ours] != [each.name for each in theirs]:
        return ()
    varying = {
        (one.name, one.before): Observation("@body", "value", _literal(one), _literal(two))
        for one, two in zip(ours, theirs, strict=True)
        if one.value != two.value and (one.before, one.after) == (two.before, two.after)
    }
    return tuple(each for each in varying.values() if max(len(each.first), len(each.again)) < LONGEST_LITERAL)


def patterns(one: str, two: str) -> tuple[str, ...]:
    """Return the pattern of the token that two observed places hold: their words around it, its class of length."""
    first, second = _WRITTEN.fullmatch(one), _WRITTEN.fullmatch(two)
    if first is None or second is None:
        return ()
    before, _, after = first.groups()
    sizes = len(first[2]), len(second[2])
    least, most = 1 << (min(sizes).bit_length() - 1), 1 << max(sizes).bit_length()
    before, after = re.escape(before), re.escape(after)
    return (f"(?<={before}){_LETTERS}{{{least},{most}}}(?={after})",)


def _tokens(text: str) -> Iterator[_Found]:
    """Yield the tokens of a text in their order, the first many."""
    found = sorted((*_in_elements(text), *_in_scripts(text)))[:_MOST]
    return (each for _, each in found)


def _in_elements(text: str) -> Iterator[tuple[int, _Found]]:
    for element in _ELEMENT.finditer(text):
        written = list(_ATTRIBUTE.finditer(element[2]))
        attributes = {each[1].lower(): each[each.lastindex or 1] for each in written}
        wanted = token_attributes(element[1].lower(), attributes)
        for each in written:
            name, value = each[1].lower(), each[each.lastindex or 1]
            if name not in wanted or not _is_token(value):
                continue
            start, end = (element.start(2) + at for at in each.span(each.lastindex or 1))
            whose = attributes.get("name", "")
            before, after = text[element.start() : start], text[end : element.end()]
            # Another page may have its own id in the same element: as little is taken along as tells whose it is.
            short = _DIGIT.split(before[-_ANCHOR:])[-1]
            if not whose or whose in short:
                before, after = short, after[:1]
            yield start, _Found(whose or name, before, value, after)


def _in_scripts(text: str) -> Iterator[tuple[int, _Found]]:
    for each in _SCRIPT.finditer(text):
        if _is_token(each[2]):
            yield each.start(2), _Found(each[1], text[each.start() : each.start(2)], each[2], text[each.end(2)])


def _is_token(value: str) -> bool:
    return len(value) >= _SHORTEST and _TOKEN.fullmatch(value) is not None


def _literal(found: _Found) -> str:
    return f"{PLACE} {found.name}: {found.before}{_OPEN}{found.value}{_CLOSE}{found.after}"
