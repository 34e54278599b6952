"""Remembers writes for a while, so that a read beside one is not taken for a difference.

A write is known by its user, by the thing its path names: `/orders/17/pay` writes what `/orders/17/lines` reads. A path
without an id, a list or `/me`, names nothing: were it a thing, one busy user would leave nobody's pairs to compare.
Other users' writes there are the re-check's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

APART: Final = 2.0
"""Seconds after its end for which a write may still be seen by one side only: replicas, caches."""
KEYS_AT_MOST: Final = 16_384
LONGEST: Final = 256
_is_id: Final = re.compile(
    r"[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Z]{26}"
).fullmatch


class Writes:
    """The writes of the last seconds. Keys come with `begin`, go with `sweep` some time after their `end`."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._ended: dict[str, float] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there was no write for so long that none needs to be looked for."""
        return not self._open and not self._ended

    def begin(self, keys: Iterable[str]) -> None:
        """A write of these began."""
        for key in keys:
            self._open[key] = self._open.get(key, 0) + 1

    def end(self, keys: Iterable[str], now: float) -> None:
        """It ended."""
        if len(self._ended) >= KEYS_AT_MOST:
            self.sweep(now)
        for key in keys:
            left = self._open.get(key, 0) - 1
            if left > 0:
                self._open[key] = left
            else:
                self._open.pop(key, None)
            if len(self._ended) < KEYS_AT_MOST:
                self._ended[key] = now

    def overlap(self, keys: Iterable[str], since: float) -> bool:
        """Whether a write of any of these is under way, or ended less than APART seconds before `since`."""
        ended = self._ended
        return any(key in self._open or ended.get(key, 0.0) > since - APART for key in keys)

    def sweep(self, now: float, longest: float = 60.0) -> None:
        """Forget what no read that is still under way, at most `longest` seconds old, could have met."""
        gone = now - longest - APART
        if self._ended:
            self._ended = {key: at for key, at in self._ended.items() if at > gone}


def read_keys(path: str, user: str | None) -> tuple[str, ...]:
    """What a read of `path` may see: the thing it belongs to, whatever its user wrote."""
    return _keys(path, user)


def write_keys(path: str, user: str | None) -> tuple[str, ...]:
    """What a write to `path` may change: the thing it belongs to, its user's view."""
    return _keys(path, user)


def _keys(path: str, user: str | None) -> tuple[str, ...]:
    thing = _thing(path)
    found = (_short(f"path:{thing}"),) if thing else ()
    return (*found, _short(f"user:{user}")) if user else found


def _short(key: str) -> str:
    """A key, hashed where it is as long as somebody who floods us likes: it is kept for a minute."""
    return key if len(key) <= LONGEST else f"long:{hash(key)}"


def _thing(path: str) -> str:
    """The path up to its last id, empty where there is none."""
    segments = path.rstrip("/").split("/")
    for at in range(len(segments) - 1, 0, -1):
        if _is_id(segments[at]):
            return "/".join(segments[: at + 1])
    return ""
