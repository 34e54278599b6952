"""Unordered lists: multiset and keyed rows."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from comparators.context import Context
from comparators.paths import Place, Trail
from comparators.values import Number, exact, is_date, moment, plain

# Hashable keys of JSON values: equal only for equal values, or mostly equal for all that might be alike.


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


# Pairs as many as possible of two groups, when only some may go together.


def paired(
    lefts: Sequence[int],
    rights: Sequence[int],
    alike: Callable[[int, int], bool],
    already: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """Return the largest pairing, left to right (augmenting paths, as Kuhn's algorithm finds them).

    Taking the first partner that fits is not enough: with a tolerance one row may fit two others, and its choice
    leave the second without any. Who is `already` paired stays paired, if perhaps with another.
    """
    mates = dict(already or {})
    owners = {right: left for left, right in mates.items()}
    for left in lefts:
        if left in mates:
            continue
        found, reached = _free(left, rights, alike, owners)
        while found is not None:
            one = reached[found]
            before = mates.get(one)
            owners[found], mates[one] = one, found
            found = before
    return mates


def _free(
    left: int, rights: Sequence[int], alike: Callable[[int, int], bool], owners: dict[int, int]
) -> tuple[int | None, dict[int, int]]:
    """Look for a right that is free, over those that others could leave; also from which left each was reached."""
    reached: dict[int, int] = {}
    waiting = deque([left])
    while waiting:
        one = waiting.popleft()
        # Among many that are all alike the free ones come first, or each would be looked at once a row.
        for right in rights:
            if right not in owners and alike(one, right):
                reached[right] = one
                return right, reached
        for right in rights:
            if right in owners and right not in reached and alike(one, right):
                reached[right] = one
                waiting.append(owners[right])
    return None, reached


_MOST_AGAIN = 10_000
_FEW = 400
Rest = tuple[list[int], list[int]]
Pairs = tuple[dict[int, int], Rest]
"""Who was paired, left to right, and who is left."""


class Walk(Protocol):
    """What rows need of the walk that came upon them; `json_compare` has it."""

    @property
    def context(self) -> Context:
        """The comparison that this is part of."""

    def values(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Compare two values at one place."""

    def lost(self, legacy: Any, trail: Trail) -> None:
        """Report a row that modern does not have."""

    def gained(self, modern: Any, trail: Trail) -> None:
        """Report a row that legacy does not have."""

    def alike(self, legacy: Any, modern: Any, place: Place, depth: int) -> bool:
        """Whether two values would lead to no difference."""

    def apart(self, legacy: Any, modern: Any, place: Place, depth: int) -> int:
        """Return how many differences two values would lead to."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Two lists of one walk whose rows are looked for in each other."""

    walk: Walk
    legacy: list[Any]
    modern: list[Any]
    place: Place
    depth: int

    def compare(self, trail: Trail, key: str | None) -> None:
        """Pair the rows and tell what is left, or what differs within a pair."""
        pairs, lone = self._by_key(key) if key else self._pairs_and_guesses(*self._whole())
        for left, right in sorted(pairs.items(), key=lambda pair: pair[1]):
            self.walk.values(
                self.legacy[left], self.modern[right], (trail, right), self.place.step(right), self.depth + 1
            )
        for left in lone[0]:
            self.walk.lost(self.legacy[left], (trail, left))
        for right in lone[1]:
            self.walk.gained(self.modern[right], (trail, right))
        if any(left != right for left, right in pairs.items()) and not any(lone):
            self.walk.context.forgive("unordered")

    def are_moved(self, broken: list[int]) -> bool:
        """Whether the rows that differ in their places are the same rows in another order."""
        alike = self._alike()
        # Nearly always the first of them has no partner at all, and that is known soon.
        if not any(alike(broken[0], right) for right in broken[1:]):
            return False
        _, lone = self._pairs(broken, broken)
        return not any(lone)

    def _pairs_and_guesses(self, ours: list[int], theirs: list[int]) -> Pairs:
        found, rest = self._pairs(ours, theirs)
        guessed, rest = self._guessed(*rest)
        return found | guessed, rest

    def _pairs(self, ours: list[int], theirs: list[int]) -> Pairs:
        """Pair rows that are the same: equal ones, then those the rules make alike, likely ones first."""
        alike = self._alike()
        found: dict[int, int] = {}
        rest = self._bucketed(found, (ours, theirs), lambda row, _: frozen(row), None)
        rest = self._bucketed(found, rest, lambda row, at: loose(row, self.place.step(at)), alike)
        # What else could make rows alike has led their keys into one bucket, unless a setting has no key at all.
        fuzzy = self.walk.context.policy.fuzzy
        if all(rest) and len(ours) * len(theirs) <= (_MOST_AGAIN if fuzzy else _FEW):
            found = paired(ours, theirs, alike, found)
            return found, _left(found, rest)
        return found, self._bucketed(found, rest, lambda *_: None, alike) if fuzzy else rest

    def _by_key(self, key: str) -> Pairs:
        """Pair rows of one key; where several share it they are paired as a multiset."""
        ours, theirs = _grouped(self.legacy, key), _grouped(self.modern, key)
        found: dict[int, int] = {}
        lone: Rest = ([], [])
        for name in ours.keys() | theirs.keys():
            pairs, rest = self._pairs_and_guesses(ours.get(name, []), theirs.get(name, []))
            found |= pairs
            lone[0].extend(rest[0])
            lone[1].extend(rest[1])
        return found, (sorted(lone[0]), sorted(lone[1]))

    def _guessed(self, lefts: list[int], rights: list[int]) -> Pairs:
        """Pair rows that are not the same by how little sets them apart, so that it is told where it is."""
        found: dict[int, int] = {}
        if len(lefts) * len(rights) > _FEW:
            return found, (lefts, rights)
        apart = sorted((self._apart(left, right), left, right) for left in lefts for right in rights)
        for _, left, right in apart:
            if left in lefts and right in rights:
                found[left] = right
                lefts.remove(left)
                rights.remove(right)
        return found, (lefts, rights)

    def _apart(self, left: int, right: int) -> int:
        return self.walk.apart(self.legacy[left], self.modern[right], self.place.step(right), self.depth + 1)

    def _alike(self) -> Callable[[int, int], bool]:
        """Return what tells whether two rows are alike; it asks the walk once a pair."""
        known: dict[tuple[int, int], bool] = {}

        def alike(left: int, right: int) -> bool:
            answer = known.get((left, right))
            if answer is None:
                row, other = self.legacy[left], self.modern[right]
                answer = known[left, right] = self.walk.alike(row, other, self.place.step(right), self.depth + 1)
            return answer

        return alike

    def _bucketed(
        self,
        found: dict[int, int],
        rest: Rest,
        key: Callable[[Any, int], Hashable],
        alike: Callable[[int, int], bool] | None,
    ) -> Rest:
        """Pair within buckets of one key, all that share it where `alike` is None; return who is left."""
        if not all(rest):
            return rest
        buckets: dict[Hashable, Rest] = defaultdict(lambda: ([], []))
        for left in rest[0]:
            buckets[key(self.legacy[left], left)][0].append(left)
        for right in rest[1]:
            buckets[key(self.modern[right], right)][1].append(right)
        for lefts, rights in buckets.values():
            found |= dict(zip(lefts, rights, strict=False)) if alike is None else paired(lefts, rights, alike)
        return _left(found, rest)

    def _whole(self) -> Rest:
        return list(range(len(self.legacy))), list(range(len(self.modern)))


def _left(found: dict[int, int], rest: Rest) -> Rest:
    taken = set(found.values())
    return [left for left in rest[0] if left not in found], [right for right in rest[1] if right not in taken]


def _grouped(rows: Iterable[Any], key: str) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        name: Hashable = ("key", named(row[key])) if type(row) is dict and key in row else "without"
        groups[name].append(index)
    return groups
