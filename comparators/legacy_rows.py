"""Asks whether a list of modern's may be one more of legacy's, where these are of several lengths.

Its rows were held against nobody's: which of them is which cannot be told from their number. So each row must be one
that legacy has in one of its answers, or made as those are; and where legacy's list only grew, what stood in both of
its answers must stand in modern's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import reduce
from itertools import chain, pairwise
from operator import or_
from typing import Any, Final, NamedTuple

from comparators.context import Context, Full, Untried
from comparators.json_compare import Walk
from comparators.legacy_again import ABSENT, child
from comparators.model import Kind
from comparators.one_sided import inside
from comparators.paths import Place, Trail, steps
from comparators.row_keys import frozen
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import Number, plain

_MOST_HELD = 64
"""Rows of legacy that one of modern's, which is none of them by value, is held against."""
_MOST_TOLD = 8
_FEW = 2
_CONTAINERS: Final = frozenset({dict, list})
_SHORT = 24
_FACTOR = 2
_TIMES = 10


class Strange(NamedTuple):
    """A row that legacy's own variation does not account for: where it stands, on whose side."""

    kind: Kind
    at: int
    row: Any


def strange_rows_at(path: str, documents: Sequence[tuple[Any, Any] | None], context: Context) -> None:
    """Report the rows of modern's list at a pointer, or missing from it, that legacy's own lists do not explain.

    `documents` are what each of legacy's answers said, with modern's. Nothing is reported where one has no list there.
    """
    there = [each for each in documents if each is not None]
    if not there:
        return
    trail: Trail = None
    place = context.policy.place
    lists = [legacy for legacy, _ in there]
    modern = there[0][1]
    for step in steps(path):
        name = int(step) if type(modern) is list and step.isdigit() else step
        modern, *lists = (child(each, name) for each in (modern, *lists))
        trail, place = (trail, name), place.step(name)
    lists = [each for each in lists if type(each) is list]
    if type(modern) is not list or len(lists) < _FEW:
        return
    walk = Walk(context)
    with suppress(Full, RecursionError):
        for kind, at, row in _strange_rows(walk, lists, modern, steps(path), place):
            walk.differ((trail, at), kind, *((row, ABSENT) if kind == "missing" else (ABSENT, row)))


def _strange_rows(
    walk: Walk, lists: Sequence[list[Any]], modern: list[Any], names: Sequence[str], place: Place
) -> list[Strange]:
    known = _Known(walk, list(chain.from_iterable(lists)), place)
    shape = _Shape(known.rows, names)
    most = reduce(or_, (Counter(map(known.same, each)) for each in lists))
    found: list[Strange] = []
    there: Counter[Hashable] = Counter()
    for index, row in enumerate(modern):
        key = known.key_of(row, index, len(modern) - index)
        there[key] += 1
        if (not shape.holds(row)) if key is None else there[key] > most[key]:
            found.append(Strange("extra", index, row))
    # what is strange may be what a lost one has become
    return (found or list(_lost(known, lists, there)))[:_MOST_TOLD]


def _lost(known: _Known, lists: Sequence[list[Any]], there: Counter[Hashable]) -> Iterator[Strange]:
    """Yield what all lists of legacy have and modern's has not, where of any two one has all rows of the other.

    Whether a list grew or shrank is not known: of two answers either may be the earlier one.
    """
    ordered = sorted((set(map(known.same, each)) for each in lists), key=len)
    if not all(one <= two for one, two in pairwise(ordered)):
        return
    for index, row in enumerate(lists[0]):
        key = known.same(row)
        if key in ordered[0] and key not in there:
            yield Strange("missing", index, row)


class _Known:
    """The rows of all lists of legacy, each once; nothing changes."""

    def __init__(self, walk: Walk, rows: Sequence[Any], place: Place) -> None:
        self._walk = walk
        self._place = place
        self._keys: dict[Hashable, Any] = {}
        for row in rows:
            self._keys.setdefault(frozen(row), row)
        self.rows = list(self._keys.values())

    def same(self, row: Any) -> Any:
        """Return the key of a row of legacy."""
        return frozen(row)

    def key_of(self, row: Any, index: int, from_end: int) -> Any:
        """Return the key of the row of legacy that one of modern's is under the rules, None for none."""
        key = frozen(row)
        if key in self._keys:
            return key
        size = len(self.rows)
        likely = [each for each in (index, size - from_end) if 0 <= each < size]
        with suppress(Untried):
            for at in dict.fromkeys((*likely, *range(min(size, _MOST_HELD)))):
                if self._walk.alike(self.rows[at], row, self._place.step(index), 1):
                    return frozen(self.rows[at])
        return None


class _Shape:
    """What legacy's rows have in common: what kinds of rows there are, which members, of which kinds and sizes.

    A row with a name about money is never made up from that, nor one with a secret that no row of legacy has.
    """

    def __init__(self, rows: Sequence[Any], names: Sequence[str]) -> None:
        self._is_money = looks_money(names)
        self._rows = rows
        maps = [row for row in rows if type(row) is dict]
        self._always = set.intersection(*map(set, maps)) if maps else set()
        self._columns: dict[str, list[Any]] = {}
        for row in maps:
            for name, value in row.items():
                self._columns.setdefault(name, []).append(value)

    def holds(self, row: Any) -> bool:
        """Whether a row that is none of legacy's is made as they are."""
        names = _names_in(row)
        if self._is_money or looks_money(names) or not _is_like(row, self._rows):
            return False
        if type(row) is not dict:
            return not any(map(looks_secret, names))
        if not self._always <= row.keys() or not row.keys() <= self._columns.keys():
            return False
        return all(_may_stand(self._columns[name], value) for name, value in row.items())


def _may_stand(column: list[Any], value: Any) -> bool:
    """Whether a value may stand in a column: the one value of all rows, or one made as those of several.

    Of one text nothing tells how others would be made.
    """
    values = set(map(frozen, column))
    if len(values) == 1 and (len(column) > 1 or type(value) is str):
        return frozen(value) in values
    return _is_like(value, column)


def _is_like(value: Any, others: Sequence[Any]) -> bool:
    """Whether a value is of the type of others, empty where one of them is, of their members, length or size."""
    kind = type(value)
    alike = [each for each in others if type(each) is kind]
    if kind is Number:
        figures = [Decimal(each.decode()) for each in alike]
        figures += [Decimal(each) for each in others if type(each) is str and plain(each)]
        return bool(figures) and _is_of_size(Decimal(value.decode()), figures)
    if not alike or (not value and value not in alike):
        return False
    if kind is str:
        return len(value) <= max(_SHORT, _FACTOR * max(map(len, alike)))
    return kind not in _CONTAINERS or not value or _names_in(value) <= set().union(*map(_names_in, alike))


def _is_of_size(figure: Decimal, others: Sequence[Decimal]) -> bool:
    """Whether a number is within a factor of ten of others, of a sign of theirs, whole where they are."""
    if figure in others:
        return True
    if all(each == each.to_integral_value() for each in others) and figure != figure.to_integral_value():
        return False
    same: list[Decimal] = [each.copy_abs() for each in others if (each < 0) is (figure < 0)]
    size = figure.copy_abs()
    return bool(same) and min(same) <= size * _TIMES and size <= max([*same, Decimal(1)]) * _TIMES


def _names_in(value: Any) -> set[str]:
    return {step[1] for step, _ in inside(value, None) if step is not None and type(step[1]) is str}
