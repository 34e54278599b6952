"""Rows of a page that legacy has in another order each time: brought into legacy's order before pages are compared.

Else each place in such a list varies, a price with it, and no price may vary. Rows are put where the like of them
stands in legacy's first answer and compared there as strictly as if they had always stood there. Only rows that moved
may stand elsewhere, and what moves as one in legacy's answers (`moved_rows`) stands together in modern's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from comparators.html_tokens import END, START, TEXT, Token
from comparators.html_volatile import blanked
from comparators.moved_rows import Moves, Order, RowGroup, torn

_FEWEST: Final = 2
_WORD: Final = re.compile(r"\w+")
_MOST_TOLD: Final = 20_000
"""Tokens of rows that are told apart by what they hold; rows that are the same are found in any number."""
_MOST_GROUPS: Final = 64

Step = tuple[str, int]


class _Element:
    """An element of a page: its tokens are those from `begin` to `end`, `key` is the same for elements that are.

    `loose` are the texts in it that are in no element of their own.
    """

    __slots__ = ("begin", "children", "end", "key", "loose", "tag")

    def __init__(self, tag: str, begin: int) -> None:
        self.tag = tag
        self.begin = begin
        self.end = begin
        self.children: list[_Element] = []
        self.key = 0
        self.loose: list[str] = []

    def rows(self) -> dict[tuple[str, str], list[_Element]]:
        """Return the elements inside by kind."""
        found: dict[tuple[str, str], list[_Element]] = defaultdict(list)
        for each in self.children:
            found[each.tag, each.children[0].tag if each.children else ""].append(each)
        return found

    def at(self, path: Sequence[Step]) -> _Element | None:
        """Return the element at a path, None for none."""
        found = self
        for tag, number in path:
            like = [each for each in found.children if each.tag == tag]
            if number >= len(like):
                return None
            found = like[number]
        return found


class Page:
    """The tokens of a page as the tree that they are; nothing changes."""

    def __init__(self, tokens: Sequence[Token], *, blanks: bool) -> None:
        """`blanks` leaves out what pages make anew when rows are compared."""
        self.tokens = tokens
        self._blanks = blanks
        self.root = self._read()

    def _read(self) -> _Element:
        root = _Element("", 0)
        opened: list[_Element] = [root]
        keys: list[list[object]] = [[]]
        for at, token in enumerate(self.tokens):
            if token.kind == START:
                made = _Element(token.text, at)
                opened[-1].children.append(made)
                opened.append(made)
                keys.append([self._key(token)])
            elif token.kind == END:
                if len(opened) > 1:
                    _close(opened, keys, at + 1)
            else:
                keys[-1].append(self._key(token))
                opened[-1].loose.append(token.text)
        while len(opened) > 1:
            _close(opened, keys, len(self.tokens))
        root.end = len(self.tokens)
        return root

    def _key(self, token: Token) -> object:
        attributes = token.attributes
        if not attributes:
            return token.kind, token.text
        values = blanked(token.text, attributes) if self._blanks else attributes
        return token.kind, token.text, frozenset(values.items())

    def told_by(self, element: _Element) -> set[object]:
        """Return what an element is told apart by: the words in it, the values of its attributes."""
        found: set[object] = set()
        for token in self.tokens[element.begin : element.end]:
            if token.kind not in {START, END}:
                found.update(_WORD.findall(token.text))
            elif token.attributes:
                found.update(token.attributes.items())
        return found

    def reordered(self, places: dict[int, _Element]) -> list[Token]:
        """Return the tokens with other elements in the places of some, which are known by where they begin."""
        found: list[Token] = []
        begin = 0
        for slot in sorted(_all(self.root, places), key=lambda each: each.begin):
            found.extend(self.tokens[begin : slot.begin])
            found.extend(self._put(places[slot.begin], slot))
            begin = slot.end
        found.extend(self.tokens[begin:])
        return found

    def _put(self, element: _Element, slot: _Element) -> list[Token]:
        """Return an element's tokens; whether a space stands before its text depends on where it stands."""
        found = list(self.tokens[element.begin : element.end])
        first, there = _first_text(found), _first_text(self.tokens[slot.begin : slot.end])
        if first is not None and there is not None:
            found[first] = found[first]._replace(glued=self.tokens[slot.begin + there].glued)
        return found


def _close(opened: list[_Element], keys: list[list[object]], end: int) -> None:
    element, key = opened.pop(), keys.pop()
    element.end, element.key = end, hash(tuple(key))
    keys[-1].append(element.key)


def _first_text(tokens: Sequence[Token]) -> int | None:
    return next((at for at, token in enumerate(tokens) if token.kind == TEXT), None)


def _all(element: _Element, places: dict[int, _Element]) -> Iterator[_Element]:
    """Yield the elements inside that begin in some places; none inside another."""
    waiting = [element]
    while waiting:
        for each in waiting.pop().children:
            if each.begin in places:
                yield each
            else:
                waiting.append(each)


def shuffled(legacy: Page, again: Page) -> dict[RowGroup, Moves]:
    """Return the groups of rows that another answer of legacy's has in another order: the same rows, or nearly."""
    found: dict[RowGroup, Moves] = {}
    told = 0
    waiting: list[tuple[_Element, _Element, tuple[Step, ...]]] = [(legacy.root, again.root, ())]
    while waiting and len(found) < _MOST_GROUPS:
        one, two, path = waiting.pop()
        if one.key == two.key and path:
            continue
        told += one.end - one.begin if len(one.children) > 1 else 0
        moved = _moved(legacy, one, again, two, by_words=told <= _MOST_TOLD)
        found.update({RowGroup(path, kind): moves for kind, moves in moved.items()})
        waiting.extend(_inside(one, two, path, {tag for tag, _ in moved}))
    return found


