"""Remembers writes for a while, so that a read beside one is not taken for a difference.

A write is known by its user, by the things it names (`shadowing.things`). Other users' writes of what has no name, a
list, are the re-check's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from proxy.serving.shadowing import things

APART: Final = 2.0
"""Seconds after its end for which a write may still be seen by one side only: replicas, caches."""
KEYS_AT_MOST: Final = 16_384
LONGEST: Final = 256


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


def read_keys(target: str, names: Collection[str], user: str | None) -> tuple[str, ...]:
    """What a read of `target` may see: the thing it names, whatever its user wrote."""
    return _with_user(things.read(target, names), user)


def write_keys(target: str, names: Collection[str], user: str | None) -> tuple[str, ...]:
    """What a write to `target` may change: the things it names, its user's view."""
    return _with_user(things.written(target, names), user)


def _with_user(named: tuple[str, ...], user: str | None) -> tuple[str, ...]:
    return (*named, f"user={user}" if len(user) <= LONGEST else f"user={hash(user)}") if user else named
