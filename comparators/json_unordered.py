"""Unordered lists: multiset and keyed rows."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from comparators.context import Context, Differs, Full, Untried
from comparators.paths import Place, Trail
from comparators.row_guesses import Guesses
from comparators.values import Moment, Number, exact, instant_of, is_date, moment, plain

if TYPE_CHECKING:
    from comparators.json_compare import Walk


# Hashable keys of JSON values: equal only for equal values, or mostly equal for all that might be alike.


_NOTHING = (None, "", "0000-00-00 00:00:00")
_CONTAINERS = frozenset({dict, list})
_MIDNIGHT = "00:00:00"
_START = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 1e-9
_FIGURES = frozenset("-0123456789") | {""}
_MOST_ADDRESSES = 20_000


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


def written(value: Any) -> Hashable:
    """Return a key that only values share that are written alike, cheaply: the order of members is part of it."""
    # Numbers are bytes here: scalars of two types are never equal.
    return repr(value) if type(value) in _CONTAINERS else cast(Hashable, value)


def named(value: Any) -> Hashable:
    """Return a key by which rows find their partners: a number and the text of it are one name."""
    if type(value) is Number or (type(value) is str and plain(value)):
        return ("number", exact(value))
    return frozen(value)


class Likely:
    """Makes keys that values which some rule makes the same mostly share, under one policy.

    Only a way to look in the right place first: whether two values are alike is decided by comparing them.
    Only the memory of addresses changes.
    """

    def __init__(self, context: Context) -> None:
        policy = context.policy
        self._zone = policy.zone or UTC
        self._patterns = policy.ignore_text
        self._origins = policy.origins if context.has("own_host") else None
        self._both_legacy = context.alike
        self._masks = bool(policy.noise_rules)
        self._addresses: dict[tuple[str, bool], str] = {}

    def key(self, value: Any, place: Place, *, modern: bool) -> Hashable:
        """Return the key of one side's value; None for what may stand for nothing, or for anything."""
        kind = type(value)
        if place.ignored is not None or value in _NOTHING or (kind in _CONTAINERS and not value):
            return None
        if kind is str:
            return self._text(value, place, modern=modern)
        if kind is dict:
            return self._members(value, place, modern=modern)
        if kind is list:
            return self._list(value, place, modern=modern)
        if place.tolerances:
            return None
        return str(int(value)) if kind is bool else _number(value.decode())

    def are_apart(self, legacy: Any, modern: Any, place: Place) -> bool:
        """Whether a glance shows that no rule makes two values alike: quick, and True only where that is sure."""
        if legacy == modern or place.ignored is not None:
            return False
        left, right = type(legacy), type(modern)
        if left is dict and right is dict:
            return self._are_rows_apart(legacy, modern, place)
        if left is str and right is str:
            return self._are_texts_apart(legacy, modern)
        if left is Number and right is Number:
            return _are_far(legacy, modern, place)
        if left is str and right is Number:
            return not plain(legacy) or _are_far(legacy.encode(), modern, place)
        return False

    def _are_rows_apart(self, legacy: dict[str, Any], modern: dict[str, Any], place: Place) -> bool:
        bare = place.bare
        for name, right in modern.items():
            left = legacy.get(name)
            if left is None or left == right or type(right) in _CONTAINERS:
                continue
            if self.are_apart(left, right, place if bare else place.step(name)):
                return True
        return False

    def _are_texts_apart(self, legacy: str, modern: str) -> bool:
        """Whether two texts that are not the same can be no time, no number, no address that are."""
        if self._patterns or self._masks:
            return False
        if legacy[:1] in _FIGURES or modern[:1] in _FIGURES:
            return False
        if "/" in legacy or "/" in modern or "?" in legacy or ":" in legacy or "," in legacy:
            return self._address(legacy, modern=False) != self._address(modern, modern=True)
        return True

    def _address(self, text: str, *, modern: bool) -> str:
        found = self._addresses.get((text, modern))
        if found is None:
            found = text
            if self._origins is not None:
                found = self._origins.bare(text, modern=modern and not self._both_legacy)
            if "?" in found:
                found = found.replace("+", "%20")
            if moment(text) is not None:
                found = ""
            if len(self._addresses) < _MOST_ADDRESSES:
                self._addresses[text, modern] = found
        return found

    def _members(self, value: dict[str, Any], place: Place, *, modern: bool) -> Hashable:
        if (when := instant_of(value)) is not None:
            return self._instant(when, place)
        if all(name.isdigit() for name in value):
            return self._list(list(value.values()), place, modern=modern)
        found = []
        for name, each in value.items():
            inner = place if place.bare else place.step(name)
            key = None if inner.allowed is not None else self.key(each, inner, modern=modern)
            if key is not None:
                found.append((name, key))
        return ("map", frozenset(found))

    def _list(self, value: list[Any], place: Place, *, modern: bool) -> Hashable:
        keys = [
            self.key(each, place if place.bare else place.step(index), modern=modern)
            for index, each in enumerate(value)
        ]
        if place.unordered is not None:
            return ("bag", frozenset(Counter(keys).items()))
        return ("list", tuple(keys))

    def _text(self, text: str, place: Place, *, modern: bool) -> Hashable:
        if plain(text):
            return None if place.tolerances else _number(text)
        if (when := moment(text)) is not None:
            return self._instant(when, place)
        if "date_midnight" in place.rules and is_date(text):
            return ("day", text)
        for pattern in self._patterns:
            text = pattern.sub("", text)
        if self._origins is not None and "/" in text:
            text = self._origins.bare(text, modern=modern and not self._both_legacy)
        return text.replace("+", "%20") if "?" in text else text

    def _instant(self, when: Moment, place: Place) -> Hashable:
        if "date_midnight" in place.rules and when.wall.isoformat().endswith(_MIDNIGHT) and not when.fraction:
            return ("day", when.wall.date().isoformat())
        if when.wall.year in {1, 9999}:
            return when.wall.isoformat()
        if when.offset is None:
            seconds = (when.wall.replace(tzinfo=self._zone) - _START).total_seconds()
        else:
            seconds = (when.wall.replace(tzinfo=UTC) - when.offset - _START).total_seconds()
        return f"{seconds:.0f}" if not when.fraction else f"{seconds:.0f}.{when.fraction}"


