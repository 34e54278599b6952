"""What rows of unordered lists need of the walk that came upon them, and the few rows that need no search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, Final, NoReturn

from comparators.context import Context, Differs, Full
from comparators.paths import Place, Trail
from comparators.row_keys import Likely

FEW: Final = 16


class RowWalk(ABC):
    """What rows need of the walk that came upon them: `json_compare.Walk` is one."""

    context: Context
    failed: dict[tuple[int, int], tuple[Any, Any]]
    """Rows, and lists of a few, that were walked in vain, by identity: else each level would walk what is below again.

    They are kept, or others could come to stand where they stood."""

    @abstractmethod
    def values(self, legacy: Any, modern: Any, trail: Trail, place: Place, depth: int) -> None:
        """Compare two values at one place."""

    @abstractmethod
    def added(self, modern: Any, trail: Trail, place: Place) -> None:
        """Judge a member that modern has alone."""

    @abstractmethod
    def removed(self, legacy: Any, trail: Trail, place: Place) -> None:
        """Judge a member that legacy has alone."""

    @abstractmethod
    def lost(self, legacy: Any, trail: Trail) -> None:
        """Report a row that modern does not have."""

    @abstractmethod
    def gained(self, modern: Any, trail: Trail) -> None:
        """Report a row that legacy does not have."""

    @abstractmethod
    def alike(self, legacy: Any, modern: Any, place: Place, depth: int) -> bool:
        """Whether two values would lead to no difference."""

    @abstractmethod
    def apart(self, legacy: Any, modern: Any, place: Place, depth: int) -> int:
        """Return how many differences two values would lead to."""

    @abstractmethod
    def excuses(self, legacy: Any, modern: Any, trail: Trail, place: Place) -> bool:
        """Whether two values that are not the same, nor two objects or two lists, are excused; counts that."""

    @abstractmethod
    def excused_in(self, legacy: Any, modern: Any, place: Place, depth: int) -> dict[str, int]:
        """Return what would be excused between two values."""

    @property
    @abstractmethod
    def likely(self) -> Likely:
        """The keys of rows."""

    @abstractmethod
    def fail(self) -> None:
        """End a trial: there is a difference."""

    @abstractmethod
    def give_up(self) -> NoReturn:
        """Report that a search has not come to its end."""


def are_paired(walk: RowWalk, legacy: list[Any], modern: list[Any], trail: Trail, place: Place, depth: int) -> bool:
    """Whether the rows are alike in pairs by their keys, counted as such; else nothing is counted nor reported.

    Only for lists that stand in another whose rows have keys: those hold the keys of these.
    """
    pair = id(legacy), id(modern)
    if len(legacy) != len(modern) or len(modern) > FEW or pair in walk.failed:
        return False
    ours, theirs = walk.likely.known(legacy, modern=False), walk.likely.known(modern, modern=True)
    if ours is None or theirs is None or (pairs := _same_keys(ours, theirs)) is None:
        return False
    before = walk.context.mark()
    if _are_alike(walk, legacy, modern, pairs, trail, place, depth):
        if not _are_in_order(pairs):
            walk.context.forgive("unordered")
        return True
    walk.context.go_back(before)
    walk.failed[pair] = legacy, modern
    return False


def _same_keys(ours: list[Hashable], theirs: list[Hashable]) -> list[int] | None:
    """Return where in the second list each key of the first is; None where they are not the same, each there once."""
    places = {key: right for right, key in enumerate(theirs)}
    if len(places) != len(theirs):
        return None
    pairs: list[int] = []
    for key in ours:
        right = places.get(key)
        if right is None or right in pairs:
            return None
        pairs.append(right)
    return pairs


def _are_in_order(pairs: list[int]) -> bool:
    """Whether each row stands where it stood."""
    for left, right in enumerate(pairs):  # noqa: SIM110 - compiled a generator costs more than the rest
        if left != right:
            return False
    return True


def _are_alike(
    walk: RowWalk, legacy: list[Any], modern: list[Any], pairs: list[int], trail: Trail, place: Place, depth: int
) -> bool:
    """Compare rows until a difference; `pairs` are modern's for each of legacy's."""
    inner = place if place.bare else place.step(0) if place.is_uniform else None
    before = walk.context.differences
    try:
        for left, right in enumerate(pairs):
            walk.values(legacy[left], modern[right], (trail, right), inner or place.step(right), depth + 1)
            if walk.context.differences > before:
                return False
    except (Differs, Full):
        return False
    return True
