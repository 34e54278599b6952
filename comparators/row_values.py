"""When two column values of two databases mean the same: one named, directional rule a difference of types.

Pure: values come as the drivers give them (int, Decimal, str, bytes, datetime, UUID, lists and maps of JSON, None).
A rule excuses what a migration from one type to the other is known to do to the **legacy** value, never the reverse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from struct import pack, unpack
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

INTEGER, DECIMAL, FLOAT, BOOLEAN, TEXT = "integer", "decimal", "float", "boolean", "text"
DATE, DATETIME, TIME, JSON, UUIDS, BINARY, OTHER = "date", "datetime", "time", "json", "uuid", "binary", "other"
NUMBERS: Final = frozenset({INTEGER, DECIMAL, FLOAT})

SAME: Final = ""
"""What `rule` returns for two values that are the same without any rule."""
ZERO_DATE: Final = "0000-00-00"
_PLAIN_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_PLAIN_TEXT: Final = frozenset({TEXT, UUIDS})


@dataclass(frozen=True, slots=True)
class ValuePair:
    """How one column is compared.

    `legacy` and `modern` are kinds of this module; `legacy_zone` and `modern_zone` are the time zones of naive times.
    `operator` and `operand` are the conversion of legacy's number; `padded` says that a side pads text with spaces;
    `equivalent` are the rules that are off by default: `empty_null` between two texts; `single` says that a side holds
    floats of 32 bits, which have no more digits than that to differ in.
    """

    name: str
    legacy: str
    modern: str
    legacy_zone: str = "UTC"
    modern_zone: str = "UTC"
    operator: str = ""
    operand: str = "0"
    padded: bool = False
    equivalent: frozenset[str] = frozenset()
    single: bool = False


def rule(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    """Return the rule under which both values mean the same (`SAME` for none), or None when they differ."""
    if legacy is None or modern is None:
        return _with_null(legacy, modern, pair)
    if type(legacy) is type(modern) and legacy == modern and _needs_no_rule(pair):
        return SAME
    if pair.operator:
        return _converted(legacy, modern, pair)
    return _BY_KIND.get((pair.legacy, pair.modern), _by_modern)(legacy, modern, pair)


def _needs_no_rule(pair: ValuePair) -> bool:
    """Whether equal values of one type mean the same: not where one is converted, or read in another zone.

    Nor documents, in which `1` and `true` are equal to Python; of numbers the scale may differ.
    """
    return not pair.operator and pair.legacy_zone == pair.modern_zone and pair.modern not in (JSON, DECIMAL)


def _with_null(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    if legacy is None and modern is None:
        return SAME
    if modern is not None:
        return None
    if isinstance(legacy, str) and legacy.startswith(ZERO_DATE) and pair.modern in (DATE, DATETIME, TEXT):
        return "zero_date"
    if legacy == "" and (pair.modern not in _PLAIN_TEXT or "empty_null" in pair.equivalent):
        return "empty_null"
    return None


def _converted(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    left, right = number(legacy), number(modern)
    if left is None or right is None:
        return None
    operand = Fraction(pair.operand)
    found = {"*": left * operand, "/": left / operand if operand else None, "+": left + operand, "-": left - operand}
    return "convert" if found[pair.operator] == right else None


def number(value: Any) -> Fraction | None:
    """Return a value as an exact number; None where it is none: booleans, texts with leading zeros or exponents."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal | float):
        return _fraction(value)
    if isinstance(value, str):
        return Fraction(value) if _PLAIN_DECIMAL.fullmatch(value) else None
    return None


def _fraction(value: Decimal | float) -> Fraction | None:
    try:
        return Fraction(value)
    except (ValueError, OverflowError):  # an infinity, a NaN
        return None


