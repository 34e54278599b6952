"""Pure: what an override becomes by an action, or by a conflict.

Nothing is done here: each function returns the next override, to be applied by `route_actions`. `before` is what is
set now (None: nothing), `now` epoch seconds. Revisions are assigned where the change is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from time import time

from proxy.control.errors import RefusedError
from proxy.storage import kept_overrides
from proxy.storage.store import StoreError
from rules.model import Override, Route, Snapshot
from rules.routing.compiled_route import effective_weight

# Decides the overrides at the start of the proxy: those of an earlier run, or no users on modern.
#
# A store that cannot be read may hold a rollback. Until it answers every route is on legacy: there users were
# sent for a reason, or were from the beginning.


UNKNOWN = "store"
"""The reason of an override that only waits for the store."""


def begun_with(store: str, base: Path, snapshot: Snapshot, complain: Callable[[str], None]) -> tuple[Override, ...]:
    """Return the overrides that the first generation has."""
    try:
        return kept_overrides(store, base)
    except StoreError as error:
        complain(f"{store} cannot be read: {error}; everybody is on legacy until it can")
        return tuple(cautious(snapshot))


def cautious(snapshot: Snapshot) -> Iterator[Override]:
    """Yield overrides that keep every route on legacy, with revisions below any in a store."""
    now = time()
    for route in snapshot.routes:
        if route.rollout.weight or route.rollout.steps or route.rollout.include:
            yield Override(route.name, rolled_back=True, reason=UNKNOWN, who="start", at=now)


def reconciled(
    running: Iterable[Override], kept: Iterable[Override]
) -> tuple[list[Override], list[Override], list[str]]:
    """Return newer overrides of the store, those it must still get, and the routes without any.

    Of each route the higher revision counts: a control process that crashed may have acted without writing.
    """
    ours, theirs = {one.route: one for one in running}, {one.route: one for one in kept}
    newer = [one for name, one in theirs.items() if name not in ours or one.revision > ours[name].revision]
    untold = [
        one
        for name, one in ours.items()
        if one.reason != UNKNOWN and (name not in theirs or one.revision > theirs[name].revision)
    ]
    forgotten = [name for name, one in ours.items() if one.reason == UNKNOWN and name not in theirs]
    return newer, untold, forgotten


_ALL = 100.0
_DECIMALS = 2


def weighted(route: Route, before: Override | None, percent: float, now: float) -> Override:
    """Return what `weight ROUTE PERCENT` makes; 409 on a route that is rolled back, 422 for an invalid weight."""
    if problem := wrong_weight(percent):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"weight {problem}")
    there, weight = _not_rolled_back(route, before), float(percent)
    at_most = weight if there.held else None
    return replace(there, weight=weight, at_most=at_most, at=now, rollbacks=0, hold_off_until=0.0)


def advanced(route: Route, before: Override | None, now: float) -> Override:
    """Return what entering the next step makes; 409 without a further step, on a route that is held or rolled back."""
    there = _not_rolled_back(route, before)
    if there.held:
        raise _conflict(route, "is held: resume it first")
    steps = route.rollout.steps
    if not steps:
        raise _conflict(route, "has no steps: set its weight")
    step = (there.step or 0) + 1
    if step > len(steps):
        raise _conflict(route, "is at its last step")
    return replace(there, weight=None, step=step, at=now, step_since=now)


def held(route: Route, before: Override | None, now: float) -> Override:
    """Return what `hold` makes: neither time nor the file advances it any more; 409 on a rolled-back route."""
    there = _not_rolled_back(route, before)
    return replace(there, held=True, at_most=effective_weight(route, before), at=now)


def resumed(route: Route, before: Override | None, now: float) -> Override:
    """Return what `resume` makes; 409 where there is nothing to resume.

    A rolled-back route returns to the file's weight, or to step 1. A held one returns to the file's weight, or to that
    of its present step. A route that is neither loses the weight that was set at run time.
    """
    if before is not None and before.rolled_back:
        step = 1 if route.rollout.steps else None
        later = before.hold_off_until if before.hold_off_until > now else 0.0
        return Override(route.name, step=step, at=now, step_since=now, hold_off_until=later, rollbacks=before.rollbacks)
    if before is not None and before.held:
        return replace(before, held=False, at_most=None, weight=None, at=now, step_since=now)
    if before is not None and before.weight is not None:
        return replace(before, weight=None, at=now, step_since=now)
    raise _conflict(route, "is neither held nor rolled back, nor was its weight set at run time")


def rolled_back(route: Route, before: Override | None, now: float, *, hold_off: float = 0.0) -> Override:
    """Return what sends all users to legacy until a resume; a route that is rolled back already stays unchanged.

    A route that only waits for the store is not rolled back: that would be lifted as soon as the store answers.
    """
    if before is not None and before.rolled_back and before.reason != UNKNOWN:
        return before
    there = before or Override(route.name)
    return replace(
        there,
        weight=None,
        rolled_back=True,
        held=False,
        at_most=None,
        at=now,
        rollbacks=there.rollbacks + 1,
        hold_off_until=now + hold_off if hold_off else there.hold_off_until,
    )


def stepped_back(
    route: Route,
    before: Override | None,
    now: float,
    *,
    weight: float | None = None,
    step: int | None = None,
    hold_off: float = 0.0,
) -> Override:
    """Return what going one step down makes: to `step`, or where there are none to `weight`."""
    there = _not_rolled_back(route, before)
    later = now + hold_off if hold_off else there.hold_off_until
    if route.rollout.steps:
        return replace(there, weight=None, step=step or 0, at=now, step_since=now, hold_off_until=later)
    return replace(there, weight=weight or 0.0, at=now, step_since=now, hold_off_until=later)


def wrong_weight(percent: float) -> str | None:
    """Return what is wrong with a weight in percent, if anything."""
    if not 0 <= percent <= _ALL:  # NaN is not between them either
        return "must be between 0 and 100"
    if round(percent, _DECIMALS) != percent:
        return "must have at most two decimals"
    return None


def _not_rolled_back(route: Route, before: Override | None) -> Override:
    """Return `before` without reason and text: each change has its own."""
    if before is None:
        return Override(route.name)
    if before.rolled_back:
        raise _conflict(route, "is rolled back: resume it first")
    return replace(before, reason="", who="", text="", evidence="")


def _conflict(route: Route, why: str) -> RefusedError:
    return RefusedError(HTTPStatus.CONFLICT, f"{route.name} {why}")


# Resolves conflicts of two independent changes of the same route.
#
# An instance that was cut off may have sent users back meanwhile, never forward: so the more cautious of both wins,
# whichever came first. Only a resume lifts a rollback, and it is always written on top of that rollback.


@dataclass(frozen=True, slots=True)
class Agreement:
    """What to do so that an instance agrees with the store: apply `adopt`, write `untold`."""

    adopt: tuple[Override, ...]
    untold: tuple[Override, ...]


def settled(route: Route | None, ours: Override, theirs: Override) -> Override:
    """Return which of two overrides wins; `theirs` itself where there is nothing to add to it.

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
    higher revision there may come from an instance that did not know ours.
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
    """Whether evidence under `before` does not count for `after`: it was lifted, or users were sent back."""
    if before is None:
        return after.rolled_back
    if before.rolled_back != after.rolled_back:
        return True
    return (after.step or 0) < (before.step or 0)
