"""Recognises a response's own clock: a time near its `Date` on either side is when it was made, nothing else.

The rule `clock` of the preset. It is not learned, and never wider than five seconds: a value that runs with the clock
but shows another hour is a difference. A time to the minute (`as of 14:05`) stands for its minute, a date for its day:
so two of them may differ in the seconds around a full minute, around midnight, at no other time. PHP's `uniqid()` is a
time as well, eight hexadecimal digits of seconds: what stands on every page of some applications. So does how long the
page took (`Page generated in 0.0012 seconds`). Names of what is due, expires or is valid until then are never a clock,
even now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from comparators import timings
from comparators.model import Capture
from comparators.noise_rules import chunks, speaks_of_money
from comparators.noise_times import Instant, Reading, instant
from comparators.sensitive_names import looks_due
from comparators.values import Number

_NEAR: Final = 5.0
_MAYBE: Final = re.compile(r"[0-9]{10}|[0-9a-f]{13}|[0-9]:[0-9]{2}|[0-9]T[0-9]{6}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST: Final = 1 << 16
_WORDS: Final = 40
_KINDS: Final = frozenset({"text", "epoch", "stamp"})
_DAY: Final = 86400.0
_MINUTE: Final = 60.0
_HALF_DAY: Final = re.compile(r"\s?([ap])\.?m\b", re.IGNORECASE)
_UNIQID: Final = re.compile(
    r"(?<![0-9])(?:([5-9][0-9a-f]{7})[0-9a-f]{5}[0-9]\.?[0-9]{8}|([5-9][0-9a-f]{7})[0-9a-f]{5})(?![0-9A-Za-z])"
)
"""With the digits of `more_entropy` behind it or without (PHP, uniqid); digits before it may be a user's."""
_MARK: Final = "\x01"
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def may_be(text: str) -> bool:
    """Whether a text holds anything that looks like a time."""
    return _MAYBE.search(text) is not None


class Clocks:
    """When two responses were made, by their own clocks or else when they were received.

    `_made` is read from them with the first two values that may be times.
    """

    def __init__(self, legacy: Capture, modern: Capture, reading: Reading) -> None:
        self._responses = legacy, modern
        self._made: tuple[float | None, float | None] = None, None
        self._is_read = False
        self._reading = reading

    def same(self, legacy: Any, modern: Any, names: Callable[[], Sequence[str]]) -> int:
        """Return how many clocks account for the difference of two values, 0 where it has another cause.

        Their names are only asked for where both may be times.
        """
        if type(legacy) is not type(modern):
            return 0
        left, right = _text(legacy), _text(modern)
        if left is None or right is None or max(len(left), len(right)) > _LONGEST:
            return 0
        if took := timings.are_own_durations(left, right, speaks_of_money):
            return took
        if not (may_be(left) and may_be(right)) or not self._are_dated() or looks_due(names()):
            return 0
        ids = 0
        bare = self._without_ids(left, 0), self._without_ids(right, 1)
        if bare[0][1] == bare[1][1]:
            (left, ids), (right, _) = bare
        ours, theirs = chunks(left), chunks(right)
        if len(ours) != len(theirs):
            return 0
        found = list(self._each(ours, theirs))
        return ids + len(found) if all(found) else 0

    def _are_dated(self) -> bool:
        """Whether it is known when both responses were made."""
        if not self._is_read:
            self._is_read = True
            self._made = _made(self._responses[0]), _made(self._responses[1])
        return None not in self._made

    def _without_ids(self, text: str, side: int) -> tuple[str, int]:
        """Return a text with a mark for each id that was made of the time of its answer, and their number."""
        made = self._made[side]
        found = 0

        def marked(each: re.Match[str]) -> str:
            nonlocal found
            if made is None or abs(int(each[1] or each[2], 16) - made) > _NEAR:
                return each[0]
            found += 1
            return _MARK

        return _UNIQID.sub(marked, text), found

    def _each(self, ours: Sequence[str], theirs: Sequence[str]) -> Iterator[bool]:
        """Yield for each piece in which two texts differ whether it is either side's clock."""
        before = ""
        for at, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            if one != two:
                after = "".join(ours[at + 1 : at + 4])
                yield self._are_clocks(one, two, after) and not looks_due((before,))
            before = (before + one)[-_WORDS:]

    def _are_clocks(self, legacy: str, modern: str, after: str) -> bool:
        one, two = (instant(text, self._reading) for text in (legacy, modern))
        if one is None or two is None or one.kind != two.kind or (one.zoned and not two.zoned):
            return False
        if not all(self._is_beside(found, made, after) for found, made in zip((one, two), self._made, strict=True)):
            return False
        return one.spelling == two.spelling or (self._reading.loose and one.kind == "text")

    def _is_beside(self, found: Instant, made: float | None, after: str) -> bool:
        if made is None:
            return False
        if found.kind in _KINDS:
            return abs(found.seconds - made) <= _NEAR
        there = made + self._offset(made)
        if found.kind == "date":
            return -_NEAR <= there - found.seconds <= _DAY + _NEAR
        lasts = _MINUTE if found.spelling == "0:00" else 0.0
        past = (there - _of_the_day(found.seconds, after) + _DAY / 2) % _DAY - _DAY / 2
        return -_NEAR <= past <= lasts + _NEAR

    def _offset(self, made: float) -> float:
        """Seconds that the clocks of legacy's zone are ahead."""
        if self._reading.zone is None:
            return 0.0
        when = (_START + timedelta(seconds=made)).astimezone(self._reading.zone)
        return (when.utcoffset() or timedelta()) / timedelta(seconds=1)


def _of_the_day(seconds: float, after: str) -> float:
    """Return seconds since midnight of a time of day, which may be one of twelve hours."""
    half = _HALF_DAY.match(after)
    if half is None or not _DAY / 24 <= seconds < _DAY / 24 * 13:
        return seconds
    return seconds % (_DAY / 2) + (_DAY / 2 if half[1] in "pP" else 0.0)


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
