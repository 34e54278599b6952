"""Removes secrets from responses before they are stored.

Secrets are values under a secret's name (a header, a member, a field, a parameter), what looks like one (bearer
tokens, JWTs, private keys, numbers of cards), and what the operator names. Each becomes `<redacted:1a2b3c4d>`, a
keyed hash: equal secrets stay equal, others stay apart, redacting twice changes nothing.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Final

from comparators import redaction_text
from comparators.body_kind import coding_of, media_type
from comparators.content_coding import Undecodable, decode
from comparators.model import Capture, Finding
from comparators.personal_data import without_personal
from comparators.redaction_text import Names, Scrubber
from comparators.redaction_values import without_values
from comparators.sensitive_names import Mask, looks_secret
from comparators.text_compare import delimiter_of, rows


def _encoding(body: bytes) -> str:
    """Return what a body is written in: NULs among its first bytes, or a mark, mean UTF-16 or UTF-32 (RFC 4627)."""
    if b"\0" not in body[:4] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-8"
    found = json.detect_encoding(body)
    if found in ("utf-16", "utf-32"):
        return f"{found}-{'le' if body.startswith(codecs.BOM_UTF16_LE) else 'be'}"
    return found.removesuffix("-sig")


# Takes the columns of secrets out of a table of text.


_TABLES: Final = ("text/csv", "application/csv", "text/tab-separated-values", "application/vnd.ms-excel")
_UNDECLARED: Final = ("", "text/plain", "application/octet-stream")
_HEADING: Final = re.compile(r"[\w .#/()-]{1,40}")


def redacted_table(text: str, media: str, names: Names, mask: Mask) -> str:
    """Return a table with the cells under a secret's heading masked; what is no table as it is.

    A text of another type, or of none, is a table where its first line is nothing but headings and the next is as wide.
    """
    if media not in _TABLES and media not in _UNDECLARED:
        return text
    delimiter = delimiter_of(text)
    if media in _UNDECLARED and not _is_headed(text, delimiter):
        return text
    table = rows(text, delimiter)
    hidden = {
        column for column, heading in enumerate(table[0] if table else []) if names.is_secret(heading.strip("\ufeff "))
    }
    if not hidden:
        return text
    shown = [[mask.of(cell) if column in hidden else cell for column, cell in enumerate(row)] for row in table[1:]]
    return "".join(delimiter.join(map(_quoted, row)) + "\n" for row in [table[0], *shown])


def _is_headed(text: str, delimiter: str) -> bool:
    """Whether a text begins as a table does."""
    head = rows("\n".join(text[:8192].lstrip("\r\n\ufeff").splitlines()[:2]), delimiter)
    if len(head) < 2 or not 1 < len(head[0]) == len(head[1]):  # noqa: PLR2004 - headings and a row
        return False
    return all(_HEADING.fullmatch(heading.strip()) for heading in head[0])


def _quoted(cell: str) -> str:
    """Return a cell as RFC 4180 writes it; quoted always, so that whatever splits it later splits it alike."""
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a body that are scanned; of a larger one only the mark is kept."""

