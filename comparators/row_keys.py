"""What rows of unordered lists are recognised by: keys equal only for equal values, or for all that might be alike."""

from __future__ import annotations

import marshal
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final, cast

from comparators.context import Context
from comparators.paths import Place
from comparators.values import Moment, Number, exact, instant_of, is_date, moment, plain

ZERO_DATE: Final = "0000-00-00 00:00:00"
_CONTAINERS: Final = frozenset({dict, list})
_MIDNIGHT: Final = "00:00:00"
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR: Final = 1e-9
_FIGURES: Final = frozenset("-0123456789") | {""}
_MOST_ADDRESSES: Final = 20_000
_EPOCH: Final = 10
"""Digits."""
_DEEP: Final = 8
_MOST_LEAVES: Final = 16
_WITHOUT_REFERENCES: Final = 2
"""The version of `marshal` that says nothing of which values are the same object."""


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


def written_rows(rows: list[Any]) -> list[Hashable]:
    """Return a key for each row that only rows share that are written alike: the order of members is part of it."""
    # Numbers are bytes here: scalars of two types are never equal.
    kinds = set(map(type, rows))
    if _CONTAINERS.isdisjoint(kinds):
        return rows
    return [_written(row) if type(row) in _CONTAINERS else cast(Hashable, row) for row in rows]


def _written(row: Any) -> Hashable:
    """Return what only a row that is written alike has, in one tuple: a number is bytes as well.

    `marshal` writes twice as fast as `repr`; what it writes in its second version depends on nothing but the values.
    """
    return (marshal.dumps(row, _WITHOUT_REFERENCES),)


def named(value: Any) -> Hashable:
    """Return a key by which rows find their partners: a number and the text of it are one name."""
    if type(value) is Number or (type(value) is str and plain(value)):
        return ("number", exact(value))
    return frozen(value)


def name_of(legacy: list[Any], modern: list[Any], key: str) -> Callable[[int, bool], Hashable]:
    """Return what gives the name of a row of one side, by the member that is its key."""

    def name(at: int, theirs: bool) -> Hashable:  # noqa: FBT001 - a side
        row = (modern if theirs else legacy)[at]
        return ("key", named(row[key])) if type(row) is dict and key in row else "without"

    return name


def sizes(row: Any) -> tuple[float, ...]:
    """Return the numbers in a row, by which rows that a tolerance holds together come to stand side by side."""
    # a tuple: Python sorts those in half the time that lists take
    if type(row) is dict:
        return tuple([float(each) for each in row.values() if type(each) is bytes])
    return tuple([float(each) for each in (row if type(row) is list else [row]) if type(each) is bytes])


