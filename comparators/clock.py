"""Recognises a response's own clock: a time near its `Date` on either side is when it was made, nothing else.

The rule `clock` of the preset. It is not learned, and never wider than five seconds: a value that runs with the clock
but shows another hour is a difference. Names of what is due, expires or is valid until then are never a clock, even
now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from comparators.model import Capture
from comparators.noise_rules import chunks
from comparators.noise_times import Instant, Reading, instant
from comparators.sensitive_names import looks_due
from comparators.values import Number

_NEAR: Final = 5.0
_MAYBE: Final = re.compile(r"[0-9]{10}|[0-9]:[0-9]{2}|[0-9]T[0-9]{6}")
_LONGEST: Final = 1 << 16
_WORDS: Final = 40
_KINDS: Final = frozenset({"text", "epoch", "stamp"})


class Clocks:
    """When two responses were made, by their own clocks or else when they were received; immutable."""

    def __init__(self, legacy: Capture, modern: Capture, reading: Reading) -> None:
        self._made = _made(legacy), _made(modern)
        self._reading = reading

    def same(self, legacy: Any, modern: Any, names: Sequence[str]) -> int:
        """Return how many clocks account for the difference of two values, 0 where it has another cause."""
        if type(legacy) is not type(modern) or None in self._made:
            return 0
        left, right = _text(legacy), _text(modern)
        if left is None or right is None or max(len(left), len(right)) > _LONGEST:
            return 0
        if _MAYBE.search(left) is None or _MAYBE.search(right) is None or looks_due(names):
            return 0
        ours, theirs = chunks(left), chunks(right)
        if len(ours) != len(theirs):
            return 0
        found = list(self._each(ours, theirs))
        return len(found) if all(found) else 0

    def _each(self, ours: Sequence[str], theirs: Sequence[str]) -> Iterator[bool]:
        """Yield for each piece in which two texts differ whether it is either side's clock."""
        before = ""
        for one, two in zip(ours, theirs, strict=True):
            if one != two:
                yield self._are_clocks(one, two) and not looks_due((before,))
            before = (before + one)[-_WORDS:]

    def _are_clocks(self, legacy: str, modern: str) -> bool:
        found = [instant(text, self._reading) for text in (legacy, modern)]
        if not all(map(_is_beside, found, self._made)):
            return False
        one, two = found
        if one is None or two is None or one.kind != two.kind or (one.zoned and not two.zoned):
            return False
        return one.spelling == two.spelling or (self._reading.loose and one.kind == "text")


def _is_beside(found: Instant | None, made: float | None) -> bool:
    return found is not None and made is not None and found.kind in _KINDS and abs(found.seconds - made) <= _NEAR


def _made(capture: Capture) -> float | None:
    seconds = _said((capture.header("date") or "").strip())
    return capture.at if seconds is None else seconds


@lru_cache(maxsize=64)  # the answers of a second say the same
def _said(date: str) -> float | None:
    found = instant(date)
    return found.seconds if found is not None and found.kind == "text" else None


def _text(value: Any) -> str | None:
    if type(value) is Number:
        return str(value, "ascii")
    return value if type(value) is str else None
