"""The types of values in requests, and the spelling of values in responses.

The old clients send numbers as text, flags as 0 and 1, and an empty map as []; all of it is still taken.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from paymenter.faults import board

_MOST = 999_999_999


def _refuse(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, message)  # type: ignore[arg-type]  # the texts below are literals


def _number(value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MOST:
        value = int(value)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise _refuse("number", "must be a number")
    return value


def _amount(value: Any) -> Decimal:
    text = str(value) if isinstance(value, int | float) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,2})?", text):
        raise _refuse("amount", "must be an amount with two decimals")
    return Decimal(text)


def _flag(value: Any) -> int:
    if isinstance(value, float) or value not in (0, 1, "0", "1"):
        raise _refuse("flag", "must be true or false")
    return int(value)


def _map(value: Any) -> dict[str, Any]:
    if value == []:
        return {}
    # PHP cannot tell a map with the keys 0, 1, 2 … from a list, so neither side takes one.
    if not isinstance(value, dict) or (value and list(value) == [str(n) for n in range(len(value))]):
        raise _refuse("map", "must be a map")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise _refuse("day", "must be a date")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _refuse("day", "must be a date") from error


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@ \t\r\n]+@[^@ \t\r\n]+\.[^@ \t\r\n]+", value):
        raise _refuse("email", "must be an e-mail address")
    return value


# In requests
Number = Annotated[int, BeforeValidator(_number)]
AmountIn = Annotated[Decimal, BeforeValidator(_amount)]
FlagIn = Annotated[int, BeforeValidator(_flag)]
MapIn = Annotated[dict[str, Any], BeforeValidator(_map)]
Day = Annotated[date, BeforeValidator(_day)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Line = Annotated[str, Field(min_length=1, max_length=190)]
Text = Annotated[str, Field(min_length=1, max_length=5000)]
Email = Annotated[str, Field(min_length=1, max_length=190), AfterValidator(_email)]
Password = Annotated[str, Field(min_length=8, max_length=72)]


def _spell_moment(value: datetime) -> str:
    shifted = value + timedelta(hours=board.now.shift_dates_hours)
    return shifted.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


# In responses
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float)]
Moment = Annotated[datetime, PlainSerializer(_spell_moment, return_type=str)]
