"""The life of a route: what may happen to its weight now, given what the judge says.

Safety first, then patience: a bad verdict is acted on whatever else is so; a step is taken only when nothing speaks
against it. Everything that must outlive a restart is in the `Override`: the step, since when, how often modern was
sent back. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from rules.lane import effective_weight
from rules.model import GuardPolicy, Override, Route, Step
from rules.readiness import Readiness
from rules.verdict import BAD, CANNOT_TELL, TOO_LITTLE, Verdict

FIRST_HOLD_OFF: Final = 300.0
"""Seconds in which no step is taken after the first time modern was sent back; each further time doubles them."""
LONGEST_HOLD_OFF: Final = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Volume:
    """Answers of modern, compared pairs since the present step was entered."""

    requests: int = 0
    compared: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """What to do with a route.

    `kind` is stay, advance, step_back, roll_back, hold (no progress; with `latch` until a person resumes) or ask (a
    person must approve the next step). `weight` is the percent afterwards, `step` its number from 1, 0 before the
    first. `reason` is one word: of a verdict, or why a route stays. `hold_off` seconds are to pass before a step is
    taken. `fresh` asks for an empty window, because the present one holds what was acted on.
    """

    kind: str
    weight: float
    step: int
    reason: str
    detail: str = ""
    latch: bool = False
    hold_off: float = 0.0
    fresh: bool = False


class _Seen(NamedTuple):
    verdict: Verdict | None
    readiness: Readiness | None
    volume: Volume

    def told(self) -> str:
        told = f"{self.volume.requests} requests on modern in this step"
        if self.readiness is None or not self.readiness.compared:
            return told
        return f"{told}; {self.readiness.compared} pairs compared, at most {self.readiness.upper_bound:.2%} differ"


def hold_off(times: int) -> float:
    """Return the seconds in which no step is taken after modern was sent back `times` times."""
    return min(LONGEST_HOLD_OFF, FIRST_HOLD_OFF * 2.0 ** min(max(0, times - 1), 32))


def step_of(route: Route, override: Override | None) -> int:
    """Return the step a route is on, from 1; 0 before the first, without steps, with a weight set by hand."""
    if override is None or override.weight is not None or override.step is None:
        return 0
    return min(override.step, len(route.rollout.steps))


def concerns(route: Route, override: Override | None) -> bool:
    """Whether there is anything to judge: users on modern, a mirror, a step that only has to take its time."""
    return (
        _has_users(route, effective_weight(route, override)) or route.shadow.sample > 0 or step_of(route, override) > 0
    )


def next_move(
    route: Route,
    override: Override | None,
    verdict: Verdict | None,
    readiness: Readiness | None,
    now: float,
    volume: Volume | None = None,
) -> Move:
    """Return what should happen to `route` now.

    `verdict` is None with `guard: none`, `readiness` None where nothing is mirrored.

    1. rolled back: only a person lifts that
    2. a bad verdict: roll back, step back, hold or report, as the policy has it
    3. held, or nobody can tell: no progress
    4. on a step: bake, see enough, be ready, be approved, then advance
    """
    step, weight = step_of(route, override), effective_weight(route, override)
    if override is not None and override.rolled_back:
        return Move("stay", 0.0, step, "rolled_back")
    if verdict is not None and verdict.outcome == BAD and route.guard is not None:
        return _breach(route, override, verdict, route.guard)
    if override is not None and override.held:
        return Move("stay", weight, step, "held")
    if verdict is not None and verdict.outcome == CANNOT_TELL:
        return Move("hold", weight, step, verdict.reason, verdict.detail)
    if override is None or not 0 < step < len(route.rollout.steps):
        return Move("stay", weight, step, _resting(route, override, step))
    return _progress(route, override, _Seen(verdict, readiness, volume or Volume()), now)


def _progress(route: Route, override: Override, seen: _Seen, now: float) -> Move:
    """Return the next step, or what the present one still wants."""
    step = step_of(route, override)
    present, following = route.rollout.steps[step - 1 : step + 1]
    for reason, detail in _wanting(route, override, present, seen, now):
        return Move("stay", present.weight, step, reason, detail)
    if present.manual:
        detail = f"step {step + 1} ({following.weight:g} %) waits for a person"
        return Move("ask", present.weight, step, "approval", detail)
    return Move("advance", following.weight, step + 1, "good", seen.told())


def _resting(route: Route, override: Override | None, step: int) -> str:
    """Return why a route has no step to take: its weight is one number, it was not begun, it has arrived."""
    if not route.rollout.steps or (override is not None and override.weight is not None):
        return "weight"
    return "last_step" if step else "waiting"


def _breach(route: Route, override: Override | None, verdict: Verdict, policy: GuardPolicy) -> Move:
    """Return how a bad verdict is acted on."""
    step, weight = step_of(route, override), effective_weight(route, override)
    reason, detail = verdict.reason, verdict.detail
    if policy.on_breach == "observe" or not _has_users(route, weight):
        return Move("stay", weight, step, reason, detail)
    if policy.rollback == "forbidden":
        if override is not None and override.held:
            return Move("stay", weight, step, reason, detail)
        return Move("hold", weight, step, reason, detail, latch=True)
    wait = hold_off((override.rollbacks if override is not None else 0) + 1)
    if policy.on_breach == "step_back" and step > 1 and reason != "invariant":
        before = route.rollout.steps[step - 2].weight
        return Move("step_back", before, step - 1, reason, detail, hold_off=wait, fresh=True)
    return Move("roll_back", 0.0, step, reason, detail, hold_off=wait, fresh=True)


def _has_users(route: Route, weight: float) -> bool:
    """Whether anybody is on modern: what is only mirrored harms nobody, so there is nobody to send back."""
    return weight > 0.0 or bool(route.rollout.include)


def _may_mirror(route: Route) -> bool:
    """Whether any request of the route is of a method that is mirrored."""
    asked = route.match.methods
    return not asked or not set(asked).isdisjoint(route.shadow.methods)


def _wanting(route: Route, override: Override, step: Step, seen: _Seen, now: float) -> Iterator[tuple[str, str]]:
    """Yield what a step still wants before the next may be taken: one word with the numbers."""
    if now < override.hold_off_until:
        yield "hold_off", f"{override.hold_off_until - now:.0f} s of hold-off are left"
    baked = now - (override.step_since or override.at)
    if baked < step.seconds:
        yield "baking", f"{max(0.0, baked):.0f} of {step.seconds:.0f} s"
    verdict, readiness, volume = seen
    least = route.guard.min_requests if route.guard is not None else 0
    wanted = max(step.min_requests, least)
    if not _has_users(route, step.weight):
        # a step that only mirrors has no requests to count but the pairs
        least = wanted
    elif volume.requests < wanted:
        yield "too_little", f"{volume.requests} of {wanted} requests on modern in this step"
    elif verdict is not None and verdict.outcome == TOO_LITTLE:
        yield "too_little", verdict.detail
    if readiness is not None and (readiness.eligible or (not _has_users(route, step.weight) and _may_mirror(route))):
        if volume.compared < least:
            yield "too_little", f"{volume.compared} of {least} compared pairs in this step"
        if not readiness.ready:
            yield "not_ready", "; ".join(readiness.wanting)
