"""Redacts and packs a pair for the store.

`diffs.redact` names fields as modern has them. What a map moves about is looked for wherever legacy may have it: to
hide a member too many costs a person a look, to keep one costs a secret. Both sides lose the same, so that what is
kept can be judged again.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comparators.paths import steps
from comparators.redaction import Redactor
from comparators.redaction_text import Names
from proxy.ipc.codec import LARGEST, CodecError, Inbox
from proxy.ipc.judge_messages import STORED
from proxy.ipc.messages import Pair
from proxy.judge.policies import RouteRules

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ANY = ("*", "**")


class Redactors:
    """One for each route that maps legacy's answers, made when first asked for, one for all others."""

    def __init__(
        self, key: bytes, fields: Sequence[str], routes: Mapping[str, RouteRules], *, personal: bool = True
    ) -> None:
        self._key = key
        self._fields = fields
        self._routes = routes
        self._mapped: dict[str, Redactor] = {}
        self._personal = personal
        self._plain = Redactor(key, fields, personal=personal)

    def of(self, route: str) -> Redactor:
        """Return who redacts what is kept of `route`."""
        mapping = self._routes[route].compare.get("map") if route in self._routes else None
        if not mapping or not self._fields:
            return self._plain
        there = self._mapped.get(route)
        if there is None:
            there = self._mapped[route] = Redactor(self._key, fields_of(self._fields, mapping), personal=self._personal)
        return there


def fields_of(fields: Sequence[str], mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields to redact in either shape; `mapping` is a route's `compare.map`."""
    return (*fields, *_names(fields), *_sources(fields, mapping.get("rename") or {}))


def _names(fields: Sequence[str]) -> Iterator[str]:
    """Yield each field's own name, in both cases; a field that ends in a star has none."""
    for field in fields:
        last = steps(field)[-1] if field.startswith("/") else field
        if last not in _ANY:
            yield from (last, _HUMP.sub("_", last).lower())


def _sources(fields: Sequence[str], renames: Mapping[str, str]) -> Iterator[str]:
    """Yield the names that legacy has for what is redacted after it was renamed, or that holds such a field."""
    names = Names(fields)
    for old, new in renames.items():
        inside = any(field.startswith(f"{new}/") for field in fields)
        if (names.covers(new) or inside) and (source := steps(old)) and source[-1] not in _ANY:
            yield source[-1]


# Packs a redacted pair for the store, unpacks it again.


_FAST = 1


class UnreadableError(Exception):
    """A stored pair that this version cannot read; its findings are still there."""


def pack(pair: Pair) -> bytes:
    """Return `pair` as the store keeps it."""
    return zlib.compress(STORED.pack(pair), _FAST)


def unpack(data: bytes) -> Pair:
    """Return the pair that was packed, or raise UnreadableError."""
    undone = zlib.decompressobj()
    inbox = Inbox(STORED)
    try:
        inbox.feed(undone.decompress(data, LARGEST))
        message = inbox.next_message()
    except (zlib.error, CodecError) as error:
        raise UnreadableError(str(error)) from error
    if not isinstance(message, Pair):
        raise UnreadableError("it is not whole")
    return message
