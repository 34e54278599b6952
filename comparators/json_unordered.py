"""Unordered lists: multiset and keyed rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import Any, Final

from comparators.budget import Untried
from comparators.context import GLANCED, Differs, Full
from comparators.paths import Place, Trail
from comparators.row_guesses import Guesses
from comparators.row_keys import are_numbers, name_of, sizes, written_rows
from comparators.row_pairing import Kinds, Rest, by_key, left_over, paired
from comparators.row_walk import FEW, RowWalk
from comparators.values import Number

_SMALL: Final = 10_000
"""Lists with so many pairs are searched to the end."""
_TWO: Final = 2
_SAMPLE: Final = 32
_HASTY: Final = 8
"""From so many rows without a partner on, rows are not the same in another order."""
_CONTAINERS: Final = frozenset({dict, list})


class Rows:
    """Two lists of one walk whose rows are searched in each other.

    `_untried` says that a search for partners ended before its end: what is left over may only seem to be alone;
    `_certain` that some row is proven to have no partner. All other fields stay as they are made, but for the memory
    of what was tried: `_walked` are lefts whose pair is compared, and what was excused in it counted.
    `_inner` are the settings of each row where they are the same.
    """

    def __init__(self, walk: RowWalk, legacy: list[Any], modern: list[Any], place: Place, depth: int) -> None:
        self._walk = walk
        self._legacy = legacy
        self._modern = modern
        self._place = place
        self._depth = depth
        self._likely = walk.likely
        self._known: dict[tuple[int, int], bool] = {}
        self._untried = False
        self._certain = False
        self._hasty = False
        self._trail: Trail = None
        self._walked: set[int] = set()
        self._spelled: tuple[list[Hashable], list[Hashable]] | None = None
        self._kinds: Kinds | None = None
        self._all_keys: list[list[Hashable] | None] = [None, None]
        self._inner: Place | None = place if place.bare else place.step(0) if place.is_uniform else None

    def compare(self, trail: Trail, key: str | None) -> None:
        """Pair the rows and report what is left, or what differs within a pair.

        A cap on the search gives up, but where it is proven that some row has no partner, however they are paired.
        """
        self._trail = trail
        walk, legacy, modern = self._walk, self._legacy, self._modern
        if not self._is_keyed() and self._are_same():
            walk.context.forgive("unordered")
            return
        pairs, rest = self._by_key(key) if key else self._matched(range(len(legacy)), range(len(modern)))
        if any(rest):
            self._judge(rest)
        self._compare_pairs(pairs)
        if all(rest) and not key:
            rest = self._guessed(rest)
        for left in rest[0]:
            walk.lost(legacy[left], (trail, left))
        for right in rest[1]:
            walk.gained(modern[right], (trail, right))
        if not any(rest) and any(left != right for left, right in pairs.items()):
            walk.context.forgive("unordered")

    def _guessed(self, rest: Rest) -> Rest:
        """Compare rows that probably correspond, as many at a time as can be reported; returns what is alone."""
        lefts, rights = rest
        fills = len(lefts) == len(rights)
        guesses, most = self._guesses(), self._walk.context.most
        alone: list[int] = []
        for at in range(0, len(lefts), most):
            pairs, (lone, rights) = guesses.pairs((lefts[at : at + most], rights), fills=fills)
            alone += lone
            self._compare_pairs(pairs)
        return alone, rights

    def _compare_pairs(self, pairs: dict[int, int]) -> None:
        """Compare what is not compared yet, in modern's order."""
        walked = self._walked
        if len(walked) >= len(pairs) and walked.issuperset(pairs):
            return
        for right, left in sorted([(right, left) for left, right in pairs.items() if left not in walked]):
            place, trail = self._at(right), (self._trail, right)
            self._walk.values(self._legacy[left], self._modern[right], trail, place, self._depth + 1)

    def _guesses(self) -> Guesses:
        return Guesses(self._walk, self._legacy, self._modern, self._place, self._depth)

    def _is_keyed(self) -> bool:
        """Whether these are a few rows whose keys are known: quicker to pair than to write them once more."""
        return len(self._legacy) <= FEW and self._likely.has_keys(self._legacy, self._modern)

    def _are_same(self) -> bool:
        """Whether both lists hold the same rows, written alike: most that are the same are.

        Far down that is left to keys: each level would write what is below it once more.
        """
        if len(self._legacy) != len(self._modern) or self._depth >= GLANCED:
            return False
        ours, theirs = self._written()
        return set(theirs).issuperset(ours) and Counter(ours) == Counter(theirs)

    def _written(self) -> tuple[list[Hashable], list[Hashable]]:
        """Return how each row is written."""
        if self._spelled is None:
            self._spelled = written_rows(self._legacy), written_rows(self._modern)
        return self._spelled

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
        if self._walk.context.alike and self._are_same():  # one writer: most rows that moved are written alike
            return True
        theirs = self._keys_of(broken, modern=True)
        if not set(theirs).issuperset(self._keys_of(broken[:_SAMPLE], modern=False)):
            return False
        if Counter(self._keys_of(broken, modern=False)) != Counter(theirs):
            return False
        self._hasty = True
        before = self._walk.context.mark()
        _, rest = self._matched(broken, broken)
        self._walk.context.go_back(before)
        return not any(rest)

    def _by_key(self, key: str) -> tuple[dict[int, int], Rest]:
        """Pair rows of one key; where several share it they are paired as a multiset."""
        found, rest = self._grouped(
            (list(range(len(self._legacy))), list(range(len(self._modern)))), name_of(self._legacy, self._modern, key)
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
                guessed, rest = self._guesses().pairs(rest, fills=len(rest[0]) == len(rest[1]))
                pairs |= guessed
            found |= pairs
            lone[0].extend(rest[0])
            lone[1].extend(rest[1])
        return found, (sorted(lone[0]), sorted(lone[1]))

    def _matched(self, ours: Sequence[int], theirs: Sequence[int]) -> tuple[dict[int, int], Rest]:
        """Pair rows that are alike, as many as can be: those that are the same, those likely to be, then any."""
        found: dict[int, int] = {}
        if self._depth < GLANCED:
            legacy, modern = self._legacy, self._modern
            found = {left: right for left, right in zip(ours, theirs, strict=False) if legacy[left] == modern[right]}
        rest = left_over(found, ours, theirs) if found else (list(ours), list(theirs))
        if all(rest) and self._depth < GLANCED and not self._is_keyed():
            rest = self._same(found, rest)
        if all(rest):
            rest = self._likely_pairs(found, rest)
        if all(rest) and not self._hasty:
            rest = self._any_pairs(found, rest, ours, theirs)
        return found, rest

    def _same(self, found: dict[int, int], rest: Rest) -> Rest:
        """Pair rows that are written alike."""
        ours, theirs = self._written()
        shared = {ours[left] for left in rest[0]}
        shared.intersection_update([theirs[right] for right in rest[1]])
        if not shared:
            return rest
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for right in reversed(rest[1]):
            waiting[theirs[right]].append(right)
        for left in rest[0]:
            if ours[left] in shared and (rights := waiting[ours[left]]):
                found[left] = rights.pop()
        return left_over(found, *rest)

    def _likely_pairs(self, found: dict[int, int], rest: Rest) -> Rest:
        """Pair rows whose keys are the same and that are alike."""
        ours, theirs = self._keys_of(rest[0], modern=False), self._keys_of(rest[1], modern=True)
        one_each = dict(zip(theirs, rest[1], strict=True))
        if len(one_each) == len(theirs) and len(set(ours)) == len(ours):
            try:
                self._likely_twins(found, rest[0], ours, one_each)
            except Untried:
                self._untried = True
            return left_over(found, *rest)
        here, there = by_key(rest[0], ours), by_key(rest[1], theirs)
        alone = 0
        try:
            for key, lefts in here.items():
                if (rights := there.get(key)) is None:
                    continue
                if len(lefts) == len(rights) == 1:
                    if self._is_walked(lefts[0], rights[0]):
                        found[lefts[0]] = rights[0]
                    else:
                        alone += 1
                else:
                    pairs = self._bucket(lefts, rights)
                    found |= pairs
                    alone += len(lefts) - len(pairs)
                if self._hasty and alone >= _HASTY:
                    break
        except Untried:
            self._untried = True
        return left_over(found, *rest)

    def _likely_twins(
        self, found: dict[int, int], lefts: list[int], keys: list[Hashable], theirs: dict[Hashable, int]
    ) -> None:
        """Pair rows whose keys are the same and that are alike, where no two rows of a side share a key."""
        alone = 0
        for left, key in zip(lefts, keys, strict=True):
            right = theirs.get(key)
            if right is None:
                continue
            if self._is_walked(left, right):
                found[left] = right
            else:
                alone += 1
                if self._hasty and alone >= _HASTY:
                    return

    def _bucket(self, lefts: list[int], rights: list[int]) -> dict[int, int]:
        """Pair within one bucket: nearly always in its order, in that of their numbers where some may be apart."""
        ours, theirs = lefts, rights
        kinds = self._kinds_of(lefts, rights)
        if sum(kinds) > _TWO:
            ours = sorted(lefts, key=lambda at: sizes(self._legacy[at]))
            theirs = sorted(rights, key=lambda at: sizes(self._modern[at]))
        if kinds[0] == len(lefts):
            found = {left: right for left, right in zip(ours, theirs, strict=False) if self._is_walked(left, right)}
        else:
            found = self._once_each(ours, theirs)
        if len(found) == min(len(ours), len(theirs)):
            return found
        more = paired(ours, theirs, self._alike, found, self._kinds_alike())
        self._take_back(found, more)
        return more

    def _kinds_of(self, lefts: list[int], rights: list[int]) -> tuple[int, int]:
        """Return of how many kinds these rows are, those of legacy and those of modern."""
        if not self._has_kinds():
            return len(lefts), len(rights)
        ours, theirs = self._written()
        return len(set(map(ours.__getitem__, lefts))), len(set(map(theirs.__getitem__, rights)))

    def _once_each(self, ours: list[int], theirs: list[int]) -> dict[int, int]:
        """Pair rows in their order; rows that are written alike are compared once, and counted each time."""
        found: dict[int, int] = {}
        costs: dict[tuple[int, int], dict[str, int] | None] = {}
        for left, right in zip(ours, theirs, strict=False):
            pair = self._pair(left, right)
            if pair not in costs:
                before = Counter(self._walk.context.forgiven)
                is_walked = self._is_walked(left, right)
                costs[pair] = dict(Counter(self._walk.context.forgiven) - before) if is_walked else None
            elif (cost := costs[pair]) is not None:
                self._walked.add(left)
                self._walk.context.forgive_all(cost)
            if costs[pair] is not None:
                found[left] = right
        return found

    def _take_back(self, found: dict[int, int], more: dict[int, int]) -> None:
        """Forget that pairs were compared which are others now, and what was excused in them."""
        for left, right in found.items():
            if more[left] != right and left in self._walked:
                self._walked.discard(left)
                row, other, place = self._legacy[left], self._modern[right], self._at(right)
                excused = self._walk.excused_in(row, other, place, self._depth + 1)
                self._walk.context.forgive_all({rule: -times for rule, times in excused.items()})

    def _is_walked(self, left: int, right: int) -> bool:
        """Whether two rows that nearly surely are alike are; then what was excused in them is counted with it.

        No trial: it costs as much as comparing them does, and leaves nothing to do.
        """
        walk = self._walk
        row, other = self._legacy[left], self._modern[right]
        if type(row) not in _CONTAINERS and type(other) not in _CONTAINERS:
            if row != other and not walk.excuses(row, other, (self._trail, right), self._at(right)):
                return False
            self._walked.add(left)
            return True
        if (id(row), id(other)) in walk.failed:
            return False
        before = walk.context.mark()
        try:
            walk.values(row, other, (self._trail, right), self._at(right), self._depth + 1)
            differs = walk.context.differences > before.differences
        except Differs:
            differs = True
        except Full:
            walk.context.go_back(before)
            return False
        if differs:
            walk.context.go_back(before)
            self._known[self._pair(left, right)] = False
            walk.failed[id(row), id(other)] = row, other
            return False
        self._walked.add(left)
        return True

    def _pair(self, left: int, right: int) -> tuple[int, int]:
        """Return what two rows are remembered by."""
        kinds = self._kinds_alike()
        return (left, right) if kinds is None else (kinds[0][left], kinds[1][right])

    def _any_pairs(self, found: dict[int, int], rest: Rest, ours: Sequence[int], theirs: Sequence[int]) -> Rest:
        """Pair what is left with anything it is alike to, in the end others changing their partners for it.

        In long lists the last is only tried where the first row that is left is alike to some other.
        """
        if self._are_numbers_alone(rest, theirs):
            return rest
        kinds = self._kinds_alike()
        try:
            found |= paired(*rest, self._alike, None, kinds)
            rest = left_over(found, *rest)
            if all(rest) and (len(ours) * len(theirs) <= _SMALL or not self._is_alone(rest[0][0], theirs)):
                more = paired(ours, theirs, self._alike, found, kinds)
                self._take_back(found, more)
                found |= more
                rest = left_over(found, ours, theirs)
        except Untried:
            self._untried = True
        return left_over(found, ours, theirs)

    def _are_numbers_alone(self, rest: Rest, theirs: Sequence[int]) -> bool:
        """Whether all rows that are left are numbers that are alike to none of the others: nothing to search for."""
        place, legacy, modern = self._inner, self._legacy, self._modern
        if place is None or place.is_left_out or place.unordered is not None or len(rest[0]) * len(theirs) <= _SMALL:
            return False
        lefts, rights = [legacy[at] for at in rest[0]], [modern[at] for at in theirs]
        if not (set(map(type, rights)) == {Number} and are_numbers(lefts)):
            return False
        are_alone = self._likely.are_all_alone(lefts, rights, place)
        self._certain = self._certain or are_alone
        return are_alone

    def _has_kinds(self) -> bool:
        """Whether rows that are written alike are alike to the same others, for the settings of all are the same."""
        return self._place.is_uniform and not self._walk.context.minds_places

    def _kinds_alike(self) -> Kinds | None:
        """Return the kinds of rows that are alike to the same others; None where each row has settings of its own."""
        if not self._has_kinds():
            return None
        if self._kinds is None:
            ours, theirs = self._written()
            numbers = {key: at for at, key in enumerate(dict.fromkeys(chain(ours, theirs)))}
            self._kinds = [numbers[key] for key in ours], [numbers[key] for key in theirs]
        return self._kinds

    def _is_proven(self, rest: Rest) -> bool:
        """Whether no pairing is left without a row over, or one of the first rows has no partner at all."""
        if self._likely.are_numbers_apart(self._legacy, self._modern, self._place):
            return True
        if any(self._is_alone(left, range(len(self._modern))) for left in rest[0][:_TWO]):
            return True
        try:
            everything = range(len(self._legacy))
            return any(not any(self._alike(left, right, proof=True) for left in everything) for right in rest[1][:_TWO])
        except Untried:
            return False

    def _is_alone(self, left: int, theirs: Iterable[int]) -> bool:
        """Whether a row is proven to be alike to none of the others."""
        try:
            self._certain = self._certain or not any(self._alike(left, right, proof=True) for right in theirs)
        except Untried:
            self._untried = True
        return self._certain

    def _alike(self, left: int, right: int, *, proof: bool = False) -> bool:
        """Whether two rows are alike; the walk is called once a pair, and only where a quick check does not decide."""
        pair = self._pair(left, right)
        answer = self._known.get(pair)
        if answer is None:
            self._walk.context.budget.spend_glance(proof=proof)
            row, other, place = self._legacy[left], self._modern[right], self._at(right)
            if self._likely.are_apart(row, other, place):
                if proof:  # too many to remember
                    return False
                answer = False
            else:
                answer = self._walk.alike(row, other, place, self._depth + 1)
            self._known[pair] = answer
        return answer

    def _keys_of(self, rows: Sequence[int], *, modern: bool) -> list[Hashable]:
        """Return the keys of rows, one after the other."""
        values, known = self._modern if modern else self._legacy, self._all_keys[modern]
        if known is None:
            if len(rows) != len(values):
                return [self._likely.key(values[at], self._at(at), modern=modern) for at in rows]
            known = self._all_keys[modern] = self._keys(values, modern=modern)
        return known if len(rows) == len(values) else [known[at] for at in rows]

    def _keys(self, values: list[Any], *, modern: bool) -> list[Hashable]:
        """Return the keys of all rows, of those that are written alike from the first of them."""
        spelled = None if self._spelled is None or self._inner is None else self._spelled[modern]
        if spelled is None or len(first := dict(zip(spelled, values, strict=True))) * _TWO > len(values):
            return self._likely.rows(values, self._place, modern=modern)
        keys = zip(first, self._likely.rows(list(first.values()), self._place, modern=modern), strict=True)
        return list(map(dict(keys).__getitem__, spelled))

    def _at(self, index: int) -> Place:
        return self._inner or self._place.step(index)
