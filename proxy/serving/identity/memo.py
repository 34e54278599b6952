"""Remembers a bounded number of costly answers."""

from __future__ import annotations

from typing import Final

AT_MOST: Final = 4096


class Memo:
    """Text to text, emptied when full: simpler than an order of use, as good for tokens that live for minutes."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}

    def get(self, key: str, now: float) -> str | None:
        """What is remembered for `key` if it is still valid at `now`; empty: known to be nobody."""
        known = self._known.get(key)
        return known[0] if known is not None and now < known[1] else None

    def put(self, key: str, value: str, until: float) -> None:
        """Remember `value` until then."""
        if len(self._known) >= AT_MOST:
            self._known.clear()
        self._known[key] = (value, until)
