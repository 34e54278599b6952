"""Capture, Finding, Comparison; the group a difference belongs to.

Paths are RFC 6901 pointers into the modern body (into the legacy one, in the modern shape, where a thing is absent
there), or `@body`, `@status`, `@header:name`. Literals are text as on the wire, cut to `LONGEST_LITERAL` characters;
a side that has nothing there shows the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Verdict = Literal["equal", "different", "noise", "not_compared"]
Kind = Literal["value", "type", "missing", "extra", "order", "length", "status", "header", "parse", "error"]
Reason = Literal["", "body_cap", "depth", "nodes", "time", "encoding", "session", "error"]
"""Why a pair was not compared; `time` and `session` are set by the callers, `error` is a failure."""

LONGEST_LITERAL: Final = 256
NOTHING: Mapping[str, int] = MappingProxyType({})
made: Final = tuple.__new__
"""Makes a named tuple in half the time that its own constructor takes."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One complete response as the client would get it, and the request's method and target it belongs to.

    `at` is when it was received (epoch seconds), where that is known: its clock, if it has no `Date`.
    """

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    at: float | None = None

    def header(self, name: str) -> str | None:
        """The values of a header (`name` in lower case) in their order, joined by commas; None where it is absent."""
        length, found = len(name), None
        for each, value in self.headers:
            if len(each) == length and each.lower() == name:
                found = value if found is None else f"{found}, {value}"
        return found


SHAPES: Final = frozenset({"missing", "extra", "length"})
"""Kinds of findings behind which one side's content was held against nothing."""


class Finding(NamedTuple):
    """One difference; `rule` names the rule that nearly applied, where one did.

    A named tuple, because a frozen dataclass takes three times as long to make.
    """

    path: str
    kind: Kind
    legacy: str
    modern: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One place at which legacy differs from itself: both literals, and the kind a finding there would have."""

    path: str
    kind: Kind
    first: str
    again: str


class Comparison(NamedTuple):
    """The result of a comparison.

    `forgiven` counts values by the rule that excused them (`ignore:PATH` for what an operator ignores there, `noise`
    for what was hidden because legacy differs from itself), `notes` are for operators (a legacy defect, a repeated
    member), `observations` feed the learning of noise, `reason` says why nothing was compared. `capped` says that a cap
    ended the comparison: what was found stands, there may be more.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    forgiven: Mapping[str, int] = NOTHING
    reason: Reason = ""
    notes: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    capped: bool = False


# The group that a difference belongs to: its place, its kind, the types of both values.


_ANY: Final = "*"
_RUNNING: Final = re.compile(
    r"[0-9]+|[0-9a-f]{16,64}|[0-9A-HJKMNP-TV-Z]{26}|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    # Eight hexadecimal digits and more, a digit before a letter: a word has its number behind it.
    r"|(?=[a-f]*[0-9]+[a-f])[0-9a-f]{8,15}|(?=[A-F]*[0-9]+[A-F])[0-9A-F]{8,15}"
    r"|[A-Za-z]{1,20}:[0-9]+|(?!(?i:iso|rfc))(?:[A-Za-z]{1,20}[_-]|[A-Z]{1,4})(?!(?:19|20)[0-9]{2}\Z)[0-9]{4,18}"
)
"""Steps that number or name one row among many: indexes, UUIDs, ULIDs, hashes, dates, `user:7`, `sku_4711`, `Q4711`.

Not `address_2`, `sha_256`, `revenue_2024`, `iso8601`: these are members of one row.
"""

_COUNTED: Final = re.compile(r"(?<=\[)[0-9]+(?=\])|(?<=row )[0-9]+|(?<=line )[0-9]+|(?<=from )[0-9]+|^[0-9]+(?= bytes)")
_IN_NAME: Final = re.compile(
    r"(?<=[#=._-])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9]+|(?=[a-f]*[0-9])[0-9a-f]{6,64}"
    r"|(?=[A-Za-z]*[0-9]+[A-Za-z])[0-9A-Za-z]{8,64}|(?=[a-z]*(?:[bcdfghjklmnpqrstvwxz]{5}|q[^u])[a-z]*[0-9])[0-9a-z]{8,64}"
    r"|(?=[a-z]*(?:[bcdfghjklmnpqrstvwxz]{5}|q[^u]"
    r"|[jkqvwxz][a-z]*[jkqvwxz][a-z]*[jkqvwxz]))[a-z]{10,64}"
    r"|(?=[A-Za-z]*(?:[A-Z]{2}[a-z][A-Z]|[a-z][A-Z][a-z][A-Z]|[A-Z][a-z][A-Z]{2}))[A-Za-z]{10,64})(?![0-9A-Za-z])"
)
"""Ids inside the name of a place: `#post-4711`, `#wp-embed-share-tab-html-4-1808915178`, `#form-kyrtqnslvzpm`.

The last one has more consonants in a row than words have, others more rare letters, or capitals where no word begins.
"""
_GLUED: Final = re.compile(
    r"(?<=[#=_.-])([A-Za-z]{1,20}(?=[0-9]{4})|(?:[A-Za-z]{0,20}[a-z](?=[A-Z]))?"
    r"(?i:p|post|comment|msg|message|row|item|entry|order|user|product|thread|topic|reply|ticket|article|attachment))"
    r"[0-9]+(?![0-9A-Za-z])"
)
"""A number right behind a word: of four digits and more, or behind the name of what there are many of (`#p12`)."""
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: Final = {"": "nothing", "null": "null", "true": "boolean", "false": "boolean"}
_BRACKETS: Final = {"{": "object", "[": "array"}


def fingerprint(route: str, finding: Finding) -> str:
    """Return 16 hexadecimal digits: the same for the same fault on any row of any response."""
    path, kind, legacy, modern, _ = finding
    if path == "@body":
        return _group(route, path, kind, _place(legacy), _place(modern))
    return _group(route, path, kind, _type(legacy), _type(modern))


@lru_cache(maxsize=1024)  # where a route's answers differ, they differ alike, thousands of times
def _group(route: str, path: str, kind: str, legacy: str, modern: str) -> str:
    parts = (route, path_pattern(path), kind, legacy, modern)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def path_pattern(path: str) -> str:
    """Return a pointer with `*` for the steps that identify rows: `/items/3/price` is `/items/*/price`."""
    if not path.startswith("/"):
        return path
    return "/".join(_ANY if _RUNNING.fullmatch(step) else step for step in path.split("/"))


def _type(literal: str) -> str:
    """Return the JSON type of a literal, by how it begins: it may be cut."""
    if literal in _WORDS:
        return _WORDS[literal]
    if literal[0] == '"':
        return "text"
    if literal.isascii() and literal.isdigit():
        return "number"
    return _BRACKETS.get(literal[0]) or ("number" if _NUMBER.fullmatch(literal) else "text")


@lru_cache(maxsize=1024)
def masked_place(place: str) -> str:
    """Return the name of a place with `*` for what numbers or names one row, one page, one response among many.

    Of JSON inside a script or an attribute its pointer is the end of the name.
    """
    place, inside, pointer = place.partition(" /")
    if inside:
        return f"{masked_place(place)} {path_pattern(f'/{pointer}')}"
    return _GLUED.sub(rf"\1{_ANY}", _IN_NAME.sub(_ANY, _COUNTED.sub(_ANY, place)))


def _place(literal: str) -> str:
    """Return the place in a page, a table, a document that a literal names: each place is a difference of its own."""
    place, colon, _ = literal.partition(": ")
    return masked_place(place) if colon else _type(literal)
