"""All figures of a run, and the comparisons derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Cost, Memory, Visit

DISTURBED = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """All visits in the order they were made, the memory of each row."""

    visits: tuple[Visit, ...]
    memories: tuple[Memory, ...]

    def rows(self) -> list[str]:
        """Return the names of the rows in the order of their first visit."""
        return list(dict.fromkeys(visit.row for visit in self.visits))

    def costs(self, row: str, size: str) -> list[Cost]:
        """Return the figures of each round of `row` with responses of `size`."""
        return list(self._by_round(row, size).values())

    def complaints(self, row: str) -> list[str]:
        """Return the complaints about the figures of `row`, each once."""
        return list(dict.fromkeys(text for visit in self.visits if visit.row == row for text in visit.complaints))

    def efficiency(self, row: str, peer: str, size: str) -> list[float]:
        """Return, round by round, how many times less processor `row` needs for a request than `peer`.

        Both of a pair are of one round, minutes apart at most, so a drift of the machine affects both.
        """
        if self.complaints(row) or self.complaints(peer):
            return []
        ours, theirs = self._by_round(row, size), self._by_round(peer, size)
        return [theirs[number].whole / ours[number].whole for number in ours if number in theirs]

    def median_efficiency(self, row: str, peer: str, size: str) -> float | None:
        """Return the median of `efficiency`, or None where one of the two is missing."""
        ratios = self.efficiency(row, peer, size)
        return median(ratios) if ratios else None

    def least_efficiency(self, row: str, peer: str, size: str) -> float | None:
        """Return how many times less processor `row` needs than `peer`, each in its best round.

        Other programs only ever add time, so on a shared machine the least is nearest to the truth.
        """
        if self.complaints(row) or self.complaints(peer):
            return None
        ours, theirs = self.costs(row, size), self.costs(peer, size)
        return min(cost.whole for cost in theirs) / min(cost.whole for cost in ours) if ours and theirs else None

    def disturbance(self) -> float:
        """Return the share of a processor's time that other programs took: the median round of the worst row."""
        sizes = {cost.size for visit in self.visits for cost in visit.costs}
        each = (self.costs(row, size) for row in self.rows() for size in sizes)
        return max((median(cost.disturbed for cost in costs) for costs in each if costs), default=0.0)

    def is_disturbed(self) -> bool:
        """Whether other programs took so much that nothing can be concluded."""
        return self.disturbance() > DISTURBED

    def memory(self, row: str) -> Memory | None:
        """Return the memory of `row` where it was measured."""
        return next((memory for memory in self.memories if memory.row == row), None)

    def _by_round(self, row: str, size: str) -> dict[int, Cost]:
        visits: Sequence[Visit] = [visit for visit in self.visits if visit.row == row]
        return {visit.round: cost for visit in visits for cost in visit.costs if cost.size == size}
