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
_UNITS: Final = r"s|secs?|seconds|ms|[sS]ekund\w{0,2}|seconden|secondes|segundos|secondi"
_MEASURED: Final = re.compile(rf"(?<![\w.,])([0-9]{{1,4}}\.[0-9]{{2,6}}|0)(?= ?(?:{_UNITS})\b)")
_COARSE: Final = 10
"""So few steps of its clock say nothing of how long something took."""
_SLOWER: Final = 100
_ELSEWHERE: Final = (
    r"gegenereerd|geladen|opgebouwd|laadtijd|paginatijd|erzeugt|generiert|erstellt|ladezeit|generierungszeit|aufgebaut|générée?|chargée?"
    r"|exécutée?|generad[oa]|cargad[oa]|generat[oa]|caricat[oa]|gerad[oa]|carregad[oa]|wygenerowan[ao]|genererad"
)
"""Pages say it in the language of their users: of Dutch, German, French, Spanish, Italian, Portuguese, and more."""
_WORK: Final = re.compile(
    r"\b(?:generated|rendered|took|loaded|executed|elapsed|processed|query|queries"
    rf"|(?:execution|parse|render|rendering|load|loading|generation|page|query|response) time|{_ELSEWHERE})\b",
    re.IGNORECASE,
)
_NAMED: Final = 100, 10
"""Steps, and how much slower modern may be, where words say that it is how long the page took."""
_OF_PAGES: Final = re.compile(
    rf"\b(?:page|generated|rendered|loaded|query|queries|(?:execution|parse|generation|load) time|{_ELSEWHERE})\b",
    re.IGNORECASE,
)
_FINE: Final = 3
"""Decimal places of how long a page took, whichever unit."""
_FEW: Final = Decimal("0.005")
"""So little time is chance, whatever it is times another."""
_OF_NOTHING: Final = 4
"""Decimal places of a 0 that has none."""
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
    return _are_measured(legacy, modern, is_sum, _is_coarse)


def are_own_durations(legacy: str, modern: str, is_sum: Callable[[str, str], bool]) -> int:
    """Return how many figures say how long either answer took (`Page generated in 0.0012 seconds`), and differ.

    0 where texts differ in anything else, or one took ten times as long as the other and more than a moment. Figures of
    a second or more, or to a hundredth, may be about something else: a lap, an import.
    """
    if "." not in legacy and "." not in modern:  # as a rule, and seen at once
        return 0
    if _OF_PAGES.search(legacy) is None or not _are_measured(legacy, modern, is_sum, _is_own):
        return 0
    return sum(one != two for one, two in zip(_MEASURED.findall(legacy), _MEASURED.findall(modern), strict=True))


def _are_measured(
    legacy: str, modern: str, is_sum: Callable[[str, str], bool], fits: Callable[[str, str, bool], bool]
) -> bool:
    if "." not in legacy and "." not in modern:
        return False
    ours, theirs = _MEASURED.split(legacy), _MEASURED.split(modern)
    if len(ours) == 1 or ours[::2] != theirs[::2]:
        return False
    return all(
        ours[at] == theirs[at]
        or (
            fits(ours[at], theirs[at], _is_named(ours[at - 1], ours[at + 1]))
            and not is_sum(_in_brackets(ours[at - 1]), ours[at + 1])
        )
        for at in range(1, len(ours), 2)
    )


def _in_brackets(before: str) -> str:
    """Return what stands before a figure, from the bracket on that is open there: `Total: 60 (Query took `."""
    opened = before.rfind("(")
    return before[opened + 1 :] if opened > before.rfind(")") else before


def _is_named(before: str, after: str) -> bool:
    return _WORK.search(before[-_NEAR:]) is not None or _WORK.search(after[:_NEAR]) is not None


def _is_own(legacy: str, modern: str, is_named: bool) -> bool:  # noqa: FBT001 - as _is_coarse
    less, more = sorted((Decimal(legacy), Decimal(modern)))
    places = max(len(each.partition(".")[2]) for each in (legacy, modern))
    return is_named and places >= _FINE and more < 1 and (more < less * _NAMED[1] or more <= _FEW)


def _is_coarse(legacy: str, modern: str, is_named: bool) -> bool:  # noqa: FBT001 - one of two measures
    ours, theirs = Decimal(legacy), Decimal(modern)
    places = len(legacy.partition(".")[2]) or _OF_NOTHING
    step = Decimal(1).scaleb(-places)
    # A number that PHP rounds has as many places as it needs.
    same = is_named or places == len(modern.partition(".")[2])
    steps, slower = _NAMED if is_named else (_COARSE, _SLOWER)
    return same and ours < steps * step and theirs <= max(slower * max(ours, step), _SLOWER * step)


def _figures(text: str) -> Iterator[tuple[str, str]]:
    found = (each for each in _MEMBER.finditer(text) if looks_timed((each[1],)))
    return ((each[1], each[2]) for each in islice(found, _MOST))
