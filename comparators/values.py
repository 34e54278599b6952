"""Reads values in text: exact decimals, instants."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# Sixty digits keep a difference apart from rounding even between amounts of forty.
_ARITHMETIC: Final = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
_NOISE: Final = Decimal("1e-12")
_NEAR: Final = Decimal("1e-6")
_TENTH_OF_A_CENT: Final = Decimal("0.001")
_CLOSE: Final = (None, 0.001)
_EVERY_DECIMAL: Final = 15
"""Decimals of up to so many digits are distinguished by the double nearest to them."""
_PLAINLY: Final = 1e-5
_LARGEST: Final = 1e300
_LEAST: Final = 1e-300
_LAST_DIGITS: Final = 1e-15
"""More than what reading two literals as doubles and subtracting them gets wrong, as a share of the larger."""

Exact = tuple[bool, str, int]


Number = bytes
"""A JSON number is the bytes of its literal: exact, quickly made, and equal to no text and to no True."""


def exact(value: Number | str) -> Exact:
    """Return a number's sign, digits without zeros at either end, and power of ten: equal exactly for equal values."""
    text = _spelled(value)
    if text.isdigit() and text.isascii():  # most are whole
        short = text.rstrip("0")
        whole = short.lstrip("0")
        return (False, whole, len(text) - len(short)) if whole else (False, "", 0)
    mantissa, _, power = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    short = digits.rstrip("0")
    significant = short.lstrip("0")
    if not significant:
        return (False, "", 0)
    try:
        exponent = int(power or 0)
    except ValueError:  # thousands of digits in the exponent alone: only the same text is the same number
        return (mantissa.startswith("-"), f"{digits}e{power}", 0)
    return (mantissa.startswith("-"), significant, exponent - len(fraction) + len(digits) - len(short))


def same(legacy: Number, modern: Number) -> bool:
    """Whether two numbers that are not spelled alike have one value; whole ones never do, but for -0."""
    if legacy.isdigit() and modern.isdigit():
        return False
    # What is one decimal is one double; the other way round it takes the exact look.
    if float(legacy) != float(modern):
        return False
    return exact(legacy) == exact(modern)


def _has_power(text: str) -> bool:
    return "e" in text or "E" in text


def are_equal(left: str, right: str) -> bool:
    """Whether two texts that are numbers have one value; of short ones without a power their doubles say so."""
    if left == right:
        return True
    if len(left) <= _EVERY_DECIMAL >= len(right) and not _has_power(left + right):
        return float(left) == float(right)
    return exact(left) == exact(right)


def plain(text: str) -> bool:
    """Whether a text is a plain decimal: no leading zeros, plus sign, exponent or white space."""
    if text.isdigit() and text.isascii():  # most are whole
        return text[0] != "0" or len(text) == 1
    return _PLAIN.fullmatch(text) is not None


def is_float(value: Number) -> bool:
    """Whether a literal has a fraction or an exponent."""
    return not value.lstrip(b"-").isdigit()


Limits = tuple[float | None, float | None]
"""How far numbers may be apart, as doubles: a share of the larger, an amount."""


def limits(relative: Decimal | None, absolute: Decimal | None) -> Limits:
    """Return two limits as doubles: to make one of a decimal takes as long as all else about two numbers."""
    return None if relative is None else float(relative), None if absolute is None else float(absolute)


def within(
    legacy: Number | str,
    modern: Number | str,
    relative: Decimal | None,
    absolute: Decimal | None,
    about: Limits | None = None,
) -> bool:
    """Whether two numbers are no further apart than either limit says; `about` are the same limits as doubles."""
    quickly = _within(float(legacy), float(modern), limits(relative, absolute) if about is None else about)
    if quickly is not None:
        return quickly
    left, right = _ARITHMETIC.create_decimal(_spelled(legacy)), _ARITHMETIC.create_decimal(_spelled(modern))
    apart = _ARITHMETIC.subtract(left, right).copy_abs()
    if not apart.is_finite():
        return False
    if absolute is not None and apart <= absolute:
        return True
    if relative is None:
        return False
    limit = _ARITHMETIC.multiply(relative, max(left.copy_abs(), right.copy_abs()))
    return limit.is_finite() and apart <= limit


