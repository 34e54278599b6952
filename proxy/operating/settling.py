"""Works out what is right when two have changed the same route without knowing of each other.

Whoever was cut off may have sent users back meanwhile, never forward: so the more cautious of both is right, whatever
came first. A rollback is undone by a resume alone, and that is always written on top of the rollback it lifts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from rules.model import Override, Route
from rules.routing.compiled_route import effective_weight


@dataclass(frozen=True, slots=True)
class Agreement:
    """What to do so that an instance agrees with the store: put `adopt` into effect, write `untold`."""

    adopt: tuple[Override, ...]
    untold: tuple[Override, ...]


def settled(route: Route | None, ours: Override, theirs: Override) -> Override:
    """Return which of two overrides is right; `theirs` itself where there is nothing to add to it.

    In this order: rolled back, fewer users on modern, held, what is in the store. A hold on either side stays.
    """
    if route is None or theirs.rolled_back:
        return theirs
    if ours.rolled_back:
        return ours
    our_share, their_share = effective_weight(route, ours), effective_weight(route, theirs)
    winner = ours if our_share < their_share else theirs
    if winner.held or not (ours.held or theirs.held):
        return winner
    return replace(winner, held=True, at_most=min(our_share, their_share))


def agreement(
    routes: Mapping[str, Route],
    ours: Mapping[str, Override],
    kept: Mapping[str, Override],
    unwritten: Collection[str],
    doubted: Collection[str] = (),
) -> Agreement:
    """Return what an instance that runs `ours` does about a store that has `kept`.

    Routes that are `unwritten` are settled when they are written. Of `doubted` ones the store has lost what it knew: a
    higher revision there was perhaps made by somebody who did not know of ours.
    """
    adopt: list[Override] = []
    untold: list[Override] = []
    for name in sorted((ours.keys() | kept.keys()) - set(unwritten)):
        here, there = ours.get(name), kept.get(name)
        if here is None or there is None:
            adopt += [there] if there is not None else []
            untold += [here] if here is not None else []
        elif here.revision > there.revision:
            untold.append(here)
        elif here != there:
            unsure = name in doubted or here.revision == there.revision
            right = settled(routes.get(name), here, there) if unsure else there
            (adopt if right is there else untold).append(right)
    return Agreement(tuple(adopt), tuple(untold))


def afresh(before: Override | None, after: Override) -> bool:
    """Whether what was seen under `before` says nothing about `after`: it was lifted, or users were sent back."""
    if before is None:
        return after.rolled_back
    if before.rolled_back != after.rolled_back:
        return True
    return (after.step or 0) < (before.step or 0)
