"""Texts of a page or a document that legacy has in another order each time: rows sorted by chance.

Each place of such a list varies, so that any word would pass there. What all of legacy's answers share is which texts
there are, and which stand in one row: modern's have to be these as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Final, NamedTuple

_NUMBER: Final = re.compile(r"(?<!td)(?<!th)\[\d+\]")
"""Which of its like an element is; of cells it says in which column."""
_DIGITS: Final = re.compile(r"([0-9]+)")
_FEWEST: Final = 3
"""Two places with each other's texts may be two that show one of a few by turns."""
_EVIDENCE: Final = 6
"""So many places of all of legacy's answers have to have moved: three in two of them, six in one."""
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
        self._answers: list[list[tuple[Place, Texts]]] = []
        self._taken: dict[Place, Texts] = {}

    def add_answer(self, texts: Iterable[tuple[Place, Texts]]) -> None:
        """Take the places in which another answer of legacy's differs from its first, with both texts."""
        self._answers.append(list(texts))

    def take(self, place: Place, legacy: str, modern: str) -> None:
        """Note that modern's text at a place was taken for one more of legacy's."""
        if self._answers and len(self._taken) < _MOST_PLACES:
            self._taken[place] = legacy, modern

    def taken(self) -> Iterable[tuple[Place, Texts]]:
        """Return the places whose text was taken, with both."""
        return self._taken.items()

    def forget(self) -> None:
        """Drop what was taken: the answers are compared in another way."""
        self._taken.clear()

    def broken(
        self, plain: Callable[[str, bool], str], varies: Callable[[Place, str], bool]
    ) -> tuple[Place, str, str] | None:
        """Return a place with both texts where only modern has one, or has it in a row with others; None for no such.

        `plain` writes a text, whether modern's or not, without what a rule forgives. `varies` says whether modern's is
        made like legacy's there, piece by piece: then its list is of texts that change while they move.
        """
        if not self._taken:
            return None
        answers = [
            _grouped((place, (plain(one, False), plain(two, False))) for place, (one, two) in each)  # noqa: FBT003 - a side
            for each in self._answers
        ]
        taken = _grouped((place, (plain(one, False), plain(two, True))) for place, (one, two) in self._taken.items())  # noqa: FBT003 - a side
        found = _Lists(answers, taken).broken(lambda place: varies(place, self._taken[place][1]))
        return None if found is None else (found, *self._taken[found])


class _Lists:
    """The lists that legacy moves, and what modern has in them; nothing changes."""

    def __init__(self, answers: Sequence[Groups], taken: Groups) -> None:
        self._answers = answers
        self._taken = taken

    def broken(self, varies: Callable[[Place], bool]) -> Place | None:
        """Return a place of modern's with a text that legacy does not have, or in a row with others."""
        groups = dict.fromkeys(group for each in self._answers for group in each)
        sound: list[Group] = []
        for group in [group for group in groups if self._is_sure(group)][:_MOST_GROUPS]:
            found = self._stranger(group)
            if found is not None and not varies(found):
                return found
            if found is None and all(_is_moved(each) and _are_alone(each) for each in self._of(group)):
                sound.append(group)
        return next((torn for pair in pairwise(sound) if (torn := self._torn(*pair)) is not None), None)

    def _is_sure(self, group: Group) -> bool:
        """Whether legacy's answers show that a list is always of the same texts: by chance few have the same few."""
        return sum(len(each) for each in self._of(group) if _is_moved(each)) >= _EVIDENCE

    def _stranger(self, group: Group) -> Place | None:
        """Return a place whose text legacy's list does not have, or not as often."""
        here, answers = self._taken.get(group, {}), self._of(group)
        if all(map(_is_moved, answers)):
            return _strange(here)
        known = {pair[0] for each in answers if _is_moved(each) for pair in each.values()}
        if not all(known.issuperset(pair) for each in answers for pair in each.values()):
            return None
        return next((place for place, pair in here.items() if pair[1] not in known), None)

    def _move_as_one(self, one: Group, other: Group) -> bool:
        ours, theirs = self._of(one), self._of(other)
        return len(ours) == len(theirs) and all(map(_move_together, ours, theirs))

    def _of(self, group: Group) -> list[Mapping[Place, Texts]]:
        """Return what legacy's answers have at a list's places; one whose rows were held together has none or few."""
        return [each[group] for each in self._answers if group in each]

    def _torn(self, one: Group, other: Group) -> Place | None:
        """Return a place of two columns of one list that legacy moves together and modern does not."""
        if not self._move_as_one(one, other):
            return None
        ours, theirs = self._taken.get(one, {}), self._taken.get(other, {})
        known = {place for group in (one, other) for each in self._of(group) for place in each}
        if not known.issuperset(chain(ours, theirs)) or _move_together(ours, theirs):
            return None
        return next(chain(ours, theirs))


def _grouped(texts: Iterable[tuple[Place, Texts]]) -> dict[Group, dict[Place, Texts]]:
    found: dict[Group, dict[Place, Texts]] = defaultdict(dict)
    for place, pair in sorted(texts, key=lambda each: _order(each[0].key)):
        found[_group(place)][place] = pair
    return found


def _group(place: Place) -> Group:
    return place.path, _NUMBER.sub("", place.shown)


def _order(key: str) -> list[tuple[int, str]]:
    """Return what sorts a key as people number: a longer number is a larger one."""
    return [(len(part), part) if at % 2 else (0, part) for at, part in enumerate(_DIGITS.split(key))]


def _is_moved(places: Mapping[Place, Texts]) -> bool:
    return len(places) >= _FEWEST and _strange(places) is None


def _strange(places: Mapping[Place, Texts]) -> Place | None:
    """Return a place whose text only the second answer has; None where both have the same ones."""
    before, after = Counter(pair[0] for pair in places.values()), Counter(pair[1] for pair in places.values())
    return next((place for place, pair in places.items() if after[pair[1]] > before[pair[1]]), None)


def _are_alone(places: Mapping[Place, Texts]) -> bool:
    return max(Counter(pair[0] for pair in places.values()).values()) == 1


def _move_together(ours: Mapping[Place, Texts], theirs: Mapping[Place, Texts]) -> bool:
    if len(ours) != len(theirs):
        return False
    rows = list(zip(ours.values(), theirs.values(), strict=True))
    before, after = (Counter((one[side], other[side]) for one, other in rows) for side in (0, 1))
    return before == after