def _within(left: float, right: float, about: Limits) -> bool | None:
    """Return what doubles tell of two numbers under limits; None where the answer may be one of their last digits."""
    largest = max(abs(left), abs(right))
    if not largest < _LARGEST:
        return None
    apart, unsure = abs(left - right), _LAST_DIGITS * largest + _LEAST
    relative, absolute = about
    far = True
    if absolute is not None:
        if apart + unsure < absolute:
            return True
        far = apart - unsure > absolute
    if relative is not None:
        if apart + unsure < relative * largest:
            return True
        far = far and apart - unsure > relative * largest
    return False if far else None


def _may_be(legacy: Number, modern: Number) -> bool:
    """Whether two numbers need the exact comparison: one is a float, and they are not obviously different."""
    if not (is_float(legacy) or is_float(modern)):
        return False
    left, right = float(legacy), float(modern)
    return not abs(left - right) > _PLAINLY * max(abs(left), abs(right))


def is_noise(legacy: Number, modern: Number) -> bool:
    """Whether two numbers, one of them a float, differ by what binary sums leave behind, or by how a double is spelled.

    What sums leave behind is 1e-12 of the larger, less than a tenth of a cent, and shows in a literal of more than
    fifteen digits: with fewer each decimal is a double of its own. A whole number is never another whole number.
    """
    if max(len(legacy), len(modern)) <= _EVERY_DECIMAL or not _may_be(legacy, modern):
        return False
    one, two = exact(legacy), exact(modern)
    if one[2] >= 0 and two[2] >= 0:
        return False
    digits = len(one[1]), len(two[1])
    if max(digits) <= _EVERY_DECIMAL:
        return False
    if _is_close(legacy, modern) and within(legacy, modern, _NOISE, None):
        return True
    return float(legacy) == float(modern) and all(_is_of_a_double(*each) for each in ((legacy, one), (modern, two)))


def _is_close(legacy: Number, modern: Number) -> bool:
    """Whether two numbers are less than a tenth of a cent apart."""
    quickly = _within(float(legacy), float(modern), _CLOSE)
    if quickly is not None:
        return quickly
    left, right = _ARITHMETIC.create_decimal(legacy.decode()), _ARITHMETIC.create_decimal(modern.decode())
    return _ARITHMETIC.subtract(left, right).copy_abs() < _TENTH_OF_A_CENT


def _is_of_a_double(value: Number, written: Exact) -> bool:
    """Whether a literal is one that programs write for its double: the shortest, or one with 17 or 16 digits."""
    double = float(value)
    return written in {exact(repr(double)), exact(f"{double:.17g}"), exact(f"{double:.16g}")}


def is_near(legacy: Number, modern: Number) -> bool:
    """Whether a reader would take two floats for the same number: 1e-6 of the larger."""
    return _may_be(legacy, modern) and within(legacy, modern, _NEAR, None)


def _spelled(value: Number | str) -> str:
    return value.decode() if type(value) is bytes else str(value)


# Points in time written as text: the spellings that PHP and Python use, and when two of them are one instant.


_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(?:[.,]([0-9]{1,9}))?)? ?"
    r"(?:([Zz]|UTC|GMT)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_BASIC: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})"
    r"(?:(Z)|([+-])([0-9]{2})([0-9]{2}))?"
)
_MAIL: Final = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) "
    r"(?:(GMT|UTC)|([+-])([0-9]{2})([0-9]{2}))"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY: Final = 10
_MEMBERS: Final = 3
_ZONE_TYPES: Final = (b"1", b"2", b"3")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_ABBREVIATIONS: Final = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_SHORTEST: Final = 15
_LONGEST: Final = 40


