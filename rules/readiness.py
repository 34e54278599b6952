"""Tells what is known of a route before more users are given to it, and what is not.

Finding no difference in n pairs shows that at most about 3/n of all differ, no more: the bound is what counts, not
the rate that was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, log
from typing import Final

from rules.chances import greatest_share
from rules.pairs import ComparedTally

DOUBT: Final = 0.05
"""The chance that the truth is above the bound."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was compared since the route's window was restarted.

    `upper_bound` is the share of differing answers that the truth is below, at 95 %. `coverage` is compared of
    eligible. `open_groups` counts kinds of difference that nobody has declared known. `never_compared` names kinds
    of request that users send, of which no pair was compared. `wanting` says in words what keeps it from `ready`.
    """

    ready: bool
    compared: int
    different: int
    upper_bound: float
    coverage: float
    open_groups: int = 0
    never_compared: tuple[str, ...] = ()
    wanting: tuple[str, ...] = ()
    eligible: int = 0


def readiness(
    seen: ComparedTally,
    limit: float,
    *,
    open_groups: int = 0,
    never_compared: Iterable[str] = (),
) -> Readiness:
    """Return how ready a mirrored route is whose answers may differ in a share of `limit`.

    Open groups, kinds that were never compared are told, but do not hold a route back: the bound does.
    """
    upper = greatest_share(seen.different, seen.compared, DOUBT)
    wanting = tuple(_wanting(seen, upper, limit))
    return Readiness(
        ready=not wanting,
        compared=seen.compared,
        different=seen.different,
        upper_bound=upper,
        coverage=seen.coverage,
        open_groups=open_groups,
        never_compared=tuple(sorted(never_compared)),
        wanting=wanting,
        eligible=seen.eligible,
    )


def pairs_needed(limit: float) -> int:
    """Return how many pairs without a difference show that at most `limit` (0…1) differ; 0 if none could."""
    return ceil(log(DOUBT) / log(1.0 - limit)) if 0.0 < limit < 1.0 else 0


def _wanting(seen: ComparedTally, upper: float, limit: float) -> Iterable[str]:
    if not seen.compared:
        yield "nothing has been compared"
    elif upper > limit:
        told = f"{seen.different} of {seen.compared} differ: up to {upper:.2%} may, {limit:.2%} are allowed"
        yield told if seen.different else f"{told} (shown by {pairs_needed(limit)} pairs without a difference)"
