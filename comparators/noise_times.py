"""Reads points in time wherever legacy writes its clock: dates with a time, epochs, digits in a row, a time of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from comparators.values import MONTHS, is_date, moment

TIME: Final = (
    r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?"
    r"(?: ?(?:[Zz](?![0-9A-Za-z])|[+-][0-9]{2}:?[0-9]{2}))?(?![0-9])"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} "
    r"(?:GMT|UTC|[+-][0-9]{4})"
    r"|(?<![0-9])[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}(?![0-9])"
    r"|(?<![0-9-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9-])"
    r"|(?<![0-9A-Za-z])(?:19|20)[0-9]{6}T[0-9]{6}(?:[.,]?[0-9]{3}(?:[0-9]{3})?)?Z?(?![0-9A-Za-z])"
    r"|(?<![0-9:.])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?![0-9:])"
)
"""A regex of the spellings that stand inside texts; time of day last."""

_EPOCH: Final = re.compile(r"([0-9]{10})((?:[0-9]{3}){1,2})?(?:\.([0-9]{1,9}))?")
_STAMP: Final = re.compile(r"((?:19|20)[0-9]{6})(T?)([0-9]{6})(?:[.,]?([0-9]{3,6}))?(Z?)")
_DAY_FIRST: Final = re.compile(r"[0-9]{4}(?:19|20)[0-9]{8}")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?")
_EPOCHS: Final = (1_000_000_000, 4_200_000_000)
_START: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - both ends of the subtraction are UTC
_DAY: Final = 86400.0
_SHORTEST, _LONGEST = 4, 40
_OF_LOGS: Final = re.compile(r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9:]{8} [+-][0-9]{4})")
"""As web servers write it in their logs (Apache's `%t`)."""
_NAME: Final = re.compile(r"[A-Za-z]{3}(?=[, /])")
_DIGIT: Final = re.compile(r"[0-9]")
_MOST_APART: Final = 3600.0
"""Ten digits that are further apart are no clock, but numbers of ten digits."""
_GRACE: Final = 120.0
_TIMES: Final = 10.0


class Instant(NamedTuple):
    """Seconds since 1970 (of a time of day: since midnight) and how they are spelled.

    `kind` separates what cannot stand for each other: `text`, `date`, `epoch`, `stamp`, `clock`; `zoned` says that a
    zone is written.
    """

    seconds: float
    spelling: str
    kind: str
    zoned: bool = False


class Reading(NamedTuple):
    """How times are read: in which zone one without a zone is, whether another spelling is the same (`datetime`)."""

    zone: tzinfo | None = None
    loose: bool = False


STRICT: Final = Reading()


def instant(text: str, reading: Reading = STRICT) -> Instant | None:
    """Return the point in time that a whole text is."""
    return _read(text, reading) if _SHORTEST <= len(text) <= _LONGEST else None


@lru_cache(maxsize=1024)  # one answer of legacy is held against all others, and its rows often share their time
def _read(text: str, reading: Reading) -> Instant | None:
    if found := _EPOCH.fullmatch(text):
        return _epoch(found)
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = found.groups()
        since = int(hours) * 3600.0 + int(minutes) * 60 + float(seconds or 0)
        return Instant(since, "0:00:00" if seconds else "0:00", "clock")
    if (found := _STAMP.fullmatch(text)) and (there := _stamp(found)) is not None:
        return there
    if _DAY_FIRST.fullmatch(text):
        return _day_first(text)
    return _written(text, reading)


def _written(text: str, reading: Reading) -> Instant | None:
    """Read a date, with a time or without; of one that has no zone the reading's."""
    if is_date(text):
        day = moment(f"{text} 00:00:00")
        return None if day is None else Instant((day.wall - _START) / timedelta(seconds=1), "date", "date")
    when = moment(_OF_LOGS.sub(_as_iso, text) if text[2:3] == "/" else text)
    if when is None or when.wall.year in {1, 9999}:
        return None
    if when.offset is not None:
        wall = when.wall - when.offset
    elif reading.zone is None:
        wall = when.wall
    else:
        wall = when.wall.replace(tzinfo=reading.zone).astimezone(UTC).replace(tzinfo=None)
    seconds = (wall - _START) / timedelta(seconds=1) + float(f"0.{when.fraction or 0}")
    return Instant(seconds, _spelled(text), "text", when.offset is not None)


def _as_iso(found: re.Match[str]) -> str:
    """Write a time of a log as ISO 8601 does; one in a month that is none stays."""
    day, month, year, clock = found.groups()
    return f"{year}-{MONTHS.index(month) + 1:02}-{day} {clock}" if month in MONTHS else found[0]


def _epoch(found: re.Match[str]) -> Instant | None:
    whole, further, fraction = found.groups()
    if not _EPOCHS[0] <= int(whole) <= _EPOCHS[1]:
        return None
    seconds = float(f"{whole}.{further or ''}{fraction or 0}")
    return Instant(seconds, f"{len(whole)}{len(further or '')}{'.' if fraction else ''}", "epoch")


def _stamp(found: re.Match[str]) -> Instant | None:
    """Read digits in a row, or ISO 8601's basic form (`20310304T091501Z`: calendars, signed links)."""
    day, mark, clock, fraction, zulu = found.groups()
    if not mark and (fraction or zulu):
        return None
    try:
        when = datetime.strptime(day + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - only ever held against its like
    except ValueError:
        return None
    seconds = (when - _START) / timedelta(seconds=1) + float(f"0.{fraction or 0}")
    return Instant(seconds, f"stamp{mark}{len(fraction or '')}{zulu}", "stamp", bool(zulu))


def _day_first(text: str) -> Instant | None:
    """Read `29032031091501`; read year first it would have a month of 19 or 20, so it is never both."""
    try:
        when = datetime.strptime(text, "%d%m%Y%H%M%S")  # noqa: DTZ007 - only ever held against its like
    except ValueError:
        return None
    return Instant((when - _START) / timedelta(seconds=1), "stamp, day first", "stamp")


def _spelled(text: str) -> str:
    """Return a spelling with its digits and names taken out; a fraction of zeros is none."""
    head, mark, _ = text.partition(".")
    return _DIGIT.sub("0", _NAME.sub("A", head)) + (mark and ".") + ("" if text[-1].isdigit() else text[-1])


def are_clock(found: list[Instant]) -> bool:
    """Whether points in time are of one kind, and near enough to be a clock where digits alone say nothing."""
    if len({each.kind for each in found}) > 1:
        return False
    return found[0].kind in {"text", "clock", "date"} or _span(found) <= _MOST_APART


def near(found: list[Instant], given: Instant | None, reading: Reading = STRICT) -> bool:
    """Whether a point in time is as near to others as they are to each other: ten times their span, and two minutes."""
    if given is None or given.kind != found[0].kind:
        return False
    if not (given.kind == "text" and reading.loose) and given.spelling not in {each.spelling for each in found}:
        return False
    if given.kind == "text" and ("." in given.spelling) not in {"." in each.spelling for each in found}:
        return False
    if any(each.zoned for each in found) and not given.zoned:
        return False
    room = _span(found) * _TIMES + _GRACE
    apart = [abs(given.seconds - each.seconds) for each in found]
    if given.kind == "clock":
        apart = [min(each, _DAY - each) for each in apart]
    return min(apart) <= room


def _span(found: list[Instant]) -> float:
    seconds = [each.seconds for each in found]
    span = max(seconds) - min(seconds)
    return min(span, _DAY - span) if found[0].kind == "clock" else span
