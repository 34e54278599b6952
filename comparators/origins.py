"""A backend's own address inside the texts it writes: scheme, host and port, in full or without the scheme."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

# Neither character occurs in JSON text, HTML or a header.
_ORIGIN: Final = "\x00"
_BARE: Final = "\x01"
# A path that begins with two slashes is no relative address: it would name another host.
_RELATIVE: Final = re.compile(rf"{_ORIGIN}(?=/(?![/\\]))")
_BEFORE: Final = r"(?:https?(?::|%3A))?(?://|\\/\\/|%2F%2F)"
_AFTER: Final = r"(?![\w@-]|\.\w|:\d|%3A\d)"
_DEFAULT_PORTS: Final = {"80", "443"}


_QUERY: Final = re.compile(r"(?:(?<=[^\s?])\?|\A\?(?=[\w.~%\[\]-]+=))[^\s\"'<>#?]+")


def spaced(text: str) -> str:
    """Return a text with the `+` in the queries of its addresses as `%20`."""
    return _QUERY.sub(_spaced, text) if "?" in text and "+" in text else text


def _spaced(query: re.Match[str]) -> str:
    return query[0].replace("+", "%20")


class Origins:
    """Both backends' own addresses, given as `host:port`; immutable."""

    def __init__(self, legacy: Sequence[str] = (), modern: Sequence[str] = ()) -> None:
        self._legacy = _patterns(legacy)
        self._modern = _patterns(modern)

    def same(self, legacy: str, modern: str) -> bool:
        """Whether two texts are equal once each side's own address counts as one.

        An absolute address of legacy is also the same as the relative one of modern; not the other way round,
        which would show a client where modern lives.
        """
        if not (self._legacy.names or self._modern.names):
            return False
        left, right = _marked(legacy, self._legacy), _marked(modern, self._modern)
        if left == legacy and right == modern:
            return False
        return left == right or (_ORIGIN not in right and _RELATIVE.sub("", left) == right)

    def bare(self, text: str, *, modern: bool) -> str:
        """Return a text of one side without its own address: what it has in common with a relative one."""
        marked = _marked(text, self._modern if modern else self._legacy)
        return marked.replace(_ORIGIN, "").replace(_BARE, "")

    def readdressed(self, legacy: str, modern: str) -> tuple[str, str]:
        """Return two texts with each side's own address as one mark, left out of legacy's where modern has none."""
        left, right = _marked(legacy, self._legacy), _marked(modern, self._modern)
        return (left if _ORIGIN in right else _RELATIVE.sub("", left)), right

    def named(self, legacy: str, modern: str) -> bool:
        """Whether either text holds its own side's address."""
        return self._legacy.is_in(legacy) or self._modern.is_in(modern)


class _Own(NamedTuple):
    """What stands for the addresses of one side: the names of its hosts, what finds them and what replaces them."""

    names: tuple[str, ...]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def is_in(self, text: str) -> bool:
        """Whether a text holds one of the addresses."""
        return self.may_be_in(text) and any(pattern.search(text) for pattern, _ in self.patterns)

    def may_be_in(self, text: str) -> bool:
        """Whether a text holds a host's name at all: looking for one costs a hundredth of looking for addresses."""
        folded = text.lower() if self.names else ""
        for name in self.names:  # noqa: SIM110 - a generator costs more than the search
            if name in folded:
                return True
        return False


def _patterns(hosts: Sequence[str]) -> _Own:
    """Compile what stands for these hosts with a scheme, then without one (only with a port: a name is a word)."""
    full: list[str] = []
    bare: list[str] = []
    names: list[str] = []
    for host in hosts:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit():
            name, port = host, ""
        names.append(name.lower())
        full.append(re.escape(name) + _port(port))
        if port:
            bare.append(f"{re.escape(name)}:{port}")
    if not full:
        return _Own((), ())
    found = [(re.compile(f"{_BEFORE}(?:{'|'.join(full)}){_AFTER}", re.IGNORECASE), _ORIGIN)]
    if bare:
        found.append((re.compile(rf"(?<![\w.@:/-])(?:{'|'.join(bare)}){_AFTER}", re.IGNORECASE), _BARE))
    return _Own(tuple(names), tuple(found))


def _port(port: str) -> str:
    if not port:
        return "(?:(?::|%3A)(?:80|443))?"
    return f"(?:(?::|%3A){port})" + ("?" if port in _DEFAULT_PORTS else "")


def _marked(text: str, own: _Own) -> str:
    if not own.may_be_in(text):
        return text
    for pattern, mark in own.patterns:
        text = pattern.sub(mark, text)
    # An address without a path is the address of `/` (RFC 3986, 6.2.3).
    return re.sub(f"{_ORIGIN}(?=$|[?#])", f"{_ORIGIN}/", text) if _ORIGIN in text else text
