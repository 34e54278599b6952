"""Finds numbers that are payment cards by their check digit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_SHORTEST: Final = 13
_LONGEST: Final = 19
# Digits in groups of three or more, as cards print them; letters, dots or more digits around make it something else.
_DIGITS: Final = re.compile(r"(?<![\w.])[0-9]{3,}(?:(?:[ +-]|%20)[0-9]{3,})*(?![\w]|\.[0-9])")
_GROUP: Final = re.compile(r"[0-9]{3,}(?:[ +-]|%20)?")


def is_card(digits: str) -> bool:
    """Whether these digits are a card's number: 13 to 19 of them, a network's first digit, the check digit right."""
    if not _SHORTEST <= len(digits) <= _LONGEST or digits[0] not in "23456" or not digits.isdecimal():
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digit sum of a doubled digit
    return total % 10 == 0


def without_cards(text: str, mask: Callable[[str], str]) -> str:
    """Return a text with the numbers of cards masked."""
    return _DIGITS.sub(lambda found: _masked(found[0], mask), text) if len(text) >= _SHORTEST else text


def _masked(run: str, mask: Callable[[str], str]) -> str:
    """Mask the groups that make a card together; a price or a date may stand right beside one."""
    groups = _GROUP.findall(run)
    shown: list[str] = []
    at = 0
    while at < len(groups):
        end = _card_end(groups, at)
        if end is None:
            shown.append(groups[at])
            at += 1
        else:
            last = groups[end - 1]
            shown += mask("".join(map(_digits, groups[at:end]))), last[len(_digits(last)) :]
            at = end
    return "".join(shown)


def _card_end(groups: list[str], start: int) -> int | None:
    """Return where the groups end that make a card from `start` on, None where they make none."""
    digits = ""
    for end, group in enumerate(groups[start : start + _LONGEST // 3 + 1], start + 1):
        digits += _digits(group)
        if is_card(digits):
            return end
    return None


def _digits(group: str) -> str:
    return group.removesuffix("%20").rstrip(" +-")
