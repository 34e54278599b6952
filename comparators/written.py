"""Small checks of values as an operator writes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def mapping_of(value: Any, where: str, keys: Sequence[str] | None) -> Mapping[str, Any]:
    """Return a mapping whose keys are all among `keys` (None: any text); ValueError otherwise."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{_at(where)}: a mapping is needed, not `{value}`")  # noqa: TRY004 - one kind of error for all mistakes
    for key in value:
        if not isinstance(key, str) or (keys is not None and key not in keys):
            raise ValueError(f"{_at(where)}: unknown key `{key}`{_meant(str(key), keys or ())}")
    return value


def listed(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Return a list of the mapping, the empty one where it is left out."""
    value = given.get(key)
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise ValueError(f"{_at(key)}: a list is needed, not `{value!r}`")  # noqa: TRY004 - as above
    return value


def choice(value: Any, where: str, choices: Sequence[str]) -> str:
    """Return one of the words that are known there."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{_at(where)}: `{value}` is not one of {', '.join(choices)}{_meant(str(value), choices)}")


def text(value: Any, where: str) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError(f"{_at(where)}: a text is needed, not `{value}`")  # noqa: TRY004 - as above
    return value


def number(value: Any, where: str) -> Decimal:
    """Return a number that is not negative, as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"{_at(where)}: a number that is not below 0 is needed, not `{value}`")
    return Decimal(repr(value))


def share(value: Any, where: str) -> float:
    """Return the share 0…1 of `5%` or `0.05`."""
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%", value.strip())):
        value = float(found.group(1)) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{_at(where)}: a share is written 5% or 0.05, not `{value}`")
    return float(value)


def _at(where: str) -> str:
    return where if where == "compare" else f"compare.{where}"


def _meant(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""