class Moment(NamedTuple):
    """A date and time of day as written: whole seconds, fraction without trailing zeros, offset if there is one."""

    wall: datetime
    fraction: str
    offset: timedelta | None


def moment(text: str) -> Moment | None:
    """Read a text that is a date with a time of day and nothing else (ISO 8601 in its three habits, RFC 5322).

    One that names another day of the week than its date's is none: readers are told two days.
    """
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    # Most texts are none: a look at one letter tells them from those that may be.
    return _read(text) if text[4] == "-" or text[3] == "," or text[8] == "T" else None


@lru_cache(maxsize=4096)  # whoever compares two texts asks several times, and rows often share their time
def _read(text: str) -> Moment | None:
    weekday = ""
    if text[4] == "-" and (found := _ISO.fullmatch(text)):
        day, clock, seconds, fraction, zulu, sign, hours, minutes = found.groups()
        clock += seconds or ""
    elif text[3] == "," and (found := _MAIL.fullmatch(text)):
        weekday, number, month, year, clock, zulu, sign, hours, minutes = found.groups()
        if month not in MONTHS:
            return None
        day, fraction = f"{year}-{MONTHS.index(month) + 1:02}-{number}", ""
    elif text[8] == "T" and (found := _BASIC.fullmatch(text)):
        *parts, zulu, sign, hours, minutes = found.groups()
        day, clock, fraction = "-".join(parts[:3]), ":".join(parts[3:]), ""
    else:
        return None
    try:
        wall = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None
    if weekday and weekday != _WEEKDAYS[wall.weekday()]:
        return None
    return Moment(wall, (fraction or "").rstrip("0"), _offset(zulu, sign, hours, minutes))


def instant_of(value: dict[str, Any]) -> Moment | None:
    """Read what `json_encode` makes of PHP's DateTime: `{date, timezone_type, timezone}`, and nothing else."""
    if len(value) != _MEMBERS or value.get("timezone_type") not in _ZONE_TYPES:
        return None
    day, zone = value.get("date"), value.get("timezone")
    if type(day) is not str or type(zone) is not str or (when := moment(day)) is None or when.offset is not None:
        return None
    offset = _zone_offset(zone, when.wall)
    return None if offset is None else Moment(when.wall, when.fraction, offset)


def _zone_offset(name: str, wall: datetime) -> timedelta | None:
    """Return how far a zone of PHP is ahead of UTC then: an offset, an abbreviation, a name."""
    if found := _OFFSET.fullmatch(name):
        return _offset(None, *found.groups())
    if name in _ABBREVIATIONS:
        return timedelta(hours=_ABBREVIATIONS[name])
    zone = _zone(name)
    return None if zone is None else wall.replace(tzinfo=zone).utcoffset()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def same_instant(legacy: Moment, modern: Moment, zone: tzinfo | None) -> bool:
    """Whether two texts are one instant.

    Legacy's time without a zone is read in `zone` (UTC where it is None), and so is modern's when legacy has none
    either; a zone that only modern lost is a loss. Where clocks were set back, either reading will do.
    """
    if legacy.fraction != modern.fraction:
        return False
    if legacy.offset is None and modern.offset is None:
        return legacy.wall == modern.wall
    if modern.offset is None:
        return False
    if legacy.wall.year in {1, 9999} or modern.wall.year in {1, 9999}:
        # No instant, but the end of time, or its beginning: the same where neither is moved by a zone.
        return legacy.wall == modern.wall and not (legacy.offset or modern.offset)
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
    if not sign or not hours:
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return -offset if sign == "-" else offset


def _utc(when: Moment, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the instants, without their zone, that a moment may be."""
    if when.offset is not None:
        return (when.wall - when.offset,) if when.offset else (when.wall,)
    if zone is UTC:
        return (when.wall,)
    return tuple(when.wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1))
