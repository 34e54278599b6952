"""Makes ids that are new: 32 random hexadecimal digits.

Many are made at a time, because one at a time costs four times as much.
"""

from __future__ import annotations

from random import randbytes
from typing import Final

_AT_ONCE: Final = 256
_LENGTH: Final = 32
_ready: Final[list[str]] = []


def new_id() -> str:
    """An id nobody had before."""
    if not _ready:
        digits = randbytes(_AT_ONCE * _LENGTH // 2).hex()  # noqa: S311 - an id is no secret
        _ready.extend([digits[at : at + _LENGTH] for at in range(0, len(digits), _LENGTH)])
    return _ready.pop()
