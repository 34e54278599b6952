"""Texts of a page or a document that legacy has in another order each time: rows sorted by chance.

Each place of such a list varies, so that any word would pass there. What all of legacy's answers share is which texts
there are, and which stand in one row: modern's have to be these as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, pairwise
from typing import Final, NamedTuple

_NUMBER: Final = re.compile(r"(?<!td)(?<!th)\[\d+\]")
"""Which of its like an element is; of cells it says in which column."""
_DIGITS: Final = re.compile(r"(\d+)")
_FEWEST: Final = 3
"""Two places with each other's texts may be two that show one of a few by turns."""
_MOST_GROUPS: Final = 64
_MOST_PLACES: Final = 10_000


class Place(NamedTuple):
    """Where a text stands: the finding's path, what identifies the place there, the name that operators read."""

    path: str
    key: str
    shown: str


Texts = tuple[str, str]
"""Of one place in two answers."""
Group = tuple[str, str]
"""One column of a list: the path, and the name of its places without the numbers of the rows."""
Groups = Mapping[Group, Mapping[Place, Texts]]
"""The places of one list and one column of it that differ between two answers."""


class MovedTexts:
    """What legacy's answers have moved, and what modern has there; grows while answers are compared, within bounds."""

    def __init__(self) -> None:
        self._answers: list[Groups] = []
        self._taken: dict[Place, Texts] = {}
        self._together: set[Group] | None = None
        self._strict: set[Group] = set()

    def add_answer(self, texts: Iterable[tuple[Place, Texts]]) -> None:
        """Take the places in which another answer of legacy's differs from its first, with both texts."""
        self._answers.append(_grouped(texts))
        self._together = None

    def take(self, place: Place, legacy: str, modern: str) -> None:
        """Note that modern's text at a place was taken for one more of legacy's."""
        if self._answers and len(self._taken) < _MOST_PLACES:
            self._taken[place] = legacy, modern

    def has(self, place: Place, *, is_money: bool) -> bool:
        """Whether a place is in a column whose texts legacy moves: `broken` says whether modern's are all the same.

        A price may stand elsewhere only where its column moves together with another, each text there once.
        """
        if self._together is None:
            self._together = self._moving_together()
        group = _group(place)
        if group in self._together:
            self._strict.add(group)
            return True
        return not is_money and bool(self._of(group)) and all(map(_is_moved, self._of(group)))

    def _moving_together(self) -> set[Group]:
        groups = dict.fromkeys(group for each in self._answers for group in each)
        alone = [group for group in groups if all(_is_moved(each) and _are_alone(each) for each in self._of(group))]
        pairs = pairwise(alone[:_MOST_GROUPS])
        return {group for one, other in pairs if self._move_as_one(one, other) for group in (one, other)}

    def _move_as_one(self, one: Group, other: Group) -> bool:
        ours, theirs = self._of(one), self._of(other)
        return len(ours) == len(theirs) and all(map(_move_together, ours, theirs))

    def broken(self) -> Iterator[tuple[Place, str, str]]:
        """Yield places, one of each list, with texts that only one side has, or that stand in a row with others."""
        if not self._answers or not self._taken:
            return
        taken = _grouped(self._taken.items())
        groups = dict.fromkeys(group for each in self._answers for group in each)
        moved = [group for group in groups if any(map(_is_moved, self._of(group)))][:_MOST_GROUPS]
        whole = [group for group in moved if all(map(_is_moved, self._of(group)))]
        for group in moved:
            here = taken.get(group, {})
            if (found := _strange(here) if group in whole else _stranger(here, self._of(group))) is not None:
                yield found
                return
        alone = [group for group in whole if all(map(_are_alone, self._of(group)))]
        for one, other in pairwise(alone):
            if (found := self._torn(one, other, taken)) is not None:
                yield found
                return

    def _of(self, group: Group) -> list[Mapping[Place, Texts]]:
        """Return what legacy's answers have at a list's places; one whose rows were held together has none or few."""
        return [each[group] for each in self._answers if group in each]

    def _torn(self, one: Group, other: Group, taken: Groups) -> tuple[Place, str, str] | None:
        """Return a place of two columns of one list that legacy moves together and modern does not."""
        if not self._move_as_one(one, other):
            return None
        ours, theirs = taken.get(one, {}), taken.get(other, {})
        known = {place for group in (one, other) for each in self._of(group) for place in each}
        is_sure = known.issuperset(chain(ours, theirs)) or not self._strict.isdisjoint((one, other))
        if not is_sure or _move_together(ours, theirs):
            return None
        place, pair = next(chain(ours.items(), theirs.items()))
        return place, *pair


def _grouped(texts: Iterable[tuple[Place, Texts]]) -> dict[Group, dict[Place, Texts]]:
    found: dict[Group, dict[Place, Texts]] = defaultdict(dict)
    for place, pair in sorted(texts, key=lambda each: _order(each[0].key)):
        found[_group(place)][place] = pair
    return found


def _group(place: Place) -> Group:
    return place.path, _NUMBER.sub("", place.shown)


def _order(key: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in _DIGITS.split(key)]


def _is_moved(places: Mapping[Place, Texts]) -> bool:
    return len(places) >= _FEWEST and _strange(places) is None


def _strange(places: Mapping[Place, Texts]) -> tuple[Place, str, str] | None:
    """Return a place whose text only the second answer has; None where both have the same ones."""
    before, after = Counter(pair[0] for pair in places.values()), Counter(pair[1] for pair in places.values())
    for place, (legacy, modern) in places.items():
        if after[modern] > before[modern]:
            return place, legacy, modern
    return None


def _stranger(places: Mapping[Place, Texts], answers: Iterable[Mapping[Place, Texts]]) -> tuple[Place, str, str] | None:
    """Return a place whose text none of legacy's answers has anywhere, though they all have the same ones."""
    known = {pair[0] for each in answers if _is_moved(each) for pair in each.values()}
    if not all(known.issuperset(pair) for each in answers for pair in each.values()):
        return None
    return next(((place, *pair) for place, pair in places.items() if pair[1] not in known), None)


def _are_alone(places: Mapping[Place, Texts]) -> bool:
    return max(Counter(pair[0] for pair in places.values()).values()) == 1


def _move_together(ours: Mapping[Place, Texts], theirs: Mapping[Place, Texts]) -> bool:
    if len(ours) != len(theirs):
        return False
    rows = list(zip(ours.values(), theirs.values(), strict=True))
    before, after = (Counter((one[side], other[side]) for one, other in rows) for side in (0, 1))
    return before == after
