"""What a backend calls itself inside the texts it writes: scheme, host and port, in full or without the scheme."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Neither character occurs in JSON text, HTML or a header.
_ORIGIN = "\x00"
_BARE = "\x01"
_BEFORE = r"(?:https?(?::|%3A))?(?://|\\/\\/|%2F%2F)"
_AFTER = r"(?![\w@-]|\.\w|:\d|%3A\d)"
_DEFAULT_PORTS = {"80", "443"}


class Origins:
    """Both backends' own addresses, given as `host:port`; nothing changes after it is made."""

    def __init__(self, legacy: Sequence[str] = (), modern: Sequence[str] = ()) -> None:
        self._legacy = _patterns(legacy)
        self._modern = _patterns(modern)

    def same(self, legacy: str, modern: str) -> bool:
        """Whether two texts are equal once each side's own address counts as one.

        An absolute address of legacy is also the same as the relative one of modern; not the other way round,
        which would show a client where modern lives.
        """
        if not (self._legacy or self._modern):
            return False
        left, right = _marked(legacy, self._legacy), _marked(modern, self._modern)
        if left == legacy and right == modern:
            return False
        return left == right or (_ORIGIN not in right and left.replace(f"{_ORIGIN}/", "/") == right)

    def named(self, legacy: str, modern: str) -> bool:
        """Whether either text holds its own side's address."""
        return bool(self._legacy or self._modern) and any(
            pattern.search(text)
            for text, patterns in ((legacy, self._legacy), (modern, self._modern))
            for pattern, _ in patterns
        )


def _patterns(hosts: Sequence[str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compile what stands for these hosts with a scheme, then without one (only with a port: a name is a word)."""
    full: list[str] = []
    bare: list[str] = []
    for host in hosts:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit():
            name, port = host, ""
        full.append(re.escape(name) + _port(port))
        if port:
            bare.append(f"{re.escape(name)}:{port}")
    if not full:
        return ()
    found = [(re.compile(f"{_BEFORE}(?:{'|'.join(full)}){_AFTER}", re.IGNORECASE), _ORIGIN)]
    if bare:
        found.append((re.compile(rf"(?<![\w.@:/-])(?:{'|'.join(bare)}){_AFTER}", re.IGNORECASE), _BARE))
    return tuple(found)


def _port(port: str) -> str:
    if not port:
        return "(?:(?::|%3A)(?:80|443))?"
    return f"(?:(?::|%3A){port})" + ("?" if port in _DEFAULT_PORTS else "")


def _marked(text: str, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, mark in patterns:
        text = pattern.sub(mark, text)
    # An address without a path is the address of `/` (RFC 3986, 6.2.3).
    return re.sub(f"{_ORIGIN}(?=$|[?#])", f"{_ORIGIN}/", text) if _ORIGIN in text else text
