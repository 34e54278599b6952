"""JSON whose numbers keep their literal text, so that no price is rounded on its way through a translation.

JMESPath counts with Python's own numbers. A whole number is exact as an `int`; any other one is a `Literal`: a float
for what computes with it, its own text for what writes it.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any, Final, Self

import jmespath
from jmespath import functions

from rules.routing.rewrite import DEEPEST_JSON, TranslationError, is_deeper

_TOO_DEEP: Final = f"the body is nested deeper than {DEEPEST_JSON} levels"
_DIGITS_AT_MOST: Final = 4000
"""Python reads no whole number of more than 4300 digits, for it takes the square of their time."""
_number: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch


class Literal(float):
    """A number as it was written; JMESPath knows types by their names, so it has that of a float."""

    text: str

    def __new__(cls, text: str) -> Self:
        """A literal of JSON; out of a float's range it counts as infinite or as nothing."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        """The literal."""
        return self.text

    __repr__ = __str__


Literal.__name__ = "float"


def read(payload: bytes) -> Any:
    """Read a body; raises TranslationError for what is no JSON, for which NaN and Infinity do not pass."""
    try:
        value = json.loads(payload, parse_int=_whole, parse_float=Literal, parse_constant=_refuse)
    except RecursionError as error:
        raise TranslationError(_TOO_DEEP) from error
    except ValueError as error:
        raise TranslationError("the body is not JSON") from error
    if is_deeper(value):
        raise TranslationError(_TOO_DEEP)
    return value


def write(value: Any) -> bytes:
    """Write a body; raises TranslationError for what JSON cannot say. Half a character stays an escape."""
    pieces: list[str] = []
    try:
        _write(value, pieces)
    except (ValueError, RecursionError) as error:
        raise TranslationError("the value cannot be written as JSON") from error
    return "".join(pieces).encode("utf-8", "backslashreplace")


def search(expression: jmespath.parser.ParsedResult, value: Any) -> Any:
    """What a JMESPath expression finds in `value`; raises TranslationError for any value that it cannot work on."""
    try:
        return expression.search(value, jmespath.Options(custom_functions=_FUNCTIONS))
    except Exception as error:
        # beside its own errors it lets through what Python says to an infinite number, a deep tree, a strange type
        raise TranslationError(f"the answer does not fit response.json: {error}") from error


def _whole(text: str) -> int | Literal:
    return int(text) if len(text) <= _DIGITS_AT_MOST and text != "-0" else Literal(text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _write(value: Any, pieces: list[str]) -> None:
    put = pieces.append
    if isinstance(value, str):
        put(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int | float):
        put(_numeral(value))
    elif isinstance(value, dict):
        between = "{"
        for key, member in value.items():
            put(f"{between}{encode_basestring(key)}:")
            _write(member, pieces)
            between = ","
        put("}" if value else "{}")
    elif isinstance(value, list):
        between = "["
        for member in value:
            put(between)
            _write(member, pieces)
            between = ","
        put("]" if value else "[]")
    else:
        raise ValueError(f"{type(value).__name__} is no value of JSON")


def _numeral(value: float) -> str:
    if isinstance(value, Literal):
        return value.text
    text = repr(value)
    if _number(text) is None:
        raise ValueError(f"{text} is no number of JSON")
    return text


class _Functions(functions.Functions):  # type: ignore[misc]  # jmespath has no types
    """JMESPath's own functions; those that turn numbers to text and back keep the text."""

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]  # as above
    def _func_to_string(self, value: Any) -> str:
        return value if isinstance(value, str) else write(value).decode()

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]  # as above
    def _func_to_number(self, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _number(value) is not None:
            return _whole(value) if value.lstrip("-").isdecimal() else Literal(value)
        return super()._func_to_number(value)


_FUNCTIONS: Final = _Functions()