class Likely:
    """Makes keys that values which some rule makes the same mostly share, under one policy.

    Only a way to look in the right place first: whether two values are alike is decided by comparing them.
    Only the memory of addresses changes.
    """

    def __init__(self, context: Context) -> None:
        policy = context.policy
        self._zone = policy.zone or UTC
        self._patterns = policy.ignore_text
        self._origins = policy.origins if context.has("own_host") else None
        self._both_legacy = context.alike
        self._masks = bool(policy.noise_rules)
        self._clocks = context.has("clock")
        self._addresses: dict[tuple[str, bool], str] = {}
        self._rows: dict[tuple[int, bool], tuple[list[Any], list[Hashable]]] = {}

    def key(self, value: Any, place: Place, *, modern: bool) -> Hashable:
        """Return the key of one side's value; None for what may stand for nothing, or for anything."""
        kind = type(value)
        if not value or place.ignored is not None:
            return "0" if value is False and place.ignored is None and not place.tolerances else None
        if kind is str:
            return self._text(value, place, modern=modern)
        if kind is dict:
            return self._members(value, place, modern=modern)
        if kind is list:
            return self._list(value, place, modern=modern)
        if place.tolerances:
            return None
        return "1" if kind is bool else _number(value.decode())

    def rows(self, rows: list[Any], place: Place, *, modern: bool) -> list[Hashable]:
        """Return the keys of a list's rows; known where the list stands in another whose rows have keys."""
        known = self.known(rows, modern=modern)
        if known is not None:
            return known
        if place.bare or place.is_uniform:
            inner = place.step(0)
            return [self.key(each, inner, modern=modern) for each in rows]
        return [self.key(each, place.step(index), modern=modern) for index, each in enumerate(rows)]

    def known(self, rows: list[Any], *, modern: bool) -> list[Hashable] | None:
        """Return the keys of a list's rows where they are known."""
        found = self._rows.get((id(rows), modern))
        return None if found is None else found[1]

    def has_keys(self, legacy: list[Any], modern: list[Any]) -> bool:
        """Whether the keys of both lists' rows are known."""
        return (id(legacy), False) in self._rows and (id(modern), True) in self._rows

    def are_apart(self, legacy: Any, modern: Any, place: Place) -> bool:
        """Whether a glance shows that no rule makes two values alike: quick, and True only where that is sure."""
        if legacy == modern or place.ignored is not None:
            return False
        left, right = type(legacy), type(modern)
        if right is Number:
            if left is str:
                return not plain(legacy) or _are_far(legacy.encode(), modern, place)
            return left is Number and self._are_far_apart(legacy, modern, place)
        return left is right and self._are_likes_apart(legacy, modern, place)

    def _are_likes_apart(self, legacy: Any, modern: Any, place: Place) -> bool:
        kind = type(legacy)
        if kind is dict:
            return self._are_rows_apart(legacy, modern, place)
        if kind is str:
            return self._are_texts_apart(legacy, modern)
        return kind is list and self._are_lists_apart(legacy, modern, place)

    def are_numbers_apart(self, legacy: list[Any], modern: list[Any], place: Place) -> bool:
        """Whether some number of some row has no partner, however the rows of two lists are paired.

        Numbers can be paired within limits if they can be paired in order of size.
        """
        if not legacy or len(legacy) != len(modern) or not place.is_uniform:
            return False
        for path, there in islice(_leaves(legacy[0], place.step(0)), _MOST_LEAVES):
            ours, theirs = [_leaf(row, path) for row in legacy], [_leaf(row, path) for row in modern]
            if None in ours or None in theirs:
                continue
            pairs = zip(sorted(ours, key=float), sorted(theirs, key=float), strict=True)  # type: ignore[arg-type] # no None
            if any(self._are_far_apart(left, right, there) for left, right in pairs):  # type: ignore[arg-type] # no None
                return True
        return False

    def are_all_alone(self, rows: Sequence[Number | str], others: Sequence[Number], place: Place) -> bool:
        """Whether no rule pairs any of some numbers with any of others; False as well where that is not so plain.

        A number that is too far from the nearest on either side is too far from all: limits grow slower than distance.
        """
        if self._clocks and any(len(each) >= _EPOCH for each in chain(rows, others)):
            return False
        if any(relative is not None and relative >= 1 for relative, _ in place.limits):
            return False
        order = sorted(map(float, others))
        for row in rows:
            value = float(row)
            there = bisect_left(order, value)
            if there < len(order) and not _are_far_numbers(value, order[there], place):
                return False
            if there and not _are_far_numbers(value, order[there - 1], place):
                return False
        return True

    def _are_far_apart(self, legacy: Number, modern: Number, place: Place) -> bool:
        """Whether no rule makes one of two numbers; such as may be a clock's are not told from here."""
        if self._clocks and len(legacy) >= _EPOCH and len(modern) >= _EPOCH:
            return False
        return _are_far(legacy, modern, place)

    def _are_lists_apart(self, legacy: list[Any], modern: list[Any], place: Place) -> bool:
        if len(legacy) != len(modern):
            return True
        if place.unordered is not None or not place.is_uniform or not legacy:
            return False
        inner = place.step(0)
        return any(
            left != right and type(left) not in _CONTAINERS and self.are_apart(left, right, inner)
            for left, right in zip(legacy, modern, strict=True)
        )

    def _are_rows_apart(self, legacy: dict[str, Any], modern: dict[str, Any], place: Place) -> bool:
        bare = place.bare
        for name, right in modern.items():
            left = legacy.get(name)
            if left is None or left == right or type(right) in _CONTAINERS:
                continue
            if self.are_apart(left, right, place if bare else place.step(name)):
                return True
        return False

    def _are_texts_apart(self, legacy: str, modern: str) -> bool:
        """Whether two texts that are not the same can be no time, no number, no address that are."""
        if self._patterns or self._masks:
            return False
        if legacy[:1] in _FIGURES or modern[:1] in _FIGURES:
            return False
        if "/" in legacy or "/" in modern or "?" in legacy or ":" in legacy or "," in legacy:
            return self._address(legacy, modern=False) != self._address(modern, modern=True)
        return True

    def _address(self, text: str, *, modern: bool) -> str:
        found = self._addresses.get((text, modern))
        if found is None:
            found = text
            if self._origins is not None:
                found = self._origins.bare(text, modern=modern and not self._both_legacy)
            if "?" in found:
                found = found.replace("+", "%20")
            if moment(text) is not None:
                found = ""
            if len(self._addresses) < _MOST_ADDRESSES:
                self._addresses[text, modern] = found
        return found

    def _members(self, value: dict[str, Any], place: Place, *, modern: bool) -> Hashable:
        if "timezone_type" in value and (when := instant_of(value)) is not None:
            return self._instant(when, place)
        if _are_numbers(value):
            return self._list(list(value.values()), place, modern=modern)
        found = []
        bare = place.bare
        for name, each in value.items():
            inner = place if bare else place.step(name)
            key = None if inner.allowed is not None else self.key(each, inner, modern=modern)
            if key is not None:
                found.append((name, key))
        # A hash instead of what it is of: a key that is the same by chance leads to one row looked at in vain.
        if len(found) == 1:
            return hash(found[0])
        return hash(frozenset(found)) if found else 0

    def _list(self, value: list[Any], place: Place, *, modern: bool) -> Hashable:
        levels = 0
        while place.bare and len(value) == 1 and type(value[0]) is list and value[0]:
            value, levels = value[0], levels + 1
        keys = self.rows(value, place, modern=modern)
        if levels:
            return hash((levels, *keys))
        if place.unordered is None:
            return hash(tuple(keys))
        # The list is kept as well, or another could come to stand where it stood.
        self._rows[id(value), modern] = value, keys
        return hash((len(keys), frozenset(keys)))

    def _text(self, text: str, place: Place, *, modern: bool) -> Hashable:
        if text[0] in _FIGURES:
            if plain(text):
                return None if place.tolerances else _number(text)
            if text == ZERO_DATE:
                return None
            if "date_midnight" in place.rules and is_date(text):
                return ("day", text)
        if (when := moment(text)) is not None:
            return self._instant(when, place)
        for pattern in self._patterns:
            text = pattern.sub("", text)
        if self._origins is not None and "/" in text:
            text = self._origins.bare(text, modern=modern and not self._both_legacy)
        return text.replace("+", "%20") if "?" in text else text

    def _instant(self, when: Moment, place: Place) -> Hashable:
        if "date_midnight" in place.rules and when.wall.isoformat().endswith(_MIDNIGHT) and not when.fraction:
            return ("day", when.wall.date().isoformat())
        if when.wall.year in {1, 9999}:
            return when.wall.isoformat()
        if when.offset is None:
            seconds = (when.wall.replace(tzinfo=self._zone) - _START).total_seconds()
        else:
            seconds = (when.wall.replace(tzinfo=UTC) - when.offset - _START).total_seconds()
        return f"{seconds:.0f}" if not when.fraction else f"{seconds:.0f}.{when.fraction}"


