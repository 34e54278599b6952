"""What rows of unordered lists need of the walk that came upon them, and the few rows that need no search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NoReturn

from comparators.context import Context, Differs, Full
from comparators.paths import Place, Trail
from comparators.row_keys import Likely

FEW = 16


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
    if len(legacy) != len(modern) or len(modern) > FEW or not walk.likely.has_keys(legacy, modern):
        return False
    if pair in walk.failed:
        return False
    ours = walk.likely.rows(legacy, place, modern=False)
    theirs = {key: right for right, key in enumerate(walk.likely.rows(modern, place, modern=True))}
    if len(theirs) != len(modern) or len(set(ours)) != len(ours) or not all(key in theirs for key in ours):
        return False
    before = walk.context.mark()
    pairs = [theirs[key] for key in ours]
    if _are_alike(walk, legacy, modern, pairs, trail, place, depth):
        if pairs != sorted(pairs):
            walk.context.forgive("unordered")
        return True
    walk.context.go_back(before)
    walk.failed[pair] = legacy, modern
    return False


def _are_alike(
    walk: RowWalk, legacy: list[Any], modern: list[Any], pairs: list[int], trail: Trail, place: Place, depth: int
) -> bool:
    """Compare rows until a difference; `pairs` are modern's for each of legacy's."""
    inner = place if place.bare else place.step(0) if place.is_uniform else None
    before = walk.context.differences
    try:
        for row, right in zip(legacy, pairs, strict=True):
            walk.values(row, modern[right], (trail, right), inner or place.step(right), depth + 1)
            if walk.context.differences > before:
                return False
    except (Differs, Full):
        return False
    return True