_COOKIES: Final = ("cookie", "set-cookie")
_CODING: Final = "content-encoding"
_ADDRESSES: Final = ("location", "content-location", "link", "refresh", "referer")
_SCHEME: Final = re.compile(r"([A-Za-z][\w-]*) +(?=\S)")
# Random text long enough to be a token; a UUID names a row.
_TOKEN_STEP: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[\w.~%-]{20,}")
_COOKIE_NAMED: Final = re.compile(r"[\w.-]{0,100}(?:; HttpOnly)?")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Redactor:
    """Redacts under one key; `fields` are JSON pointers with `*` and `**`, or names of members. Nothing stays changed.

    `personal` says whether addresses of mail and account numbers are masked as well.
    """

    def __init__(self, key: bytes, fields: Sequence[str] = (), *, personal: bool = True) -> None:
        self._mask = Mask(key)
        self._names = Names(fields)
        self._scrubber = Scrubber(self._mask, self._names, personal=personal)
        self._personal = personal
        self._scrub = self._scrubber.text

    def capture(self, capture: Capture) -> Capture:
        """Return a response without its secrets, its content coding undone: compressed bytes cannot be scanned."""
        headers = tuple((name, self.header(name, value)) for name, value in capture.headers if name.lower() != _CODING)
        body = self._body(capture)
        return Capture(capture.method, self.target(capture.path), capture.status, headers, body)

    @contextmanager
    def collecting(self) -> Iterator[set[str]]:
        """Collect what is masked meanwhile: a difference shows a value alone, not what stood beside it."""
        taken = self._mask.taken = set()
        try:
            yield taken
        finally:
            self._mask.taken = None

    def finding(self, finding: Finding, secrets: AbstractSet[str] = frozenset()) -> Finding:
        """Return a difference with both literals redacted, its rule and place kept; `secrets` are masked by value."""
        shown = (self._literal(finding.path, literal) for literal in (finding.legacy, finding.modern))
        legacy, modern = (without_values(literal, secrets, self._mask.of) for literal in shown)
        return Finding(self._place(finding.path), finding.kind, legacy, modern, finding.rule)

    def _place(self, path: str) -> str:
        """Return where a difference is: a map may have names of persons as keys."""
        return without_personal(path, self._mask.of) if self._personal and path.startswith("/") else path

    def target(self, target: str) -> str:
        """Return a path with its query, secrets masked; also those that stand in the path itself."""
        path, mark, query = target.partition("?")
        steps = [self._step(step) for step in path.split("/")]
        return self._scrub("/".join(steps)) + mark + self._scrub(query)

    def header(self, name: str, value: str) -> str:
        """Return a field's value as it may be shown; names and attributes of cookies stay."""
        lower = name.lower()
        if lower in _COOKIES:
            return self._cookies(value)
        if lower in _ADDRESSES:
            return self.target(value)
        if looks_secret(name) or self._names.is_named(name):
            scheme = _SCHEME.match(value)
            return f"{scheme[1]} {self._mask.of(value[scheme.end() :])}" if scheme else self._mask.of(value)
        return self._scrub(value)

    def text(self, text: str) -> str:
        """Return any text, a note or a page, with secrets masked."""
        return self._scrub(text)

    def _body(self, capture: Capture) -> bytes:
        try:
            body = decode(capture.body, coding_of(capture), LARGEST)
        except Undecodable:
            return self._mask.of_bytes(capture.body).encode()
        coding = _encoding(body)
        try:
            text = body.decode(coding)
        except UnicodeDecodeError:
            if coding != "utf-8":
                return self._mask.of_bytes(capture.body).encode()
            return self._scrub(body.decode("latin-1")).encode("latin-1")
        redacted = redaction_text.redacted_json(text, self._names, self._mask, self._scrub)
        if redacted is None:
            redacted = self._scrub(redacted_table(text, media_type(capture), self._names, self._mask))
        return body if redacted == text else redacted.encode(coding)

    def _literal(self, path: str, literal: str) -> str:
        if path.startswith("/") and self._names.covers(path):
            bare = literal.strip('"')
            quote = '"' if literal.startswith('"') else ""
            return literal if literal == "null" else f"{quote}{self._mask.of(bare)}{quote}"
        if path == "@header:set-cookie":
            return ", ".join(map(self._cookie_named, literal.split(", ")))
        if path.startswith("@header:"):
            return self.header(path.removeprefix("@header:"), literal)
        return self._scrubber.placed(literal) if path == "@body" else self._scrub(literal)

    def _cookie_named(self, told: str) -> str:
        """Keep what a finding reports of a cookie: its name, whether scripts may not see it."""
        return told if _COOKIE_NAMED.fullmatch(told) else self._cookies(told)

    def _cookies(self, value: str) -> str:
        """Mask what cookies hold; a Set-Cookie's attributes are not personal."""
        first, semicolon, rest = value.partition(";")
        name, equals, held = first.partition("=")
        if not equals:
            return value if re.fullmatch(r"[\w.-]*", first) and not rest else self._mask.of(value)
        shown = f"{name}={self._mask.of(held)}{semicolon}"
        pairs = [part.partition("=") for part in rest.split(";")] if semicolon else []
        return shown + ";".join(self._attribute(*pair) for pair in pairs)

    def _attribute(self, name: str, equals: str, held: str) -> str:
        known = name.strip().lower() in {"path", "domain", "expires", "max-age", "samesite", "version", "priority"}
        return name + equals + (held if known else self._mask.of(held))

    def _step(self, step: str) -> str:
        """Mask a step of a path that is a token: the link of a password reset holds one."""
        token = len(step) <= LARGEST and _TOKEN_STEP.fullmatch(step) and not _UUID.fullmatch(step)
        return self._mask.of(step) if token else step
