"""Guesses which unequal rows correspond, so that the differences within them are reported."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any, Final

from comparators.paths import Place
from comparators.row_pairing import Rest
from comparators.row_walk import RowWalk

_FEW: Final = 400
_SMALL: Final = 40_000
"""So many values in all are walked through to find the pairs with the least between them."""
_SHARED_BY_FEW: Final = 32
_CANDIDATES: Final = 16


class Guesses:
    """Rows that are left over on both sides; only the memory of what modern's rows hold changes."""

    def __init__(self, walk: RowWalk, legacy: list[Any], modern: list[Any], place: Place, depth: int) -> None:
        self._walk = walk
        self._legacy = legacy
        self._modern = modern
        self._place = place
        self._depth = depth
        self._likely = walk.likely
        self._holding: dict[Hashable, list[int]] | None = None

    def pairs(self, rest: Rest, *, fills: bool) -> tuple[dict[int, int], Rest]:
        """Return pairs of rows with little between them, and what is left then; with `fills` no left is."""
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
        rest = [each for each in lefts if each not in found], [each for each in rights if each not in taken]
        if not fills:
            return found, rest
        found.update(zip(*rest, strict=False))
        return found, (rest[0][len(rest[1]) :], rest[1][len(rest[0]) :])

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
        """Rank pairs by how many members they share that few rows have."""
        there = self._rows_holding(rights)
        left_over = set(rights)
        ranked: list[tuple[int, int, int]] = []
        for left in lefts:
            shared: Counter[int] = Counter()
            for item in self._items(left, modern=False):
                near = there.get(item, ())
                shared.update(near if len(near) <= _SHARED_BY_FEW else ())
            best = shared.most_common(_CANDIDATES)
            ranked += [(-count, left, right) for right, count in best if right in left_over]
        ranked.sort()
        return ranked

    def _rows_holding(self, rights: list[int]) -> dict[Hashable, list[int]]:
        if self._holding is None:
            self._holding = defaultdict(list)
            for right in rights:
                for item in self._items(right, modern=True):
                    self._holding[item].append(right)
        return self._holding

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
