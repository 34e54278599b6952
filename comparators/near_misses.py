"""Names the rule that nearly applied to a difference: the first guess of a reader, and why it does not hold."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any, Final

from comparators.context import Context
from comparators.scalars import ZERO_DATE, are_decimals, as_bit
from comparators.values import Number, instant_of, is_date, is_near, moment

_NUMERIC: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")


def nearly(legacy: Any, modern: Any, context: Context) -> str:
    """Return the rule whose kind of difference this is, though it does not hold here or is not on; empty for none."""
    rule = _BY_TYPES.get((type(legacy), type(modern)), "")
    return rule if isinstance(rule, str) else rule(legacy, modern, context)


def _texts(legacy: str, modern: str, context: Context) -> str:
    if (moment(legacy) or is_date(legacy)) and (moment(modern) or is_date(modern)):
        return "datetime" if context.has("datetime") or is_date(legacy) == is_date(modern) else "date_midnight"
    if are_decimals(legacy, modern):
        return "numeric_string" if context.has("numeric_string") else "decimal_strings"
    return "own_host" if context.origins.named(legacy, modern) else ""


def _text_for_number(legacy: str, _: Any, __: Context) -> str:
    return "numeric_string" if _NUMERIC.fullmatch(legacy) else ""


def _number_for_text(_: Any, modern: str, context: Context) -> str:
    if moment(modern) is not None:
        return "unix_time"
    if _NUMERIC.fullmatch(modern) is None:
        return ""
    return "numeric_string" if context.has("numeric_string") else "number_to_string"


def _numbers(legacy: Number, modern: Number, _: Context) -> str:
    return "float_noise" if is_near(legacy, modern) else ""


def _value_for_bool(legacy: Any, _: Any, __: Context) -> str:
    return "" if as_bit(legacy) is None else "bool_int"


def _bool_for_value(_: Any, modern: Any, __: Context) -> str:
    return "" if as_bit(modern) is None else "bool_int"


def _text_for_null(legacy: str, _: None, __: Context) -> str:
    return {"": "empty_null", ZERO_DATE: "zero_date"}.get(legacy, "")


def _null_for_text(_: None, modern: str, context: Context) -> str:
    return _text_for_null(modern, None, context)


def _list_for_other(legacy: list[Any], modern: Any, _: Context) -> str:
    if not legacy:
        return "empty_array"
    return "sparse_list" if type(modern) is dict else ""


def _map_for_text(legacy: dict[str, Any], _: Any, __: Context) -> str:
    return "" if instant_of(legacy) is None else "php_datetime"


_BY_TYPES: dict[tuple[type, type], Any] = {
    (str, str): _texts,
    (str, Number): _text_for_number,
    (str, bool): _value_for_bool,
    (str, NoneType): _text_for_null,
    (NoneType, str): _null_for_text,
    (Number, Number): _numbers,
    (Number, str): _number_for_text,
    (Number, bool): _value_for_bool,
    (bool, Number): _bool_for_value,
    (bool, str): _bool_for_value,
    (list, dict): _list_for_other,
    (list, NoneType): _list_for_other,
    (dict, list): "sparse_list",
    (dict, str): _map_for_text,
}
