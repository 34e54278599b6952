"""What the guard asks of whoever compares answers; its place is held where nobody does."""

from __future__ import annotations

from typing import Protocol

from rules.guard.evidence import Violation
from rules.guard.window import ComparedTally


class Judged(Protocol):
    """The results of comparing, by route."""

    def counts(self, route: str) -> ComparedTally:
        """Return what became of mirrored requests within the guard's window."""

    def totals(self, route: str) -> ComparedTally:
        """Return the same since the start."""

    def open_groups(self, route: str) -> int:
        """Return how many groups of differences nobody has explained."""

    def never_compared(self, route: str) -> frozenset[str]:
        """Return which kinds of request users send of which no pair was compared."""

    def violations(self, route: str) -> tuple[Violation, ...]:
        """Return which invariants were broken within the guard's window."""

    def restart(self, route: str, generation: int) -> None:
        """Forget the window: what was decided before `generation` does not count any more."""


class NothingJudged:
    """Nobody compares: there is nothing to tell."""

    def counts(self, _route: str) -> ComparedTally:
        """Return nothing."""
        return ComparedTally()

    def totals(self, _route: str) -> ComparedTally:
        """Return nothing."""
        return ComparedTally()

    def open_groups(self, _route: str) -> int:
        """Return none."""
        return 0

    def never_compared(self, _route: str) -> frozenset[str]:
        """Return none."""
        return frozenset()

    def violations(self, _route: str) -> tuple[Violation, ...]:
        """Return nothing."""
        return ()

    def restart(self, _route: str, _generation: int) -> None:
        """There is nothing to forget."""


def since(now: ComparedTally, mark: ComparedTally) -> ComparedTally:
    """Return what was added to a tally since it was `mark`."""
    return ComparedTally(
        now.equal - mark.equal,
        now.different - mark.different,
        now.noise - mark.noise,
        now.transient - mark.transient,
        {reason: count - mark.not_compared.get(reason, 0) for reason, count in now.not_compared.items()},
        now.eligible - mark.eligible,
    )
