"""Judges whether a PHP response means the same as the Python one, independent of the product's own comparator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.examples.asking import Answer

_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_RESIDUE = Decimal("1e-12")  # what a sum of PHP floats may be off


def read(answer: Answer) -> Any:
    """The JSON with every number exact."""
    return json.loads(answer.body, parse_float=Decimal)


def differences(legacy: Any, modern: Any, at: str = "", *, hosts: tuple[str, str] = ("", "")) -> list[str]:
    """Where the two differ in more than PHP's ways of spelling, as JSON pointers with both values."""
    return list(_walk(legacy, modern, at, hosts))


def _walk(legacy: Any, modern: Any, at: str, hosts: tuple[str, str]) -> Iterator[str]:
    if isinstance(modern, list) and isinstance(legacy, dict):
        legacy = _as_list(legacy)
    if modern == {} and legacy == []:
        return
    if isinstance(legacy, dict) and isinstance(modern, dict):
        for name in legacy.keys() | modern.keys():
            if name not in legacy or name not in modern:
                yield f"{at}/{name}: on one side only"
            else:
                yield from _walk(legacy[name], modern[name], f"{at}/{name}", hosts)
    elif isinstance(legacy, list) and isinstance(modern, list):
        if len(legacy) != len(modern):
            yield f"{at}: {len(legacy)} against {len(modern)} elements"
        for number, (left, right) in enumerate(zip(legacy, modern, strict=False)):
            yield from _walk(left, right, f"{at}/{number}", hosts)
    elif not _same_value(legacy, modern, at, hosts):
        yield f"{at}: {legacy!r} against {modern!r}"


def _as_list(mapping: dict[str, Any]) -> Any:
    """A list out of which PHP took elements, its holes closed; anything else as it is."""
    if all(key.isdigit() for key in mapping) and [int(key) for key in mapping] == sorted(map(int, mapping)):
        return list(mapping.values())
    return mapping


def _same_value(legacy: Any, modern: Any, at: str, hosts: tuple[str, str]) -> bool:
    if isinstance(modern, bool):
        return str(legacy) == str(int(modern))
    if isinstance(modern, int | Decimal):
        return _same_number(legacy, modern)
    if isinstance(modern, str) and isinstance(legacy, str):
        return legacy.replace(hosts[0], hosts[1]) == modern or _same_moment(legacy, modern)
    # The one setting that proxy.yaml makes beyond the preset for these pages.
    if modern is None and legacy == "" and at.endswith("/description"):
        return True
    return type(legacy) is type(modern) and legacy == modern


def _same_number(legacy: Any, modern: int | Decimal) -> bool:
    if isinstance(legacy, str):
        return _PLAIN.fullmatch(legacy) is not None and Decimal(legacy) == modern
    if isinstance(legacy, bool) or not isinstance(legacy, int | Decimal):
        return False
    return abs(Decimal(legacy) - Decimal(modern)) <= _RESIDUE * abs(Decimal(modern))


def _same_moment(legacy: str, modern: str) -> bool:
    if not _MOMENT.fullmatch(legacy) or not modern.endswith("Z"):
        return False
    return datetime.fromisoformat(legacy).replace(tzinfo=UTC) == datetime.fromisoformat(modern)


def failing_fields(answer: Answer) -> set[str]:
    """The fields that a 422 of either side names, as `items.0.price`."""
    body = answer.json
    if "errors" in body:
        return set(body["errors"])
    return {".".join(str(step) for step in error["loc"] if step != "body") for error in body["detail"]}
