"""Guesses which unequal rows correspond, so that the differences within them are reported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any, NoReturn

from comparators.context import Context
from comparators.paths import Place, Trail
from comparators.row_keys import Likely

_FEW = 400
_SMALL = 40_000
"""So many values in all are walked through to find the pairs with the least between them."""
_SHARED_BY_FEW = 32
_CANDIDATES = 16

Rest = tuple[list[int], list[int]]


class RowWalk(ABC):
    """What rows need of the walk that came upon them: `json_compare.Walk` is one."""

    context: Context

    @abstractmethod
    def values(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Compare two values at one place."""

    @abstractmethod
    def lost(self, legacy: Any, trail: Trail) -> None:
        """Report a row that modern does not have."""

    @abstractmethod
    def gained(self, modern: Any, trail: Trail) -> None:
        """Report a row that legacy does not have."""

    @abstractmethod
    def alike(self, legacy: Any, modern: Any, place: Place, depth: int) -> bool:
        """Whether two values would lead to no difference."""

    @abstractmethod
    def apart(self, legacy: Any, modern: Any, place: Place, depth: int) -> int:
        """Return how many differences two values would lead to."""

    @abstractmethod
    def fail(self) -> None:
        """End a trial: there is a difference."""

    @abstractmethod
    def give_up(self) -> NoReturn:
        """Report that a search has not come to its end."""


class Guesses:
    """Rows that are left over on both sides; nothing changes."""

    def __init__(
        self, walk: RowWalk, legacy: list[Any], modern: list[Any], place: Place, depth: int, likely: Likely
    ) -> None:
        self._walk = walk
        self._legacy = legacy
        self._modern = modern
        self._place = place
        self._depth = depth
        self._likely = likely

    def pairs(self, rest: Rest) -> tuple[dict[int, int], Rest]:
        """Return pairs of rows with little between them, and what is left then."""
        lefts, rights = rest
        if not lefts or not rights:
            return {}, rest
        if len(lefts) == len(rights) == 1:
            return {lefts[0]: rights[0]}, ([], [])
        ranked = self._apart(lefts, rights) if self._is_cheap(lefts, rights) else self._by_members(lefts, rights)
        found: dict[int, int] = {}
        taken: set[int] = set()
        for _, left, right in ranked:
            if left not in found and right not in taken:
                found[left] = right
                taken.add(right)
        return found, ([each for each in lefts if each not in found], [each for each in rights if each not in taken])

    def _is_cheap(self, lefts: list[int], rights: list[int]) -> bool:
        if len(lefts) * len(rights) > _FEW:
            return False
        most = _SMALL // max(len(lefts), len(rights))
        return sum(_size(self._legacy[each], most) for each in lefts) <= most

    def _apart(self, lefts: list[int], rights: list[int]) -> list[tuple[int, int, int]]:
        """Rank all pairs by how many differences are between them."""
        place = self._place
        return sorted(
            (self._walk.apart(self._legacy[left], self._modern[right], place.step(right), self._depth + 1), left, right)
            for left in lefts
            for right in rights
        )

    def _by_members(self, lefts: list[int], rights: list[int]) -> list[tuple[int, int, int]]:
        """Rank pairs by how many members they share that few rows have; rows in their order where all share one."""
        there: dict[Hashable, list[int]] = defaultdict(list)
        for right in rights:
            for item in self._items(right, modern=True):
                there[item].append(right)
        ranked: list[tuple[int, int, int]] = []
        for left in lefts:
            shared: Counter[int] = Counter()
            for item in self._items(left, modern=False):
                near = there.get(item, ())
                shared.update(near if len(near) <= _SHARED_BY_FEW else ())
            ranked += [(-count, left, right) for right, count in shared.most_common(_CANDIDATES)]
        ranked.sort()
        if len(lefts) == len(rights):
            ranked += [(0, left, right) for left, right in zip(lefts, rights, strict=True)]
        return ranked

    def _items(self, at: int, *, modern: bool) -> list[Hashable]:
        row = (self._modern if modern else self._legacy)[at]
        place = self._place.step(at)
        if type(row) is not dict:
            return []
        items = ((name, self._likely.key(each, place.step(name), modern=modern)) for name, each in row.items())
        return [(name, key) for name, key in items if key is not None]


def _size(value: Any, most: int) -> int:
    """Return how many values are in a value, or any number above `most`."""
    size, waiting = 0, [value]
    while waiting and size <= most:
        one = waiting.pop()
        size += 1
        if type(one) is dict:
            waiting.extend(one.values())
        elif type(one) is list:
            waiting.extend(one)
    return size