def _are_far(legacy: Number, modern: Number, place: Place) -> bool:
    left, right = float(legacy), float(modern)
    largest = max(abs(left), abs(right))
    apart = abs(left - right)
    for each in place.tolerances:
        limit = max(float(each.absolute or 0), float(each.relative or 0) * largest)
        if not apart > limit * (1 + _FAR) + _FAR * largest:
            return False
    return apart > _FAR * largest


def _number(text: str) -> str:
    """Return the text of a number without what binary sums leave behind, of a long whole number all its digits."""
    if text.isdigit() and text != "0" and text[0] != "0":
        return text
    try:
        found = f"{float(text):.12g}"
    except OverflowError:
        return text
    return text if found in {"inf", "-inf"} else "0" if found == "-0" else found


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
    """Two lists of one walk whose rows are looked for in each other.

    `_untried` says that a search for partners ended before its end: what is left over may only seem to be alone;
    `_certain` that some row is proven to have no partner. All other fields stay as they are made, but for the memory
    of what was tried.
    """

    def __init__(self, walk: Walk, legacy: list[Any], modern: list[Any], place: Place, depth: int) -> None:
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
        """Pair the rows and tell what is left, or what differs within a pair.

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
        """Decide what rows that are left over mean: a difference, or that the search was not at its end."""
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
        """Whether two rows that nearly surely are alike are; then what was forgiven in them is counted with it.

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
        """Whether two rows are alike; the walk is asked once a pair, and only where a glance does not show it."""
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