def _numbers(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    if isinstance(legacy, Decimal) and isinstance(modern, Decimal) and legacy != modern:
        return None
    left, right = number(legacy), number(modern)
    if left is None or left != right:
        return None
    if isinstance(legacy, str) and not isinstance(modern, str):
        return "numeric_text"
    return SAME if str(legacy) == str(modern) else "decimal_scale"


def _floats(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    """Compare a float with what it was converted to: equal as doubles, as floats of 32 bits where a side has these."""
    left, right = number(legacy), number(modern)
    if left is None or right is None:
        return SAME if str(legacy).lower() == str(modern).lower() else None
    if left == right:
        return SAME
    if float(left) == float(right):
        return "float_spelling"
    return "float_spelling" if pair.single and _single(float(left)) == _single(float(right)) else None


def _single(value: float) -> float:
    """Return the nearest float of 32 bits; a value beyond them as it is."""
    try:
        return float(unpack("f", pack("f", value))[0])
    except OverflowError:
        return value


def _booleans(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    truth = _truth(legacy)
    if truth is None or truth is not _truth(modern):
        return None
    return SAME if isinstance(legacy, bool) else "tinyint_boolean"


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        value = int.from_bytes(value, "big")
    return {"0": False, "1": True, "f": False, "t": True}.get(str(value))


def _texts(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    left, right = _text(legacy), _text(modern)
    if left == right:
        return SAME
    return "char_padding" if pair.padded and left.rstrip(" ") == right.rstrip(" ") else None


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _dates(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    return SAME if str(legacy)[:10] == str(modern)[:10] and _no_time(legacy) and _no_time(modern) else None


def _no_time(value: Any) -> bool:
    if isinstance(value, datetime):
        return value.time() == time()
    return isinstance(value, date) or not str(value)[10:].strip(" T0:.Z")


def _instants(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    left, right = instant(legacy, pair.legacy_zone), instant(modern, pair.modern_zone)
    if left is None or left not in (right or ()):
        return _second_reading(left, right)
    return SAME if str(legacy) == str(modern) else "time_zone"


def _second_reading(left: tuple[datetime, ...] | None, right: tuple[datetime, ...] | None) -> str | None:
    """Compare two times where one of them has two readings: the hour that a clock going back repeats."""
    return "time_zone" if left and right and set(left) & set(right) else None


def instant(value: Any, zone: str) -> tuple[datetime, ...] | None:
    """Return the instants that a value may stand for in UTC, or None: a naive time is read in `zone`.

    There are two where the clock of `zone` goes back over it.
    """
    moment = _moment(value)
    if moment is None:
        return None
    if moment.tzinfo is not None:
        return (moment.astimezone(UTC),)
    local = moment.replace(tzinfo=ZoneInfo(zone))
    return tuple(dict.fromkeys((local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))))


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - read in the zone that the caller names
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _times(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    return SAME if _of_day(legacy) == _of_day(modern) else None


def _of_day(value: Any) -> Any:
    if isinstance(value, time):
        return timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    return value


def _documents(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    left, right = _document(legacy), _document(modern)
    if not _same_document(left, right):
        return None
    return SAME if legacy == modern else "json_spelling"


def _document(value: Any) -> Any:
    if isinstance(value, str | bytes):
        try:
            return json.loads(value, parse_float=Decimal)
        except ValueError:
            return _text(value)
    return value


def _same_document(left: Any, right: Any) -> bool:
    """Compare strictly by type: a boolean is no number, numbers are exact."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same_document(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same_document, left, right))
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return number(left) == number(right)
    return type(left) is type(right) and bool(left == right)


def _uuids(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    left, right = uuid_of(legacy), uuid_of(modern)
    if left is None or left != right:
        return None
    return SAME if type(legacy) is type(modern) else "binary_uuid"


def uuid_of(value: Any) -> UUID | None:
    """Return a UUID written as such, as text, or as its sixteen bytes; None for anything else."""
    try:
        if isinstance(value, UUID):
            return value
        return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))
    except ValueError:
        return None


def _bytes(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    left, right = _raw(legacy), _raw(modern)
    if left == right:
        return SAME
    return "char_padding" if pair.padded and left.rstrip(b"\0") == right.rstrip(b"\0") else None


def _raw(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()


def _as_they_are(legacy: Any, modern: Any, _pair: ValuePair) -> str | None:
    return SAME if legacy == modern or str(legacy) == str(modern) else None


def _as_list(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    """Compare a text with a value of an unknown type; a list stands for MySQL's SET, its members between commas."""
    if not isinstance(modern, list):
        return _as_they_are(legacy, modern, pair)
    return "set_array" if (_text(legacy).split(",") if legacy else []) == modern else None


def _integers_from_bits(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    value = int.from_bytes(legacy, "big") if isinstance(legacy, bytes) else legacy
    found = _numbers(value, modern, pair)
    return "bit" if found == SAME and isinstance(legacy, bytes) else found


_Compare = Callable[[Any, Any, ValuePair], str | None]
_MODERN: dict[str, _Compare] = {
    INTEGER: _numbers,
    DECIMAL: _numbers,
    FLOAT: _floats,
    BOOLEAN: _booleans,
    TEXT: _texts,
    DATE: _dates,
    DATETIME: _instants,
    TIME: _times,
    JSON: _documents,
    UUIDS: _uuids,
    BINARY: _bytes,
    OTHER: _as_they_are,
}
_BY_KIND: dict[tuple[str, str], _Compare] = {
    (BINARY, INTEGER): _integers_from_bits,
    (BINARY, TEXT): _texts,
    (TEXT, OTHER): _as_list,
    (FLOAT, INTEGER): _floats,
    (FLOAT, DECIMAL): _floats,
    (INTEGER, TEXT): _as_they_are,
    (DECIMAL, TEXT): _as_they_are,
    (JSON, TEXT): _documents,
    (UUIDS, TEXT): _uuids,
    (BINARY, UUIDS): _uuids,
    (DATE, DATETIME): _instants,
}


def _by_modern(legacy: Any, modern: Any, pair: ValuePair) -> str | None:
    return _MODERN[pair.modern](legacy, modern, pair)
