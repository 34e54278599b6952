"""Pairs as many members of two groups as possible, when only some pairs are allowed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence

Kinds = tuple[Sequence[int], Sequence[int]]
"""The kind of each left, of each right: what is of one kind is allowed the same partners."""
Rest = tuple[list[int], list[int]]
"""Lefts and rights without a partner."""


def by_key(members: Sequence[int], keys: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """Return the members that share each key, in their order."""
    found: dict[Hashable, list[int]] = {}
    for at, key in zip(members, keys, strict=True):
        if (there := found.get(key)) is None:
            found[key] = [at]
        else:
            there.append(at)
    return found


def left_over(pairs: Mapping[int, int], lefts: Sequence[int], rights: Sequence[int]) -> Rest:
    """Return which lefts and rights have no partner."""
    taken = set(pairs.values())
    return [left for left in lefts if left not in pairs], [right for right in rights if right not in taken]


def paired(
    lefts: Sequence[int],
    rights: Sequence[int],
    alike: Callable[[int, int], bool],
    already: Mapping[int, int] | None = None,
    kinds: Kinds | None = None,
) -> dict[int, int]:
    """Return the largest pairing, left to right (augmenting paths, as Kuhn's algorithm finds them).

    Taking the first partner that fits is not enough: with a tolerance one row may fit two others, and its choice
    leave the second without any. What is `already` paired stays paired, if perhaps with another. `kinds` makes many
    equal rows as cheap as one: partners are searched once a kind.
    """
    search = _Search(lefts, rights, alike, already or {}, kinds)
    for left in lefts:
        if not search.free:
            break
        if left not in search.mates:
            search.pair(left)
    return search.mates


class _Search:
    """A pairing that grows: `mates` by left, `free` the rights without one by kind, `_held` the others' lefts."""

    def __init__(
        self,
        lefts: Sequence[int],
        rights: Sequence[int],
        alike: Callable[[int, int], bool],
        already: Mapping[int, int],
        kinds: Kinds | None,
    ) -> None:
        self._alike = alike
        self._kinds = kinds
        self.mates = dict(already)
        self.free: dict[int, list[int]] = {}
        self._held: dict[int, dict[int, list[int]]] = {}
        self._lefts = {self._left(left): left for left in (*lefts, *already)}
        self._rights = {self._right(right): right for right in rights}
        # No search from these found anything: nor will a later one, whatever is paired until then.
        self._dead: set[int] = set()
        owners = {right: left for left, right in self.mates.items()}
        for right in reversed(rights):
            if right in owners:
                self._hold(owners[right], right)
            else:
                self.free.setdefault(self._right(right), []).append(right)
        self.free = dict(reversed(self.free.items()))

    def _left(self, left: int) -> int:
        return left if self._kinds is None else self._kinds[0][left]

    def _right(self, right: int) -> int:
        return right if self._kinds is None else self._kinds[1][right]

    def pair(self, left: int) -> None:
        """Find a partner for one more left, others changing theirs for it where that helps."""
        start = self._left(left)
        if start in self._dead:
            return
        reached: dict[int, int] = {}
        through: dict[int, int | None] = {start: None}
        kind = self._reach(start, reached, through)
        if kind is None:
            self._dead |= through.keys()
            return
        right = self._taken(kind)
        while (before := through[reached[kind]]) is not None:
            other = self._let_go(before, reached[kind])
            left_by = self.mates[other]
            self._give(other, right)
            right, kind = left_by, before
        self._give(left, right)

    def _reach(self, start: int, reached: dict[int, int], through: dict[int, int | None]) -> int | None:
        """Return a kind of rights that has a free one, over those whose owners could leave them.

        `reached` says from which kind of lefts each kind of rights was reached, `through` over which rights that was.
        """
        waiting = deque([start])
        while waiting:
            kind = waiting.popleft()
            # Among many that are all alike the free ones come first, or each would be looked at once a row.
            for right in self.free:
                if self._fits(kind, right):
                    reached[right] = kind
                    return right
            for right, owners in self._held.items():
                if right not in reached and self._fits(kind, right):
                    reached[right] = kind
                    new = [each for each in owners if each not in through]
                    through.update(dict.fromkeys(new, right))
                    waiting.extend(new)
        return None

    def _fits(self, left: int, right: int) -> bool:
        return self._alike(self._lefts[left], self._rights[right])

    def _give(self, left: int, right: int) -> None:
        self.mates[left] = right
        self._hold(left, right)

    def _hold(self, left: int, right: int) -> None:
        self._held.setdefault(self._right(right), {}).setdefault(self._left(left), []).append(left)

    def _taken(self, kind: int) -> int:
        rights = self.free[kind]
        right = rights.pop()
        if not rights:
            del self.free[kind]
        return right

    def _let_go(self, right: int, left: int) -> int:
        """Take a right of one kind away from a left of another; returns that left."""
        owners = self._held[right]
        found = owners[left].pop()
        if not owners[left]:
            del owners[left]
        return found