def _are_numbers(names: dict[str, Any]) -> bool:
    """Whether all members go by numbers, as those of a list with gaps do."""
    for name in names:  # noqa: SIM110 - compiled a generator costs ten times as much, once a row
        if not name.isdigit():
            return False
    return True


Path = tuple[str | int, ...]


def _leaves(value: Any, place: Place, path: Path = ()) -> Iterator[tuple[Path, Place]]:
    """Yield where numbers stand in a row that are compared as they are, with the settings there."""
    if place.ignored is not None or place.partly or place.allowed is not None or len(path) > _DEEP:
        return
    if type(value) is dict:
        for name, each in value.items():
            yield from _leaves(each, place.step(name), (*path, name))
    elif type(value) is list and place.unordered is None:
        for index, each in enumerate(value):
            yield from _leaves(each, place.step(index), (*path, index))
    elif _is_numeric(value):
        yield path, place


def _leaf(row: Any, path: Path) -> Number | None:
    """Return the number that stands there in a row; None where something else does."""
    for step in path:
        if isinstance(step, str):
            row = row.get(step) if type(row) is dict else None
        else:
            row = row[step] if type(row) is list and step < len(row) else None
    if not _is_numeric(row):
        return None
    return row.encode() if type(row) is str else cast(Number, row)


def are_numbers(rows: Sequence[Any]) -> bool:
    """Whether all rows are numbers, or texts that are."""
    kinds = set(map(type, rows))
    return kinds == {Number} or (kinds <= {Number, str} and all(map(_is_numeric, rows)))


def _is_numeric(value: Any) -> bool:
    return type(value) is Number or (type(value) is str and plain(value))


def _are_far(legacy: Number, modern: Number, place: Place) -> bool:
    return _are_far_numbers(float(legacy), float(modern), place)


def _are_far_numbers(left: float, right: float, place: Place) -> bool:
    largest = max(abs(left), abs(right))
    apart = abs(left - right)
    for relative, absolute in place.limits:
        limit = max(absolute or 0.0, (relative or 0.0) * largest)
        if not apart > limit * (1 + _FAR) + _FAR * largest:
            return False
    return apart > _FAR * largest


def _number(text: str) -> str:
    """Return the text of a number without what binary sums leave behind, of a long whole number all its digits."""
    if text.isdigit() and text != "0" and text[0] != "0":
        return text
    try:
        found = f"{float(text):.12g}"
    except OverflowError:
        return text
    return text if found in {"inf", "-inf"} else "0" if found == "-0" else found
