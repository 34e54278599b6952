"""Asks whether a list of modern's may be one more of legacy's, where these are of several lengths.

Its rows were held against nobody's: which of them is which cannot be told from their number. So each row must be one
that legacy has in one of its answers, one that has the same key there and differs in what is made anew, or a new one
that is made as legacy's are; and what all of legacy's answers have must stand in modern's as well, where not more of it
is missing than legacy's own answers differ by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from itertools import islice, pairwise
from operator import or_
from typing import Any, Final, NamedTuple

from comparators.budget import Untried
from comparators.context import Context, Full
from comparators.html_volatile import is_unfilled
from comparators.json_compare import Walk
from comparators.json_labels import NAMES, labels
from comparators.legacy_again import ABSENT, child
from comparators.model import Finding, Kind
from comparators.now_and_then import is_of_size, is_one_more, tells_a_sum
from comparators.one_sided import inside
from comparators.paths import Place, Trail, escaped, steps
from comparators.row_keys import frozen, named
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import Number, plain

_MOST_TOLD: Final = 8
_FEW: Final = 2
_CONTAINERS: Final = frozenset({dict, list})
_SHORT: Final = 24
_FACTOR: Final = 2
_KEYS: Final = ("id", "uuid", "key", "number", "sku", "slug", "reference", "ref", "email", *NAMES)


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
    known = _Known(walk, lists, place)
    shape = _Shape([row for rows in lists for row in rows], names)
    found = list(islice(_gained(known, shape, modern), _MOST_TOLD))
    # what is strange may be what a lost one has become
    return found or list(islice(known.lost(), _MOST_TOLD))


def _gained(known: _Known, shape: _Shape, modern: list[Any]) -> Iterator[Strange]:
    """Yield the rows of modern's list that are none of legacy's, nor made as they are."""
    for index, row in enumerate(modern):
        partners = known.partners(row, index, len(modern) - index)
        if (same := known.same(row, partners, index)) is not None:
            fits = known.meet(same)
        elif known.has_key(row) and partners:
            fits = known.meet(*map(_key, partners)) and known.has_become(partners, row, index, shape)
        else:
            fits = shape.holds(row)
        if not fits:
            yield Strange("extra", index, row)


def _is_another(walk: Walk, name: str, one: Any, modern: dict[str, Any], shape: _Shape) -> bool:
    other = modern[name]
    if looks_secret(name) or shape.is_about_money(modern, name) or type(one) is not type(other):
        return False
    if type(other) in _CONTAINERS:
        return shape.may_stand(name, other)
    finding = Finding(f"/{escaped(name)}", "value", _literal(one), _literal(other))
    return is_one_more(finding, finding.legacy, walk.context.reading)


def _literal(value: Any) -> str:
    return f'"{value}"' if type(value) is str else _text(value)


def _text(value: Any) -> str:
    return value.decode() if type(value) is Number else str(value)


class _Known:
    """The rows of all lists of legacy; only which of them modern has changes, by `meet`."""

    def __init__(self, walk: Walk, lists: Sequence[list[Any]], place: Place) -> None:
        self._walk = walk
        self._lists = lists
        self._place = place
        self._keys = [list(map(_key, rows)) for rows in lists]
        self._most: Counter[Hashable] = reduce(or_, map(Counter, self._keys))
        self._met: Counter[Hashable] = Counter()
        self._name = _key_of(lists)
        self._named: dict[Hashable, list[Any]] = {}
        if self._name:
            for rows in lists:
                for row in rows:
                    self._named.setdefault(named(row[self._name]), []).append(row)

    def has_key(self, row: Any) -> bool:
        """Whether a row has what legacy's rows are told apart by."""
        return type(row) is dict and bool(self._name) and self._name in row

    def partners(self, row: Any, index: int, from_end: int) -> list[Any]:
        """Return the rows of legacy that one of modern's may be: those of its key, else those of its number."""
        if self.has_key(row):
            return self._named.get(named(row[self._name]), []) if type(row[self._name]) not in _CONTAINERS else []
        there = ((rows, at) for rows in self._lists for at in {index, len(rows) - from_end})
        return [rows[at] for rows, at in there if 0 <= at < len(rows)]

    def same(self, row: Any, partners: Sequence[Any], index: int) -> Hashable | None:
        """Return the key of the row of legacy that one of modern's is under the rules, None for none."""
        key = _key(row)
        if key in self._most:
            return key
        place = self._place.step(index)
        return next((_key(each) for each in partners if self._are_alike(each, row, place)), None)

    def has_become(self, partners: Sequence[dict[str, Any]], row: dict[str, Any], index: int, shape: _Shape) -> bool:
        """Whether a row differs from those of its key only in what is made anew: times, tokens, sizes.

        What two answers of legacy agree on is not made anew.
        """
        there = [each for each in partners if each.keys() == row.keys()]
        if not there:
            return False
        place = self._place.step(index)
        for name, value in row.items():
            values = [each[name] for each in there]
            if value in values or any(self._are_alike(each, value, place.step(name)) for each in values):
                continue
            varies = len(values) == 1 or any(each != values[0] for each in values)
            if not (varies and any(_is_another(self._walk, name, each, row, shape) for each in values)):
                return False
        return True

    def _are_alike(self, legacy: Any, modern: Any, place: Place) -> bool:
        with suppress(Untried):
            return self._walk.alike(legacy, modern, place, 1)
        return False

    def meet(self, *keys: Hashable) -> bool:
        """Note a row of legacy that modern has; False where modern has it more often than any answer of legacy."""
        for key in set(keys):
            self._met[key] += 1
        return all(self._met[key] <= self._most[key] for key in keys)

    def lost(self) -> Iterator[Strange]:
        """Yield what all lists of legacy have and modern's has not.

        Where rows come and go some may be gone: not more than legacy's own lists differ by.
        """
        ordered = sorted(map(set, self._keys), key=len)
        common = set.intersection(*ordered)
        gone = common - self._met.keys()
        is_nested = all(one <= two for one, two in pairwise(ordered))
        if is_nested or len(gone) > len(self._most) - len(common):
            for index, key in enumerate(self._keys[0]):
                if key in gone:
                    yield Strange("missing", index, self._lists[0][index])


