"""Hashable keys of JSON values: equal only for equal values, or mostly equal for all that might be alike."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

from comparators.instants import is_date, moment
from comparators.numbers import Number, exact, plain
from comparators.place import Place

_NOTHING = (None, "", "0000-00-00 00:00:00")
_CONTAINERS = frozenset({dict, list})


def frozen(value: Any) -> Hashable:
    """Return a key that two values share exactly when they are the same, types included."""
    kind = type(value)
    if kind is str or value is None:
        return cast(Hashable, value)
    if kind is bool:
        return ("bool", value)
    if kind is dict:
        return ("map", frozenset((name, frozen(each)) for name, each in value.items()))
    if kind is list:
        return ("list", tuple(map(frozen, value)))
    return ("number", exact(value))


def named(value: Any) -> Hashable:
    """Return a key by which rows find their partners: a number and the text of it are one name."""
    if type(value) is Number or (type(value) is str and plain(value)):
        return ("number", exact(value))
    return frozen(value)


def loose(value: Any, place: Place) -> Hashable:
    """Return a key that values which some rule makes the same mostly share.

    Only a way to look in the right place first: whether two values are alike is decided by comparing them.
    """
    kind = type(value)
    if place.ignored is not None or value in _NOTHING or (kind in _CONTAINERS and not value):
        return None
    if kind is dict:
        return _loose_members(value, place)
    if kind is list:
        return ("list", tuple(loose(each, place.step(index)) for index, each in enumerate(value)))
    if kind is not str or plain(value):
        return _rounded(value)
    return "instant" if is_date(value) or moment(value) is not None else "address" if "//" in value else value


def _loose_members(value: dict[str, Any], place: Place) -> Hashable:
    if all(name.isdigit() for name in value):
        return ("list", tuple(loose(each, place.step(index)) for index, each in enumerate(value.values())))
    kept = ((name, loose(each, place.step(name))) for name, each in value.items() if place.step(name).allowed is None)
    return ("map", frozenset((name, key) for name, key in kept if key is not None))


def _rounded(value: Any) -> Hashable:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return "huge"