def _moved(legacy: Page, one: _Element, again: Page, two: _Element, *, by_words: bool) -> dict[tuple[str, str], Moves]:
    """Return the kinds of rows inside two elements that moved, none where they moved each in another way.

    Loose texts that are others might have moved with them.
    """
    if one.loose != two.loose:
        return {}
    others = two.rows()
    found: dict[tuple[str, str], Moves] = {}
    for kind, rows in one.rows().items():
        there = others.get(kind, [])
        if _FEWEST <= len(rows) == len(there) and (moves := _moves(legacy, rows, again, there, by_words=by_words)):
            found[kind] = moves
    return found if len({moves.orders for moves in found.values()}) == 1 else {}


def _inside(
    one: _Element, two: _Element, path: tuple[Step, ...], moved: set[str]
) -> Iterator[tuple[_Element, _Element, tuple[Step, ...]]]:
    """Yield the elements inside two that stand in the same place, where their rows did not move."""
    counts: Counter[str] = Counter()
    for left, right in zip(one.children, two.children, strict=False):
        if left.tag != right.tag:
            return
        step = left.tag, counts[left.tag]
        counts[left.tag] += 1
        if left.key != right.key and left.tag not in moved:
            yield left, right, (*path, step)


def _moves(
    legacy: Page, rows: Sequence[_Element], again: Page, there: Sequence[_Element], *, by_words: bool
) -> Moves | None:
    """Return how rows moved; None where none did, or some row has more apart than in common with what it became."""
    same = Counter(each.key for each in rows) == Counter(each.key for each in there)
    if not same and not by_words:
        return None
    pairs = _paired(legacy, rows, again, there)
    if len(pairs) < len(rows) or not (same or _are_alike(legacy, rows, again, there, pairs)):
        return None
    order = tuple(pairs[at] for at in range(len(rows)))
    if all(at == to for at, to in enumerate(order)):
        return None
    return Moves((order,), same, len({each.key for each in rows}) == len(rows))


def _are_alike(
    legacy: Page, rows: Sequence[_Element], again: Page, there: Sequence[_Element], pairs: Mapping[int, int]
) -> bool:
    """Whether each row has more in common with what it became than apart."""
    for left, right in pairs.items():
        one, two = rows[left], there[right]
        if one.key == two.key:
            continue
        ours, theirs = legacy.told_by(one), again.told_by(two)
        if 2 * len(ours & theirs) <= max(len(ours), len(theirs)):
            return False
    return True


def _paired(legacy: Page, rows: Sequence[_Element], other: Page, there: Sequence[_Element]) -> dict[int, int]:
    """Return which row of another page each of legacy's is: the same one, else the one with the most of its own."""
    by_key: dict[int, list[int]] = defaultdict(list)
    for at in reversed(range(len(there))):
        by_key[there[at].key].append(at)
    found = {at: by_key[row.key].pop() for at, row in enumerate(rows) if by_key[row.key]}
    taken = set(found.values())
    lefts = [at for at in range(len(rows)) if at not in found]
    rights = [at for at in range(len(there)) if at not in taken]
    holders: dict[object, list[int]] = defaultdict(list)
    for at in lefts:
        for each in legacy.told_by(rows[at]):
            holders[each].append(at)
    for right in rights:
        votes = Counter(
            holders[each][0] for each in other.told_by(there[right]) if each in holders and len(holders[each]) == 1
        )
        best = max(votes, key=lambda at: (votes[at], at == right), default=None)
        if best is not None and best not in found:
            found[best] = right
    return found


class _Group(NamedTuple):
    """The rows of a group on another page, and which of legacy's each is."""

    rows: Sequence[_Element]
    pairs: Mapping[int, int]
    wanted: int

    @property
    def order(self) -> Order | None:
        """Where legacy's rows stand; None where some row is none of them."""
        if not len(self.pairs) == len(self.rows) == self.wanted:
            return None
        return tuple(self.pairs[at] for at in range(self.wanted))

    def places(self) -> dict[int, _Element]:
        """Return which row comes to stand where another begins."""
        taken = set(self.pairs.values())
        left = deque(at for at in range(len(self.rows)) if at not in taken)
        if self.wanted == len(self.rows):  # what is like none of legacy's stands where it can only be
            order = [self.pairs[at] if at in self.pairs else left.popleft() for at in range(self.wanted)]
        else:
            order = [self.pairs[at] for at in sorted(self.pairs)]
        return {self.rows[to].begin: self.rows[at] for to, at in enumerate([*order, *left]) if at != to}


def in_order(legacy: Page, other: Page, known: Mapping[RowGroup, Moves], *, is_legacys: bool) -> list[Token] | None:
    """Return the tokens of another page with its rows in legacy's order; None where they stand in it.

    Where they may not stand as they do they stay there, if the other page is not legacy's as well.
    """
    found: dict[RowGroup, _Group] = {}
    for group in known:
        one, two = legacy.root.at(group.path), other.root.at(group.path)
        if one is not None and two is not None:
            rows, there = one.rows().get(group.kind, []), two.rows().get(group.kind, [])
            found[group] = _Group(there, _paired(legacy, rows, other, there), len(rows))
    orders = {group: each.order for group, each in found.items()}
    whole = {group: order for group, order in orders.items() if order is not None}
    stays = set() if is_legacys else torn(known, whole)
    places: dict[int, _Element] = {}
    for group, each in found.items():
        if group not in stays:
            places.update(each.places())
    return other.reordered(places) if places else None
