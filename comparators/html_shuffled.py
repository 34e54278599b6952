"""Rows of a page that legacy has in another order each time: brought into legacy's order before pages are compared.

Else each place in such a list varies, a price with it, and no price may vary. Rows are put where the like of them
stands in legacy's first answer and compared there as strictly as if they had always stood there: a row that is lost,
there twice, or mixed up with another stays a difference.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from comparators.html_tokens import END, START, TEXT, Token
from comparators.html_volatile import blanked
from comparators.moved_texts import RowGroup

_FEWEST: Final = 2
_SURE: Final = 4
"""Of so few rows another choice of many may be the same ones by chance."""
_WORD: Final = re.compile(r"\w+")
_MOST_TOLD: Final = 20_000
"""Tokens of rows that are told apart by what they hold; rows that are the same are found in any number."""
_MOST_GROUPS: Final = 64

Step = tuple[str, int]


class _Element:
    """An element of a page: its tokens are those from `begin` to `end`, `key` is the same for elements that are."""

    __slots__ = ("begin", "children", "end", "key", "tag")

    def __init__(self, tag: str, begin: int) -> None:
        self.tag = tag
        self.begin = begin
        self.end = begin
        self.children: list[_Element] = []
        self.key = 0

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
            found.extend(self._moved(places[slot.begin], slot))
            begin = slot.end
        found.extend(self.tokens[begin:])
        return found

    def _moved(self, element: _Element, slot: _Element) -> list[Token]:
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


def shuffled(legacy: Page, again: Page) -> dict[RowGroup, bool]:
    """Return the groups of rows that two answers of legacy have in another order: the same rows, or nearly.

    With each goes whether its rows are enough to be sure that there are no others.
    """
    found: dict[RowGroup, bool] = {}
    told = 0
    waiting: list[tuple[_Element, _Element, tuple[Step, ...]]] = [(legacy.root, again.root, ())]
    while waiting and len(found) < _MOST_GROUPS:
        one, two, path = waiting.pop()
        if one.key == two.key and path:
            continue
        moved: set[tuple[str, str]] = set()
        others = two.rows()
        for kind, rows in one.rows().items():
            there = others.get(kind, [])
            if not _FEWEST <= len(rows) == len(there):
                continue
            told += rows[-1].end - rows[0].begin
            if count := _moved(legacy, rows, again, there, by_words=told <= _MOST_TOLD):
                moved.add(kind)
                found[RowGroup(path, kind)] = count >= _SURE
        waiting.extend(_inside(one, two, path, moved))
    return found


def _inside(
    one: _Element, two: _Element, path: tuple[Step, ...], moved: set[tuple[str, str]]
) -> Iterator[tuple[_Element, _Element, tuple[Step, ...]]]:
    """Yield the elements inside two that stand in the same place, where their rows did not move."""
    tags = {tag for tag, _ in moved}
    counts: Counter[str] = Counter()
    for left, right in zip(one.children, two.children, strict=False):
        if left.tag != right.tag:
            return
        step = left.tag, counts[left.tag]
        counts[left.tag] += 1
        if left.key != right.key and left.tag not in tags:
            yield left, right, (*path, step)


def _moved(legacy: Page, rows: Sequence[_Element], again: Page, there: Sequence[_Element], *, by_words: bool) -> int:
    """Return how many rows stand elsewhere; none where some row has more apart than in common with what it became."""
    if Counter(each.key for each in rows) == Counter(each.key for each in there):
        return sum(left.key != right.key for left, right in zip(rows, there, strict=True))
    if not by_words:
        return 0
    pairs = _paired(legacy, rows, again, there)
    if len(pairs) < len(rows):
        return 0
    for left, right in pairs.items():
        one, two = rows[left], there[right]
        if one.key == two.key:
            continue
        ours, theirs = legacy.told_by(one), again.told_by(two)
        if 2 * len(ours & theirs) <= max(len(ours), len(theirs)):
            return 0
    return sum(left != right for left, right in pairs.items())


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


def in_order(legacy: Page, other: Page, groups: Iterable[RowGroup]) -> list[Token] | None:
    """Return the tokens of another page with its rows in legacy's order; None where they stand in it."""
    places: dict[int, _Element] = {}
    for path, kind in groups:
        one, two = legacy.root.at(path), other.root.at(path)
        if one is None or two is None:
            continue
        rows, there = one.rows().get(kind, []), two.rows().get(kind, [])
        pairs = _paired(legacy, rows, other, there)
        left = [at for at in range(len(there)) if at not in set(pairs.values())]
        order = [pairs[at] for at in sorted(pairs)]
        if len(rows) == len(there):  # what is like none of legacy's stands where it can only be
            order = [pairs[at] if at in pairs else left.pop(0) for at in range(len(rows))]
        order += left
        places.update({there[to].begin: there[at] for to, at in enumerate(order) if at != to})
    return other.reordered(places) if places else None
