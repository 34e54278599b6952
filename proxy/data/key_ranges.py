"""How a table is taken apart: chunks of rows by key, groups of a chunk by checksum, and which groups differ. Pure.

A numbered key is cut into ranges, so that every query stays on its index. Any other key (text, UUID, several columns)
has no order that two databases agree on: ranges of its checksum are taken in their place. Such a query looks at every
row's key, and adds up those of its range alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

ROWS_PER_GROUP = 256
"""Rows that are fetched because one of them differs. Smaller groups cost more checksums over the wire."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Numbered keys from `first` to `last`, both included."""

    first: int
    last: int

    def width(self, groups: int) -> int:
        """Return how many keys fall into one of about `groups` groups."""
        return max(-(-(self.last - self.first + 1) // max(groups, 1)), 1)

    def parts(self, width: int) -> list[KeyRange]:
        """Return it cut into ranges of `width` keys."""
        return [KeyRange(first, min(first + width - 1, self.last)) for first in range(self.first, self.last + 1, width)]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A group's number of rows and the sum of their checksums, or their common digest."""

    rows: int
    total: int


Groups = Mapping[int, Checksum]


def differing(legacy: Groups, modern: Groups) -> list[int]:
    """Return the numbers of the groups that do not hold the same rows, in order."""
    return sorted(group for group in legacy.keys() | modern.keys() if legacy.get(group) != modern.get(group))


def group_ranges(chunk: KeyRange, width: int, groups: Iterable[int]) -> Iterator[KeyRange]:
    """Yield the key ranges of these groups, neighbours joined."""
    start = end = None
    for group in groups:
        if start is not None and end is not None and group == end + 1:
            end = group
            continue
        if start is not None and end is not None:
            yield _range(chunk, width, start, end)
        start = end = group
    if start is not None and end is not None:
        yield _range(chunk, width, start, end)


def _range(chunk: KeyRange, width: int, start: int, end: int) -> KeyRange:
    first = chunk.first + start * width
    return KeyRange(first, min(first + (end - start + 1) * width - 1, chunk.last))


def rows_in(groups: Groups) -> int:
    """Return how many rows these groups hold."""
    return sum(one.rows for one in groups.values())
