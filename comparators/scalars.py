"""When two unequal values mean the same: the rules about single values.

Each rule is a line of the tables in docs/contract.md. What is excused for legacy's spelling is never excused
the other way round, unless the rule says so.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, Final

from comparators.context import Context
from comparators.paths import Place
from comparators.values import (
    Moment,
    Number,
    are_equal,
    exact,
    instant_of,
    is_date,
    is_epoch,
    is_float,
    is_midnight,
    is_noise,
    moment,
    plain,
    same,
    same_instant,
    within,
)

ZERO_DATE: Final = "0000-00-00 00:00:00"
_LONGEST_EPOCH: Final = 12
_BITS: Final = {"0": 0, "1": 1, b"0": 0, b"1": 1}
EQUAL: tuple[str, ...] = ()
Rules = tuple[str, ...] | None
"""The rules by which two values are the same, none where they are equal; None where no rule applies."""


def forgiving(legacy: Any, modern: Any, place: Place, context: Context) -> Rules:
    """Return the rules by which two unequal values count as the same, None where they differ."""
    rule = _BY_TYPES.get((type(legacy), type(modern)))
    return None if rule is None else rule(legacy, modern, place, context)


def one_type(legacy: Any, modern: Any, place: Place, context: Context) -> bool:
    """Whether two values are of one type, or of two that a rule which is on reads as one: then the value differs."""
    left, right = type(legacy), type(modern)
    if left is right:
        return True
    if left is str and right is Number:
        return plain(legacy) and bool(_first("numeric_string", "loose_types", place, context))
    if left is Number and right is str:
        loose = plain(modern) and bool(_first("number_to_string", "loose_types", place, context))
        return loose or ("unix_time" in place.rules and _is_epoch(legacy) and moment(modern) is not None)
    if right is bool:
        return as_bit(legacy) is not None and bool(_first("bool_int", "loose_types", place, context))
    return left is bool and as_bit(modern) is not None and "loose_types" in place.rules


def are_decimals(legacy: str, modern: str) -> bool:
    """Whether two texts are plain decimals of one value, at least one with a point."""
    return ("." in legacy or "." in modern) and plain(legacy) and plain(modern) and are_equal(legacy, modern)


def as_bit(value: Any) -> int | None:
    """Return 0 or 1 for the numbers and texts that PHP writes for a boolean."""
    return _BITS.get(value) if type(value) in {str, Number} else None


def _numbers(legacy: Number, modern: Number, place: Place, context: Context) -> Rules:
    if same(legacy, modern):
        return EQUAL
    if context.has("float_noise") and is_noise(legacy, modern):
        return ("float_noise",)
    return ("tolerance",) if _tolerated(legacy, modern, place) else None


def _text_for_number(legacy: str, modern: Number, place: Place, context: Context) -> Rules:
    rule = _first("numeric_string", "loose_types", place, context)
    return _bridged(rule, legacy, modern, place) if rule and plain(legacy) else None


def _number_for_text(legacy: Number, modern: str, place: Place, context: Context) -> Rules:
    rule = _first("number_to_string", "loose_types", place, context)
    if rule and plain(modern):
        return _bridged(rule, legacy, modern, place)
    if "unix_time" in place.rules and _is_epoch(legacy) and (when := moment(modern)) is not None:
        return ("unix_time",) if is_epoch(int(legacy), when, context.policy.zone) else None
    return None


def _is_epoch(legacy: Number) -> bool:
    return not is_float(legacy) and len(legacy) <= _LONGEST_EPOCH


def _bridged(rule: str, legacy: Number | str, modern: Number | str, place: Place) -> Rules:
    """Compare a number with a text that is one: equal, or no further apart than the operator says there."""
    if are_equal(_text(legacy), _text(modern)):
        return (rule,)
    return (rule, "tolerance") if _tolerated(legacy, modern, place) else None


def _text(value: Number | str) -> str:
    return value if isinstance(value, str) else value.decode()


def _value_for_bool(legacy: Any, modern: bool, place: Place, context: Context) -> Rules:  # noqa: FBT001 - a JSON value
    if context.has("bool_int") and as_bit(legacy) == int(modern):
        return ("bool_int",)
    return ("loose_types",) if "loose_types" in place.rules and _is_value(legacy, modern) else None


def _bool_for_value(legacy: bool, modern: Any, place: Place, _: Context) -> Rules:  # noqa: FBT001 - a JSON value
    return ("loose_types",) if "loose_types" in place.rules and _is_value(modern, legacy) else None


def _text_for_null(legacy: str, _: None, place: Place, __: Context) -> Rules:
    if legacy == "" and "empty_null" in place.rules:
        return ("empty_null",)
    if legacy == ZERO_DATE and "zero_date" in place.rules:
        return ("zero_date",)
    return None


def _list_for_map(legacy: list[Any], modern: dict[str, Any], _: Place, context: Context) -> Rules:
    return ("empty_array",) if not legacy and not modern and context.has("empty_array") else None


def _map_for_text(legacy: dict[str, Any], modern: str, _: Place, context: Context) -> Rules:
    if not context.has("php_datetime") or (written := instant_of(legacy)) is None or (dated := moment(modern)) is None:
        return None
    return ("php_datetime",) if same_instant(written, dated, context.policy.zone) else None


def _texts(legacy: str, modern: str, place: Place, context: Context) -> Rules:
    written, dated = moment(legacy), moment(modern)
    if written and dated and context.has("datetime") and same_instant(written, dated, context.policy.zone):
        return ("datetime",)
    if "date_midnight" in place.rules and _are_one_day(legacy, written, modern, dated):
        return ("date_midnight",)
    if "decimal_strings" in place.rules and are_decimals(legacy, modern):
        return ("decimal_strings",)
    # Counts by itself what it undoes.
    return EQUAL if context.same_text(legacy, modern, context.path) else None


def _are_one_day(legacy: str, written: Moment | None, modern: str, dated: Moment | None) -> bool:
    """Whether one text is a date and the other its midnight; Laravel writes either, as the column was cast."""
    if is_date(legacy):
        return dated is not None and is_midnight(legacy, dated)
    return written is not None and is_date(modern) and is_midnight(modern, written)


def _first(preset: str, operators: str, place: Place, context: Context) -> str:
    """Return the first of two rules that is on, everywhere or here."""
    there, here = context.policy.rules, place.rules
    if preset in there or preset in here:
        return preset
    return operators if operators in there or operators in here else ""


def _tolerated(legacy: Number | str, modern: Number | str, place: Place) -> bool:
    for at, each in enumerate(place.tolerances):  # no generator, nothing to zip, for every number
        if within(legacy, modern, each.relative, each.absolute, place.limits[at]):
            return True
    return False


def _is_value(value: Any, bit: bool) -> bool:  # noqa: FBT001 - a JSON value
    """Whether a number, or a text that is one, has the value of a boolean."""
    return (type(value) is not str or plain(value)) and exact(value) == exact(str(int(bit)))


_BY_TYPES: dict[tuple[type, type], Any] = {
    (str, str): _texts,
    (str, Number): _text_for_number,
    (str, bool): _value_for_bool,
    (str, NoneType): _text_for_null,
    (Number, Number): _numbers,
    (Number, str): _number_for_text,
    (Number, bool): _value_for_bool,
    (bool, Number): _bool_for_value,
    (bool, str): _bool_for_value,
    (list, dict): _list_for_map,
    (dict, str): _map_for_text,
}
