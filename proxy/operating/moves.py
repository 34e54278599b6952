"""Works out what an override becomes when somebody asks for a change, or why it may not.

Nothing is done here: each function returns the next override, to be put into effect by `verbs`. `before` is what is
set now (None: nothing), `now` epoch seconds. Revisions are given where the change is made.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from proxy.operating.api.wishes import RefusedError
from proxy.operating.beginning import UNKNOWN
from rules.model import Override, Route
from rules.routing.compiled_route import effective_weight

_ALL = 100.0
_DECIMALS = 2


def weighted(route: Route, before: Override | None, percent: float, now: float) -> Override:
    """Return what `weight ROUTE PERCENT` makes; 409 on a route that is rolled back, 422 for what is no weight."""
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
    """Return what `hold` makes: neither time nor the file moves it forwards any more; 409 on a rolled-back route."""
    there = _not_rolled_back(route, before)
    return replace(there, held=True, at_most=effective_weight(route, before), at=now)


def resumed(route: Route, before: Override | None, now: float) -> Override:
    """Return what `resume` makes; 409 where there is nothing to resume.

    A rolled-back route returns to the file's weight, or to step 1. A held one goes on where it was held, at what the
    file says by now. What is neither loses the weight that was set at run time.
    """
    if before is not None and before.rolled_back:
        step = 1 if route.rollout.steps else None
        later = before.hold_off_until if before.hold_off_until > now else 0.0
        return Override(route.name, step=step, at=now, step_since=now, hold_off_until=later, rollbacks=before.rollbacks)
    if before is not None and before.held:
        return replace(before, held=False, at_most=None, at=now, step_since=now)
    if before is not None and before.weight is not None:
        return replace(before, weight=None, at=now, step_since=now)
    raise _conflict(route, "is neither held nor rolled back, nor was its weight set at run time")


def rolled_back(route: Route, before: Override | None, now: float, *, hold_off: float = 0.0) -> Override:
    """Return what sends everyone to legacy until a resume; what is rolled back already stays as it is.

    What only waits for the store is not rolled back yet: it would be lifted as soon as the store answers.
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
    """Return `before` without its words: whoever changes it says why anew."""
    if before is None:
        return Override(route.name)
    if before.rolled_back:
        raise _conflict(route, "is rolled back: resume it first")
    return replace(before, reason="", who="", text="", evidence="")


def _conflict(route: Route, why: str) -> RefusedError:
    return RefusedError(HTTPStatus.CONFLICT, f"{route.name} {why}")
