"""Numbers by their text: exact values, however they are spelled or however long they are."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# Sixty digits keep a difference apart from rounding even between amounts of forty.
_ARITHMETIC = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
_NOISE = Decimal("1e-12")
_NEAR = Decimal("1e-6")
_PLAINLY = 1e-5

Exact = tuple[bool, str, int]


Number = bytes
"""A JSON number is the bytes of its literal: exact, quickly made, and equal to no text and to no True."""


def exact(value: Number | str) -> Exact:
    """Return a number's sign, digits without zeros at either end, and power of ten: equal exactly for equal values."""
    mantissa, _, power = _spelled(value).lower().partition("e")
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


def plain(text: str) -> bool:
    """Whether a text is a plain decimal: no leading zeros, plus sign, exponent or white space."""
    return _PLAIN.fullmatch(text) is not None


def is_float(value: Number) -> bool:
    """Whether a literal has a fraction or an exponent."""
    return not value.lstrip(b"-").isdigit()


def within(legacy: Number | str, modern: Number | str, relative: Decimal | None, absolute: Decimal | None) -> bool:
    """Whether two numbers are no further apart than either limit says."""
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


def _may_be(legacy: Number, modern: Number) -> bool:
    """Whether two numbers are worth the exact look: one is a float, and they are not plainly apart."""
    if not (is_float(legacy) or is_float(modern)):
        return False
    left, right = float(legacy), float(modern)
    return not abs(left - right) > _PLAINLY * max(abs(left), abs(right))


def is_noise(legacy: Number, modern: Number) -> bool:
    """Whether two numbers, one of them a float, differ by what binary sums leave behind: 1e-12 of the larger."""
    return _may_be(legacy, modern) and within(legacy, modern, _NOISE, None)


def is_near(legacy: Number, modern: Number) -> bool:
    """Whether a reader would take two floats for the same number: 1e-6 of the larger."""
    return _may_be(legacy, modern) and within(legacy, modern, _NEAR, None)


def _spelled(value: Number | str) -> str:
    return value.decode() if type(value) is bytes else str(value)