def _key(row: Any) -> tuple[Hashable]:
    return (frozen(row),)  # a row may be null


def _key_of(lists: Sequence[list[Any]]) -> str:
    """Return the member by which rows are told apart, empty for none: it is in each, and once in each list."""
    rows = [row for each in lists for row in each]
    if not rows or any(type(row) is not dict for row in rows):
        return ""
    for name in (*(each for each in rows[0] if each in _KEYS), *(each for each in rows[0] if _ends_in_id(each))):
        if all(name in row and type(row[name]) not in _CONTAINERS for row in rows) and all(
            len({named(row[name]) for row in each}) == len(each) for each in lists
        ):
            return str(name)
    return ""


def _ends_in_id(name: str) -> bool:
    return name.lower().endswith("id")


class _Column:
    """What values that stand below each other have in common: types, the one value of all, lengths, sizes, members."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._kinds = set(map(type, values))
        self._only = {frozen(values[0])} if _is_one(values) else set()
        self._many = len(values)
        self._empty = {repr(each) for each in values if not each}
        self._longest = max((len(each) for each in values if type(each) is str), default=0)
        self._figures = _ends([_text(each) for each in values if type(each) is Number or _is_figure(each)])
        self._names = set().union(*(_names_in(each) for each in values if type(each) in _CONTAINERS))

    def may_hold(self, value: Any) -> bool:
        """Whether a value may stand in it: the one value of all rows, or one made as those of several.

        Of one text nothing tells how others would be made.
        """
        if self._only and (self._many > 1 or type(value) is str):
            return frozen(value) in self._only
        return self.is_like(value)

    def is_like(self, value: Any) -> bool:
        """Whether a value is of the type of others, empty where one of them is, of their members, length or size."""
        kind = type(value)
        if kind is Number:
            return bool(self._figures) and any(is_of_size(each, _literal(value)) for each in self._figures)
        if kind not in self._kinds or (not value and repr(value) not in self._empty):
            return False
        if kind is str:
            return len(value) <= max(_SHORT, _FACTOR * self._longest) and not is_unfilled(value)
        return kind not in _CONTAINERS or _names_in(value) <= self._names


def _is_one(values: Sequence[Any]) -> bool:
    """Whether all values are one, as far as they are written alike; of none there is no one."""
    return bool(values) and all(each == values[0] and type(each) is type(values[0]) for each in values)


def _is_figure(value: Any) -> bool:
    return type(value) is str and plain(value)


def _ends(figures: Sequence[str]) -> list[str]:
    """Return the least and the largest of some numbers, whole ones and others: the rest is between them."""
    found: dict[tuple[bool, bool], list[str]] = {}
    for each in figures:
        kind = each.startswith("-"), each.lstrip("-").isdigit()
        ends = found.setdefault(kind, [each, each])
        size = float(each)
        if size < float(ends[0]):
            ends[0] = each
        elif size > float(ends[1]):
            ends[1] = each
    return [each for ends in found.values() for each in dict.fromkeys(ends)]


class _Shape:
    """How legacy's rows are made: which members they have, what stands in each.

    A row with a name about money is never made up from that, nor one with a secret that no row of legacy has.
    """

    def __init__(self, rows: Sequence[Any], names: Sequence[str]) -> None:
        self._is_money = looks_money(names)
        self._all = _Column(rows)
        maps = [row for row in rows if type(row) is dict]
        self._always = set.intersection(*map(set, maps)) if maps else set()
        columns: dict[str, list[Any]] = {}
        for row in maps:
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
        self._columns = {name: _Column(values) for name, values in columns.items()}

    def holds(self, row: Any) -> bool:
        """Whether a row that is none of legacy's is made as they are."""
        if self._is_money or not self._all.is_like(row) or (type(row) is str and tells_a_sum(row)):
            return False
        names = _names_in(row)
        if looks_money(names) or (type(row) is not dict and any(map(looks_secret, names))):
            return False
        if type(row) is not dict:
            return True
        if not self._always <= row.keys() or not row.keys() <= self._columns.keys():
            return False
        return all(not self.is_about_money(row, name) and self.may_stand(name, row[name]) for name in row)

    def may_stand(self, name: str, value: Any) -> bool:
        """Whether a value may stand in the column of a name."""
        return self._columns[name].may_hold(value)

    def is_about_money(self, row: dict[str, Any], name: str) -> bool:
        """Whether a member of a row is about money: by its name, what stands beside it, what it says itself."""
        if self._is_money or looks_money((name,)) or looks_money(labels(row, (name,))):
            return True
        return type(row[name]) is str and tells_a_sum(row[name])


def _names_in(value: Any) -> set[str]:
    return {step[1] for step, _ in inside(value, None) if step is not None and type(step[1]) is str}
