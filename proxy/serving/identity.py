"""Finds who the user is, so that the same person meets the same side every time.

Only the value is hashed, never where it came from; the first source that is present wins. What a client can
invent freely (an identity header from an untrusted peer) is no identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proxy.http1.parse import RequestHead

Source = Callable[[RequestHead, bool], str | None]


def cookie(header: str, name: str) -> str | None:
    """The first value of cookie `name` in a Cookie field (RFC 6265 5.4), quotes taken off; None when absent."""
    wanted = name + "="
    start = header.find(wanted)
    while start >= 0:
        if start == 0 or header[start - 1] in "; ":
            begin = start + len(wanted)
            end = header.find(";", begin)
            value = (header[begin:] if end < 0 else header[begin:end]).strip(" \t")
            return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        start = header.find(wanted, start + 1)
    return None


class Identity:
    """The identity sources of one snapshot, in their order."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)

    def find(self, head: RequestHead, trusted: bool) -> str | None:  # noqa: FBT001 - hot, positional
        """The user's identity, or None; an empty value is none."""
        for source in self._sources:
            user = source(head, trusted)
            if user:
                return user
        return None


def from_header(name: str) -> Source:
    """A field that an authenticating edge sets; believed from trusted peers only."""
    lower = name.lower()
    return lambda head, trusted: head.field(lower) if trusted else None


def from_cookie(name: str) -> Source:
    """A cookie that holds the user's id in clear."""
    return lambda head, _trusted: cookie(head.cookie, name) if head.cookie else None


def sources(names: Iterable[str]) -> list[Source]:
    """One source for each `header:NAME` or `cookie:NAME`."""
    found: list[Source] = []
    for name in names:
        kind, _, argument = name.partition(":")
        if kind == "header":
            found.append(from_header(argument))
        elif kind == "cookie":
            found.append(from_cookie(argument))
    return found
