"""What legacy's answers show of rows that they have in another order each time: which move, and which move as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

_EVIDENCE: Final = 4
"""So many rows of all of legacy's answers have to have moved: of fewer another choice may be the same by chance."""
_BLOCKS: Final = (2, 3)

Order = tuple[int, ...]
"""Where each row of legacy's first answer stands among those of another."""


class RowGroup(NamedTuple):
    """The rows of one kind in one element of a page.

    `path` are the elements around them, each with its number among its like; `kind` is their tag and that of the first
    element in them.
    """

    path: tuple[tuple[str, int], ...]
    kind: tuple[str, str]


class Moves(NamedTuple):
    """The orders in which legacy's further answers had a group; `same` says that they were the same rows each time.

    `distinct` says that no two rows of a group are the same: else their order is a guess.
    """

    orders: tuple[Order, ...]
    same: bool
    distinct: bool

    def and_then(self, other: Moves) -> Moves:
        """Return what two answers show together, the first alone where they have not as many rows."""
        if len(other.orders[0]) != len(self.orders[0]):
            return self
        return Moves(self.orders + other.orders, self.same and other.same, self.distinct and other.distinct)

    @property
    def is_sure(self) -> bool:
        """Whether a group is always of the same rows."""
        return self.same and sum(at != to for order in self.orders for at, to in enumerate(order)) >= _EVIDENCE

    @property
    def free(self) -> frozenset[int]:
        """The rows that may stand elsewhere: those that did, all of them where most did."""
        size = len(self.orders[0])
        moved = {at for order in self.orders for at, to in enumerate(order) if at != to}
        return frozenset(range(size) if 2 * len(moved) > size else moved)

    def allows(self, order: Order) -> bool:
        """Whether rows may stand in an order: those that never moved where they are, what moves as one together."""
        free = self.free
        if any(at != to for at, to in enumerate(order) if at not in free):
            return False
        return all(
            _is_in_blocks(order, size) for size in _BLOCKS if all(_is_in_blocks(each, size) for each in self.orders)
        )


def _is_in_blocks(order: Order, size: int) -> bool:
    """Whether each so many rows follow each other as they do in legacy's first answer: one record in several rows."""
    return len(order) % size == 0 and all(
        order[at + 1] == order[at] + 1 for at in range(len(order) - 1) if (at + 1) % size
    )


def torn(moves: Mapping[RowGroup, Moves], orders: Mapping[RowGroup, Order]) -> set[RowGroup]:
    """Return the groups that may not stand in an order of modern's, by themselves or with those that move alike.

    A name in one element and its price in the next, a head and its column: what has one order in each of legacy's
    answers has one in modern's.
    """
    found = {group for group, order in orders.items() if not moves[group].allows(order)}
    alike: dict[tuple[Order, ...], list[RowGroup]] = {}
    for group in orders:
        if moves[group].distinct:
            alike.setdefault(moves[group].orders, []).append(group)
    for groups in alike.values():
        if len({orders[group] for group in groups}) > 1:
            found.update(groups)
    return found
