"""Searches values for members that only one side has, inside what is otherwise not compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from comparators.paths import Trail

OneSided = tuple[Literal["missing", "extra"], Trail, Any]


def inside(value: Any, trail: Trail) -> Iterator[tuple[Trail, Any]]:
    """Yield every member inside a value, at any depth."""
    waiting: list[tuple[Any, Trail]] = [(value, trail)]
    while waiting:
        one, at = waiting.pop()
        if type(one) is dict:
            for name, each in one.items():
                yield (at, name), each
                waiting.append((each, (at, name)))
        elif type(one) is list:
            waiting.extend((each, (at, index)) for index, each in enumerate(one))


def one_sided(legacy: Any, modern: Any, trail: Trail) -> Iterator[OneSided]:
    """Yield every member that one of two values has alone, at any depth."""
    waiting: list[tuple[Any, Any, Trail]] = [(legacy, modern, trail)]
    while waiting:
        left, right, at = waiting.pop()
        ours, theirs = _members(left), _members(right)
        for name, each in ours.items():
            if name in theirs:
                waiting.append((each, theirs[name], (at, name)))
                continue
            yield "missing", (at, name), each
            yield from (("missing", inner, member) for inner, member in inside(each, (at, name)))
        for name, each in theirs.items():
            if name not in ours:
                yield "extra", (at, name), each
                yield from (("extra", inner, member) for inner, member in inside(each, (at, name)))


def _members(value: Any) -> dict[Any, Any]:
    if type(value) is dict:
        return value
    return dict(enumerate(value)) if type(value) is list else {}
