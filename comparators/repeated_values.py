"""Values made anew that legacy has at several places at once, or in each row another: modern's have to be so as well.

A label points to the field whose id it names, an answer to the request it is for. Each place for itself may hold any
value that is made as legacy's are; what all of legacy's answers share as well is which places have the same one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from comparators.html_volatile import is_token_name
from comparators.legacy_again import child
from comparators.model import path_pattern
from comparators.moved_texts import Place
from comparators.paths import steps

_MADE: Final = re.compile(r"[0-9A-Za-z]{8,64}")
_OF_NO_TIME: Final = re.compile(r"[abcefgi-lnopqrtuvwxyzABCEFGI-LNOQRUVWXY]")
"""Most values have a letter that no time has: quicker to find than a time's spelling."""
_TIME: Final = re.compile(r"(?:[0-9]+|[PTZhmsd](?=[0-9T]|\Z)|[DHMS](?=[0-9T]|\Z)|ms)+")
"""`20250101T120000Z`, `12h34m50s`, `PT12H34M50S`."""
_NUMBER: Final = re.compile(r"\[\d+\]")
_ID: Final = "@id"


class Varying(NamedTuple):
    """A place with the texts that legacy's answers have there, its first one's first, and modern's."""

    place: Place
    texts: Sequence[str]
    modern: str


class _Value(NamedTuple):
    """One value of a text: those of legacy's answers, modern's, and the number that it has in the text."""

    at: Varying
    number: int
    samples: tuple[str, ...]
    modern: str

    @property
    def column(self) -> tuple[str, str, int]:
        """What is one in all rows."""
        return path_pattern(self.at.place.path), _NUMBER.sub("", self.at.place.shown), self.number

    @property
    def is_of_its_own(self) -> bool:
        """Whether it belongs to its row alone: a member of a document, the id of an element."""
        return not self.at.place.key or self.at.place.shown.endswith(_ID)


def in_document(texts: Iterable[tuple[str, Sequence[str]]], modern: Any) -> Iterator[Varying]:
    """Yield the places of a document, by their pointers, at which modern's has a text as well.

    Tokens against forged requests are left out: some frameworks write each anew, masked.
    """
    for path, each in texts:
        if is_token_name(path.rpartition("/")[2]):
            continue
        value = modern
        for step in steps(path):
            value = child(value, int(step) if type(value) is list and step.isdecimal() else step)
        if type(value) is str:
            yield Varying(Place(path, "", ""), each, value)


def broken(varying: Iterable[Varying]) -> Varying | None:
    """Return a place that has not the same value of modern's as others that share one of legacy's, None for no such.

    Nor may all rows have one value of modern's where no two of legacy's have.
    """
    values = [value for each in varying for value in _values(each)]
    shared: dict[tuple[str, ...], str] = {}
    for value in values:
        if shared.setdefault(value.samples, value.modern) != value.modern:
            return value.at
    rows: dict[tuple[str, str, int], list[_Value]] = defaultdict(list)
    for value in values:
        if value.is_of_its_own:
            rows[value.column].append(value)
    return next((there[1].at for there in rows.values() if _are_one(there)), None)


def _are_one(rows: Sequence[_Value]) -> bool:
    """Whether several rows have one text of modern's, of legacy's each another: half of it may be one, as in UUIDs."""
    texts = {row.at.modern for row in rows}
    return len(rows) > 1 and len(texts) == 1 and len({row.samples for row in rows}) == len(rows)


def _values(varying: Varying) -> Iterator[_Value]:
    """Yield the values that are another in each of legacy's answers, where all texts have as many."""
    found = [_MADE.findall(text) for text in (*varying.texts, varying.modern)]
    if len(varying.texts) < 2 or len({len(each) for each in found}) > 1:  # noqa: PLR2004 - an answer and another
        return
    for number, (*samples, modern) in enumerate(zip(*found, strict=True)):
        if len(set(samples)) == len(samples) and all(map(_is_made, samples)):
            yield _Value(varying, number, tuple(samples), modern)


def _is_made(text: str) -> bool:
    """Whether a text is no word, no number, no time: these may be one by chance."""
    if text.isdigit() or text.isalpha():
        return False
    return _OF_NO_TIME.search(text) is not None or _TIME.fullmatch(text) is None
