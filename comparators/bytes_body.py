"""Compares two bodies byte by byte."""

from __future__ import annotations

from comparators.context import Context
from comparators.texts import first_difference

_SHOWN = 16


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find the first byte at which two bodies part, shown in hexadecimal; `length` where one begins with the other."""
    if legacy == modern:
        return
    at = first_difference(legacy.decode("latin-1"), modern.decode("latin-1"))
    begins = at == min(len(legacy), len(modern))
    context.differ("@body", "length" if begins else "value", _shown(legacy, at), _shown(modern, at))


def _shown(body: bytes, at: int) -> str:
    return f"{len(body)} bytes, from {at}: {body[at : at + _SHOWN].hex()}"
