"""Finds which elements inside two XML elements are the same ones, where some were put in, taken out or moved.

Elements that are written alike, once on each side, hold both lists together (patience diff, B. Cohen); what stands
between two of them belongs together by number where there are as many, else only one side has it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from lxml import etree

HOSTS: Final = re.compile(r"https?://[^/\"'<>\s]+")
_APART: Final = re.compile(rf"{HOSTS.pattern}|\sxmlns(?::\w+)?=\"[^\"]*\"|(?<=>)\s+|\s+(?=<)")


class Gap(NamedTuple):
    """Elements that stand at one place of both lists: `start` to `stop` of legacy's, `to` to `until` of modern's."""

    start: int
    stop: int
    to: int
    until: int


def gaps(legacy: Any, modern: Any, start: int) -> list[Gap] | None:
    """Return where two lists of elements differ from `start` on; None where that is best told by their numbers alone.

    It is where nothing holds them together, or where as many elements differ when each is held against the one of the
    same number.
    """
    texts, others = _written(legacy[start:]), _written(modern[start:])
    ours, theirs = (list(map(_bare, each)) for each in (texts, others))
    held = _held_together(ours, theirs)
    if not (held or start):
        return None
    found = list(_between(held, len(ours), len(theirs)))
    many = sum(max(each.stop - each.start, each.until - each.to) for each in found)
    # what is the same but for hosts or white space is compared by the rules
    found += [Gap(at, at + 1, to, to + 1) for at, to in held if texts[at] != others[to]]
    found.sort()
    if start:
        found = [Gap(*(at + start for at in gap)) for gap in found]
    by_number = sum(one != two for one, two in zip(ours, theirs, strict=False)) + abs(len(ours) - len(theirs))
    return found if many < by_number or len(ours) != len(theirs) else None


def numbers(element: Any) -> list[str]:
    """Return the number of each element within another, among those of its name, as XPath has it; empty for one."""
    names = [each.tag for each in element]
    many = Counter(names)
    seen: Counter[Any] = Counter()
    found: list[str] = []
    for name in names:
        seen[name] += 1
        found.append(f"[{seen[name]}]" if many[name] > 1 else "")
    return found


def _written(elements: Sequence[Any]) -> list[str]:
    return [etree.tostring(each, encoding="unicode", with_tail=False) for each in elements]


def _bare(text: str) -> Hashable:
    """Return what is left of an element without hosts, namespaces, white space between elements."""
    return hash(_APART.sub("", text))


def _held_together(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the longest run of elements that both have once, in the order of both."""
    here, there = Counter(ours), Counter(theirs)
    at = {key: number for number, key in enumerate(theirs) if there[key] == 1}
    pairs = [(number, at[key]) for number, key in enumerate(ours) if here[key] == 1 and key in at]
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence in which the second numbers rise (Fredman 1975)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, there) in enumerate(pairs):
        length = bisect_left(tails, there)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(there)
            ends.append(index)
        else:
            tails[length], ends[length] = there, index
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _between(held: Sequence[tuple[int, int]], ours: int, theirs: int) -> Iterator[Gap]:
    edges: Final = [(-1, -1), *held, (ours, theirs)]
    for (start, to), (stop, until) in pairwise(edges):
        if stop - start > 1 or until - to > 1:
            yield Gap(start + 1, stop, to + 1, until)
