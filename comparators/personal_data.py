"""Finds personal data by its form: mail addresses, bank account numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_AT: Final = ("@", "%40", "&#64;", "&#x40;", "\\u0040")
# A local part begins where no letter of one stands before it, or after an escape; both parts are bounded, so that
# time grows with the text alone. `logo@2x.png` is a picture.
_MAIL: Final = re.compile(
    r"(?:(?<![\w.+%-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))(?:[\w+-]|\.(?=[\w+-])|%2[Bb]){1,64}"
    r"(?:@|%40|&#64;|&#x40;|\\u0040)(?!\d{1,2}x\.)(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}(?![\w@])"
)
_ACCOUNT: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:(?:[ \u00a0+.-]|%20)?[A-Z0-9]{4}){2,7}"
    r"(?:(?:[ \u00a0+.-]|%20)?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_BETWEEN: Final = re.compile(r"%20|[ \u00a0+.-]")
_SHORTEST: Final = 15
_LONGEST: Final = 34


def without_personal(text: str, mask: Callable[[str], str]) -> str:
    """Return a text with mail addresses and account numbers (IBAN) masked, each by itself."""
    if any(at in text for at in _AT):
        text = _MAIL.sub(lambda found: mask(found[0]), text)
    return _ACCOUNT.sub(lambda found: _account(found[0], mask), text) if len(text) >= _SHORTEST else text


def is_account(text: str) -> bool:
    """Whether these letters and digits are an IBAN: 15 to 34 of them, the check digits right (ISO 13616)."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


def _account(run: str, mask: Callable[[str], str]) -> str:
    """Mask the part that is an account; a word in capitals may stand right behind it."""
    end = len(run)
    while end >= _SHORTEST:
        if is_account(_BETWEEN.sub("", run[:end])):
            return mask(_BETWEEN.sub("", run[:end])) + run[end:]
        end = max((found.start() for found in _BETWEEN.finditer(run, 0, end)), default=0)
    return run
