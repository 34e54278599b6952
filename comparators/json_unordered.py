"""Unordered lists: multiset and keyed rows."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from comparators.context import Differs, Full, Untried
from comparators.paths import Place, Trail
from comparators.row_guesses import Guesses, RowWalk
from comparators.row_keys import Likely, named, written

# Pairs as many members of two groups as possible, when only some pairs are allowed.


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
    free = dict.fromkeys(right for right in rights if right not in owners)
    for left in lefts:
        if left in mates:
            continue
        if not free:
            break
        found, reached = _free(left, rights, free, alike, owners)
        if found is not None:
            del free[found]
        while found is not None:
            one = reached[found]
            before = mates.get(one)
            owners[found], mates[one] = one, found
            found = before
    return mates


def _free(
    left: int,
    rights: Sequence[int],
    free: Mapping[int, None],
    alike: Callable[[int, int], bool],
    owners: Mapping[int, int],
) -> tuple[int | None, dict[int, int]]:
    """Look for a right that is free, over those that others could leave; also from which left each was reached."""
    reached: dict[int, int] = {}
    waiting = deque([left])
    while waiting:
        one = waiting.popleft()
        # Among many that are all alike the free ones come first, or each would be looked at once a row.
        for right in free:
            if alike(one, right):
                reached[right] = one
                return right, reached
        for right in rights:
            if right in owners and right not in reached and alike(one, right):
                reached[right] = one
                waiting.append(owners[right])
    return None, reached


_SMALL = 10_000
"""Lists with so many pairs are searched to the end."""

_TWO = 2
Rest = tuple[list[int], list[int]]


class Rows:
    """Two lists of one walk whose rows are searched in each other.

    `_untried` says that a search for partners ended before its end: what is left over may only seem to be alone;
    `_certain` that some row is proven to have no partner. All other fields stay as they are made, but for the memory
    of what was tried.
    """

    def __init__(self, walk: RowWalk, legacy: list[Any], modern: list[Any], place: Place, depth: int) -> None:
        self._walk = walk
        self._legacy = legacy
        self._modern = modern
        self._place = place
        self._depth = depth
        self._likely = Likely(walk.context)
        self._known: dict[tuple[int, int], bool] = {}
        self._untried = False
        self._certain = False
        self._trail: Trail = None
        self._walked: set[int] = set()

    def compare(self, trail: Trail, key: str | None) -> None:
        """Pair the rows and report what is left, or what differs within a pair.

        A cap on the search gives up, but where it is proven that some row has no partner, however they are paired.
        """
        self._trail = trail
        walk, legacy, modern = self._walk, self._legacy, self._modern
        if _are_same(legacy, modern):
            walk.context.forgive("unordered")
            return
        pairs, rest = self._by_key(key) if key else self._matched(range(len(legacy)), range(len(modern)))
        if any(rest):
            self._judge(rest)
        if all(rest) and not key:
            guessed, rest = self._guesses().pairs(rest)
            pairs |= guessed
        for left, right in sorted(pairs.items(), key=_second):
            if left not in self._walked:
                walk.values(legacy[left], modern[right], (trail, right), self._at(right), self._depth + 1)
        for left in rest[0]:
            walk.lost(legacy[left], (trail, left))
        for right in rest[1]:
            walk.gained(modern[right], (trail, right))
        if not any(rest) and any(left != right for left, right in pairs.items()):
            walk.context.forgive("unordered")

    def _guesses(self) -> Guesses:
        return Guesses(self._walk, self._legacy, self._modern, self._place, self._depth, self._likely)

    def _judge(self, rest: Rest) -> None:
        """Decide what remaining rows mean: a difference, or that the search was not at its end."""
        certain = self._certain or len(self._legacy) != len(self._modern) or not self._untried
        if not certain and not self._is_proven(rest):
            self._walk.give_up()
        if self._untried:
            self._walk.context.capped = True
        self._walk.fail()

    def are_moved(self, broken: Sequence[int]) -> bool:
        """Whether the rows that differ in their places are the same rows in another order; False where that costs."""
        counts: dict[Hashable, int] = defaultdict(int)
        for at in broken:
            counts[self._key(at, modern=False)] += 1
            counts[self._key(at, modern=True)] -= 1
        if any(counts.values()):
            return False
        before = self._walk.context.mark()
        _, rest = self._matched(broken, broken)
        self._walk.context.go_back(before)
        return not any(rest)

    def _by_key(self, key: str) -> tuple[dict[int, int], Rest]:
        """Pair rows of one key; where several share it they are paired as a multiset."""
        found, rest = self._grouped(
            (list(range(len(self._legacy))), list(range(len(self._modern)))), _name_of(self._legacy, self._modern, key)
        )
        if not all(rest):
            return found, rest
        # What is left may be one key in two spellings: a time, an address.
        again, rest = self._grouped(rest, self._likely_name(key))
        return found | again, rest

    def _likely_name(self, key: str) -> Callable[[int, bool], Hashable]:
        def name(at: int, modern: bool) -> Hashable:  # noqa: FBT001 - a side
            row = (self._modern if modern else self._legacy)[at]
            if type(row) is not dict or key not in row:
                return None
            return self._likely.key(row[key], self._at(at).step(key), modern=modern)

        return name

    def _grouped(self, rows: Rest, name: Callable[[int, bool], Hashable]) -> tuple[dict[int, int], Rest]:
        groups: dict[Hashable, Rest] = defaultdict(lambda: ([], []))
        for side, modern in ((0, False), (1, True)):
            for at in rows[side]:
                groups[name(at, modern)][side].append(at)
        found: dict[int, int] = {}
        lone: Rest = ([], [])
        for lefts, rights in groups.values():
            if len(lefts) == len(rights) == 1:
                found[lefts[0]] = rights[0]
                continue
            pairs, rest = self._matched(lefts, rights)
            if all(rest):
                guessed, rest = self._guesses().pairs(rest)
                pairs |= guessed
            found |= pairs
            lone[0].extend(rest[0])
            lone[1].extend(rest[1])
        return found, (sorted(lone[0]), sorted(lone[1]))

    def _matched(self, ours: Sequence[int], theirs: Sequence[int]) -> tuple[dict[int, int], Rest]:
        """Pair rows that are alike, as many as can be: those that are the same, those likely to be, then any."""
        legacy, modern = self._legacy, self._modern
        sides = zip(ours, theirs, strict=False)
        found = {left: right for left, right in sides if legacy[left] == modern[right]}
        rest = _left(found, ours, theirs)
        if all(rest):
            rest = self._same(found, rest)
        if all(rest):
            rest = self._likely_pairs(found, rest)
        if all(rest):
            rest = self._any_pairs(found, rest, ours, theirs)
        return found, rest

    def _same(self, found: dict[int, int], rest: Rest) -> Rest:
        """Pair rows that are written alike."""
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for right in reversed(rest[1]):
            waiting[written(self._modern[right])].append(right)
        for left in rest[0]:
            rights = waiting.get(written(self._legacy[left]))
            if rights:
                found[left] = rights.pop()
        return _left(found, *rest)

    def _likely_pairs(self, found: dict[int, int], rest: Rest) -> Rest:
        """Pair rows whose keys are the same and that are alike."""
        buckets: dict[Hashable, Rest] = defaultdict(lambda: ([], []))
        for left in rest[0]:
            buckets[self._key(left, modern=False)][0].append(left)
        for right in rest[1]:
            buckets[self._key(right, modern=True)][1].append(right)
        try:
            for lefts, rights in buckets.values():
                if lefts and rights:
                    found |= self._bucket(lefts, rights)
        except Untried:
            self._untried = True
        return _left(found, *rest)

    def _bucket(self, lefts: list[int], rights: list[int]) -> dict[int, int]:
        """Pair within one bucket: nearly always in its order, in that of their numbers where some may be apart."""
        ours, theirs = lefts, rights
        if len(lefts) > 1:
            ours = sorted(lefts, key=lambda at: _sizes(self._legacy[at]))
            theirs = sorted(rights, key=lambda at: _sizes(self._modern[at]))
        found = {left: right for left, right in zip(ours, theirs, strict=False) if self._is_walked(left, right)}
        if len(found) == min(len(ours), len(theirs)):
            return found
        more = paired(ours, theirs, self._alike, found)
        self._walked -= {left for left, right in more.items() if found.get(left) != right}
        return more

    def _is_walked(self, left: int, right: int) -> bool:
        """Whether two rows that nearly surely are alike are; then what was excused in them is counted with it.

        No trial: it costs as much as comparing them does, and leaves nothing to do.
        """
        walk = self._walk
        before = walk.context.mark()
        try:
            walk.values(self._legacy[left], self._modern[right], (self._trail, right), self._at(right), self._depth + 1)
        except Differs:
            return False
        except Full:
            walk.context.go_back(before)
            return False
        if walk.context.differences > before.differences:
            walk.context.go_back(before)
            self._known[left, right] = False
            return False
        self._walked.add(left)
        self._known[left, right] = True
        return True

    def _any_pairs(self, found: dict[int, int], rest: Rest, ours: Sequence[int], theirs: Sequence[int]) -> Rest:
        """Pair what is left with anything it is alike to, in the end others changing their partners for it.

        In long lists the last is only tried where the first row that is left is alike to some other.
        """
        try:
            found |= paired(*rest, self._alike)
            rest = _left(found, *rest)
            if all(rest) and (len(ours) * len(theirs) <= _SMALL or not self._is_alone(rest[0][0], theirs)):
                more = paired(ours, theirs, self._alike, found)
                if any(left in self._walked and more[left] != right for left, right in found.items()):
                    raise Untried
                found |= more
                rest = _left(found, ours, theirs)
        except Untried:
            self._untried = True
        return _left(found, ours, theirs)

    def _is_proven(self, rest: Rest) -> bool:
        """Whether one of the first rows that are left over has no partner at all."""
        if any(self._is_alone(left, range(len(self._modern))) for left in rest[0][:_TWO]):
            return True
        try:
            everything = range(len(self._legacy))
            return any(not any(self._alike(left, right, proof=True) for left in everything) for right in rest[1][:_TWO])
        except Untried:
            return False

    def _is_alone(self, left: int, theirs: Sequence[int]) -> bool:
        """Whether a row is proven to be alike to none of the others."""
        try:
            self._certain = self._certain or not any(self._alike(left, right, proof=True) for right in theirs)
        except Untried:
            self._untried = True
        return self._certain

    def _alike(self, left: int, right: int, *, proof: bool = False) -> bool:
        """Whether two rows are alike; the walk is called once a pair, and only where a quick check does not decide."""
        answer = self._known.get((left, right))
        if answer is None:
            context = self._walk.context
            context.spend_glance(proof=proof)
            row, other, place = self._legacy[left], self._modern[right], self._at(right)
            if self._likely.are_apart(row, other, place):
                return False
            answer = self._known[left, right] = self._walk.alike(row, other, place, self._depth + 1)
        return answer

    def _key(self, at: int, *, modern: bool) -> Hashable:
        return self._likely.key((self._modern if modern else self._legacy)[at], self._at(at), modern=modern)

    def _at(self, index: int) -> Place:
        return self._place if self._place.bare else self._place.step(index)


def _left(found: dict[int, int], ours: Sequence[int], theirs: Sequence[int]) -> Rest:
    taken = set(found.values())
    return [left for left in ours if left not in found], [right for right in theirs if right not in taken]


def _name_of(legacy: list[Any], modern: list[Any], key: str) -> Callable[[int, bool], Hashable]:
    def name(at: int, theirs: bool) -> Hashable:  # noqa: FBT001 - a side
        row = (modern if theirs else legacy)[at]
        return ("key", named(row[key])) if type(row) is dict and key in row else "without"

    return name


def _sizes(row: Any) -> tuple[float, ...]:
    """Return the numbers in a row, by which rows that a tolerance holds together come to stand side by side."""
    values = row.values() if type(row) is dict else row if type(row) is list else (row,)
    return tuple(float(each) for each in values if type(each) is bytes)


def _are_same(legacy: list[Any], modern: list[Any]) -> bool:
    """Whether two lists hold the same rows, written alike: most that are the same are."""
    return len(legacy) == len(modern) and Counter(map(written, legacy)) == Counter(map(written, modern))


def _second(pair: tuple[int, int]) -> int:
    return pair[1]
