"""The forms that a varying piece of a text may have: what all of them share, and whether one more text has it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from comparators.noise_letters import charset, decoded, is_even
from comparators.noise_times import STRICT, Instant, Reading, instant, near

NUMBER: Final = r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?"
_NUMBER: Final = re.compile(NUMBER)
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3}){1,5}(?:\.[0-9]{1,9})?")
AFFIXED: Final = re.compile(r"([A-Za-z]{0,40})([0-9]{1,18}(?:\.[0-9]{1,18})?)([A-Za-z%]{0,12})")
EPOCH, HOURS = 10, 6
"""Digits of an epoch, those of them that stay for hours."""
UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Times(NamedTuple):
    """Points in time, no further away than the samples' own span allows."""

    found: tuple[Instant, ...]

    def fits(self, text: str, reading: Reading = STRICT) -> bool:
        """Whether a text is such a point in time."""
        return near(list(self.found), instant(text, reading), reading)


class Numbers(NamedTuple):
    """Numbers of one sign between two sizes, whole ones where all are.

    With `digits` they are digits that keep this length (vouchers, customer numbers), whatever number they make.
    """

    least: Decimal
    most: Decimal
    whole: bool
    zero: bool = False
    digits: int = 0

    def fits(self, text: str, reading: Reading = STRICT) -> bool:  # noqa: ARG002 - one form for all
        """Whether a text is such a number."""
        if self.digits:
            return len(text) == self.digits and text.isascii() and text.isdigit() and not is_even(text)
        number = number_of(text)
        return number is not None and self.holds(number)

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


class Row(NamedTuple):
    """Several pieces between the same marks; a text stands for itself."""

    mark: str
    shapes: tuple[str | Times | Numbers | Made | Uuids | Row | Affixed, ...]

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


Shape = Times | Numbers | Made | Uuids | Row | Affixed


def _fits(shape: str | Shape, text: str, reading: Reading) -> bool:
    return text == shape if isinstance(shape, str) else shape.fits(text, reading)


def number_of(text: str) -> Decimal | None:
    """Return the number that a text is, with commas between its thousands or without; None where it is none."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return Decimal(text.replace(",", "")) if _GROUPED.fullmatch(text) else None
