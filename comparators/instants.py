"""Points in time written as text: the spellings that PHP and Python use, and when two of them are one instant."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))? ?"
    r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_MAIL = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) "
    r"(?:(GMT|UTC)|([+-])([0-9]{2})([0-9]{2}))"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = 10
_SHORTEST = 19
_LONGEST = 40


class Moment(NamedTuple):
    """A date and time of day as written: whole seconds, fraction without trailing zeros, offset if there is one."""

    wall: datetime
    fraction: str
    offset: timedelta | None


def moment(text: str) -> Moment | None:
    """Read a text that is a date with a time of day and nothing else (ISO 8601 in both habits, RFC 5322)."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    if found := _ISO.fullmatch(text):
        day, clock, fraction, zulu, sign, hours, minutes = found.groups()
    elif found := _MAIL.fullmatch(text):
        number, month, year, clock, zulu, sign, hours, minutes = found.groups()
        if month not in _MONTHS:
            return None
        day, fraction = f"{year}-{_MONTHS.index(month) + 1:02}-{number}", ""
    else:
        return None
    try:
        wall = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None
    return Moment(wall, (fraction or "").rstrip("0"), _offset(zulu, sign, hours, minutes))


def same_instant(legacy: Moment, modern: Moment, zone: tzinfo | None) -> bool:
    """Whether two texts are one instant.

    Legacy's time without a zone is read in `zone` (UTC where it is None), and so is modern's when legacy has none
    either; a zone that only modern lost is a loss. Where clocks were set back, either reading will do.
    """
    if legacy.fraction != modern.fraction:
        return False
    if legacy.offset is None and modern.offset is None:
        return legacy.wall == modern.wall
    if modern.offset is None or legacy.wall.year in {1, 9999} or modern.wall.year in {1, 9999}:
        return False
    return _utc(modern, UTC)[0] in _utc(legacy, zone or UTC)


def is_epoch(seconds: int, modern: Moment, zone: tzinfo | None) -> bool:
    """Whether an integer of seconds since 1970 is the instant of a text; without a zone it is read in `zone`."""
    if modern.fraction or modern.wall.year in {1, 9999}:
        return False
    start = datetime(1970, 1, 1)  # noqa: DTZ001 - both ends of the subtraction are UTC
    return any((each - start) // timedelta(seconds=1) == seconds for each in _utc(modern, zone or UTC))


def is_midnight(day: str, moment_: Moment) -> bool:
    """Whether a text is a date, and the moment that date at midnight."""
    if _DATE.fullmatch(day) is None or moment_.fraction:
        return False
    return moment_.wall.isoformat() == f"{day}T00:00:00"


def is_date(text: str) -> bool:
    """Whether a text is a date without a time of day."""
    if len(text) != _DAY or _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _offset(zulu: str | None, sign: str | None, hours: str | None, minutes: str | None) -> timedelta | None:
    if zulu:
        return timedelta(0)
    if not sign or not hours or not minutes:
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def _utc(when: Moment, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the instants, without their zone, that a moment may be."""
    if when.offset is not None:
        return (when.wall - when.offset,)
    return tuple(when.wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1))
