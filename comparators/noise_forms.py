"""The forms that a varying piece of a text may have: what all of them share, and whether one more text has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from comparators.noise_letters import charset, decoded, is_even
from comparators.noise_times import STRICT, Instant, Reading, instant, near

NUMBER: Final = r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?"
_NUMBER: Final = re.compile(NUMBER)
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3}){1,5}(?:\.[0-9]{1,9})?")
AFFIXED: Final = re.compile(r"([A-Za-z]{0,40})([0-9]{1,18}(?:\.[0-9]{1,18})?)([A-Za-z%]{0,12})")
_THOUSAND: Final = 1000
_PROVEN: Final = 40
"""So many numbers without a zero at the end would be once in seventy times chance, were they padded or not."""
EPOCH, HOURS = 10, 6
"""Digits of an epoch, those of them that stay for hours."""
_CENTS: Final = 2
_FEW: Final = 2
_GROUP: Final = 3
_MOST_PLACES: Final = 6
"""More decimals than a program rounds to are those of a float as it is, which has as many as it takes."""
_HEX_PAIR: Final = re.compile("[0-9a-fA-F]{2}")
_HEX_PAIRS: Final = re.compile("[0-9a-fA-F]{2}(?:(?::[0-9a-fA-F]{2}){5,63}|(?:-[0-9a-fA-F]{2}){5,63})")
UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Times(NamedTuple):
    """Points in time, no further away than the samples' own span allows."""

    found: tuple[Instant, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text is such a point in time."""
        return near(list(self.found), instant(text, reading), reading)


class Spelled(NamedTuple):
    """How numbers are written in all of several texts.

    - `grouped`: with commas between their thousands, or without; None where all are too small to say so
    - `length`: what all have; with zeros in front (`09`) a number is no longer or shorter than that
    - `least`, `most`: decimals. A zero at the end says that all numbers are padded, so that there are no others.
    """

    grouped: bool | None
    length: int
    least: int
    most: int | None

    def fits(self, text: str, number: Decimal) -> bool:
        """Whether a number is written like that."""
        if self.grouped is not None and abs(number) >= _THOUSAND and ("," in text) != self.grouped:
            return False
        bare = text.removeprefix("-")
        if len(bare) > 1 and bare[0] == "0" and bare[1] != "." and len(text) != self.length:
            return False
        places = places_of(text)
        return places >= self.least and (self.most is None or places <= self.most)


def spelled(texts: Sequence[str]) -> Spelled:
    """Return how numbers are written in texts.

    `number_format()` and `sprintf()` pad, the echo of a rounded float does not: `63.6` may follow two of `63.58`. A
    whole number is one in a hundred there, more decimals than it is rounded to are none. Two decimals in each answer
    are taken for rounded ones, any other number of them in many.
    """
    large = {"," in text for text in texts if abs(number_of(text) or Decimal(0)) >= _THOUSAND}
    lengths, places = {len(text) for text in texts}, {places_of(text) for text in texts}
    grouped = large.pop() if len(large) == 1 else None
    length = lengths.pop() if len(lengths) == 1 else 0
    if len(places) > 1 or not 0 < max(places) <= _MOST_PLACES:
        return Spelled(grouped, length, 0, None)
    (size,) = places
    if size == _GROUP and all(abs(number_of(text) or Decimal(0)) >= 1 for text in texts):
        return Spelled(grouped, length, 0, None)  # may be thousands with a dot between them
    if any(text[-1] == "0" for text in texts) or len(texts) >= _PROVEN:
        return Spelled(grouped, length, size, size)
    return Spelled(grouped, length, 1, size) if size == _CENTS else Spelled(grouped, length, 0, None)


def places_of(text: str) -> int:
    """Return how many decimals a number is written with."""
    return len(text.partition(".")[2])


class Numbers(NamedTuple):
    """Numbers of one sign between two sizes, whole ones where all are.

    With `digits` they are digits that keep this length (vouchers, customer numbers), whatever number they make.
    `spelled` says how all of them are written, where that is known.
    """

    least: Decimal
    most: Decimal
    whole: bool
    zero: bool = False
    digits: int = 0
    spelled: Spelled | None = None

    def fits(self, text: str, reading: Reading = STRICT) -> bool:  # noqa: ARG002 - one form for all
        """Whether a text is such a number."""
        if self.digits:
            return len(text) == self.digits and text.isascii() and text.isdigit() and not is_even(text)
        number = number_of(text)
        if number is None or not self.holds(number):
            return False
        return self.spelled is None or self.spelled.fits(text, number)

    def holds(self, number: Decimal) -> bool:
        """Whether a number is one of them."""
        if self.whole and number != number.to_integral_value():
            return False
        return self.zero if not number else self.least <= number <= self.most


class Made(NamedTuple):
    """Texts made anew each time: letters and length, with what stands before and after in all of them.

    With `clock` the last digits of `before` and the first ones made are an epoch, near those that it holds.
    """

    letters: frozenset[str]
    least: int
    most: int
    before: str = ""
    after: str = ""
    clock: Times | None = None

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text could be one more of them."""
        if len(text) <= len(self.before) + len(self.after) or not text.startswith(self.before):
            return False
        if not text.endswith(self.after):
            return False
        core = decoded(text[len(self.before) : len(text) - len(self.after)])
        made = self.least <= len(core) <= self.most and not is_even(core)
        return made and self.letters.issuperset(core) and self._is_on_time(text, reading)

    def _is_on_time(self, text: str, reading: Reading) -> bool:
        start = len(self.before) - HOURS
        return self.clock is None or self.clock.fits(text[start : start + EPOCH], reading)

    @property
    def regex(self) -> str:
        """The core alone, as a person would write it."""
        size = f"{{{self.least}}}" if self.least == self.most else f"{{{self.least},{self.most}}}"
        return f"{charset(self.letters)}{size}"


class Uuids(NamedTuple):
    """UUIDs of any version, in one case."""

    upper: bool
    lower: bool

    def fits(self, text: str, reading: Reading = STRICT) -> bool:  # noqa: ARG002 - one form for all
        """Whether a text is one."""
        if UUID.fullmatch(text) is None or is_even(text.replace("-", "")):
            return False
        letters = set(text) - set("0123456789-")
        return not letters or (text.lower() == text and self.lower) or (text.upper() == text and self.upper)


class HexPairs(NamedTuple):
    """Bytes in hexadecimal digits with one mark between all of them (an address of hardware, a fingerprint), one case.

    `steady` has what is the same in all samples at each place, None for what varies.
    """

    mark: str
    upper: bool
    lower: bool
    steady: tuple[str | None, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:  # noqa: ARG002 - one form for all
        """Whether a text has as many, the same ones where all samples have them."""
        found = text.split(self.mark)
        if len(found) != len(self.steady) or any(_HEX_PAIR.fullmatch(each) is None for each in found):
            return False
        if is_even("".join(found)) or any(
            kept not in {None, own} for kept, own in zip(self.steady, found, strict=True)
        ):
            return False
        return (self.lower and text == text.lower()) or (self.upper and text == text.upper())

    @property
    def regex(self) -> str:
        """The bytes as a pattern finds them."""
        letters = "[0-9a-fA-F]" if self.upper and self.lower else "[0-9a-f]" if self.lower else "[0-9A-F]"
        return re.escape(self.mark).join(each or f"{letters}{{2}}" for each in self.steady)


def hex_pairs(values: Sequence[str]) -> HexPairs | None:
    """Return what bytes in hexadecimal digits share: of two samples, two bytes side by side that are the same.

    One byte is the same in two samples once in 256 times.
    """
    if not all(map(_HEX_PAIRS.fullmatch, values)):
        return None
    mark, text = values[0][_FEW], "".join(values)
    columns = list(zip(*(value.split(mark) for value in values), strict=False))
    if len({len(value) for value in values}) > 1 or len(columns) == 1 or not any(map(str.isalpha, text)):
        return None
    same = [len(set(column)) == 1 for column in columns]
    is_sure = [
        each and (len(values) > _FEW or any(same[max(0, at - 1) : at] + same[at + 1 : at + 2]))
        for at, each in enumerate(same)
    ]
    steady = tuple(column[0] if sure else None for column, sure in zip(columns, is_sure, strict=True))
    return HexPairs(mark, text.upper() == text, text.lower() == text, steady)


class Row(NamedTuple):
    """Several pieces between the same marks; a text stands for itself."""

    mark: str
    shapes: tuple[str | Times | Numbers | Made | Uuids | HexPairs | Row | Affixed, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text has the same marks, and between them what fits."""
        parts = text.split(self.mark)
        return len(parts) == len(self.shapes) and all(map(_fits, self.shapes, parts, [reading] * len(parts)))


class Affixed(NamedTuple):
    """A number with the same letters before and behind it: a unit, a name."""

    before: str
    number: Numbers | Times | Made
    after: str

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text is such a number with the same letters."""
        found = AFFIXED.fullmatch(text)
        same = found is not None and (found[1], found[3]) == (self.before, self.after)
        return same and found is not None and self.number.fits(found[2], reading)


Shape = Times | Numbers | Made | Uuids | HexPairs | Row | Affixed


def _fits(shape: str | Shape, text: str, reading: Reading) -> bool:
    return text == shape if isinstance(shape, str) else shape.fits(text, reading)


def number_of(text: str) -> Decimal | None:
    """Return the number that a text is, with commas between its thousands or without; None where it is none."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return Decimal(text.replace(",", "")) if _GROUPED.fullmatch(text) else None
