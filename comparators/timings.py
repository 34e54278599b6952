"""How long an answer itself took, where an answer says so: `cputime`, `walltime`, `backendResponseTime`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Final

from comparators.sensitive_names import looks_timed

_MEMBER: Final = re.compile(
    r"(?<![\w-])([A-Za-z_][\w-]{1,60})[\"']?\s?[:=]\s?[\"']?([0-9]{1,18}(?:\.[0-9]{1,18})?)(?![\w.])"
)
"""A name with its number, in JSON as in a script."""
_MOST: Final = 10_000
_MEASURED: Final = re.compile(r"(?<![\w.,])([0-9]{1,4}\.[0-9]{2,6})(?= ?(?:s|secs?|seconds|ms)\b)")
_COARSE: Final = 10
"""So few steps of its clock say nothing of how long something took."""
_SLOWER: Final = 100
_WORK: Final = re.compile(
    r"\b(?:generated|rendered|took|loaded|executed|elapsed|processed|query|queries)\b", re.IGNORECASE
)
_NAMED: Final = 100, 10
"""Steps, and how much slower modern may be, where words say that it is how long the page took."""
_NEAR: Final = 40


def differ(first: str, again: str) -> bool:
    """Whether two answers of one side say that they took differently long, whatever settings hide of them."""
    return any(one != other for one, other in zip(_figures(first), _figures(again), strict=False))


def are_coarse(legacy: str, modern: str, is_sum: Callable[[str, str], bool]) -> bool:
    """Whether texts differ only in durations that are hardly a clock's step: `(0.000 s)` and `(0.004 s)`.

    Such a figure of legacy's is the same each time it is asked, though it is measured; modern's may be longer. Where
    the words beside it say that it is how long the page took (`generated in 0.0012 seconds`) it may be a few steps.
    `is_sum` says whether the texts before and after a figure make it one of money.
    """
    if "." not in legacy:
        return False
    ours, theirs = _MEASURED.split(legacy), _MEASURED.split(modern)
    if len(ours) == 1 or ours[::2] != theirs[::2]:
        return False
    return all(
        ours[at] == theirs[at]
        or (
            _is_coarse(ours[at], theirs[at], is_named=_is_named(ours[at - 1], ours[at + 1]))
            and not is_sum(ours[at - 1], ours[at + 1])
        )
        for at in range(1, len(ours), 2)
    )


def _is_named(before: str, after: str) -> bool:
    return _WORK.search(before[-_NEAR:]) is not None or _WORK.search(after[:_NEAR]) is not None


def _is_coarse(legacy: str, modern: str, *, is_named: bool) -> bool:
    ours, theirs = Decimal(legacy), Decimal(modern)
    places = len(legacy.partition(".")[2])
    step = Decimal(1).scaleb(-places)
    # A number that PHP rounds has as many places as it needs.
    same = is_named or places == len(modern.partition(".")[2])
    steps, slower = _NAMED if is_named else (_COARSE, _SLOWER)
    return same and ours < steps * step and theirs <= max(slower * max(ours, step), _SLOWER * step)


def _figures(text: str) -> Iterator[tuple[str, str]]:
    found = (each for each in _MEMBER.finditer(text) if looks_timed((each[1],)))
    return ((each[1], each[2]) for each in islice(found, _MOST))
