"""A route's life: next move, readiness, retirement.

Safety first, then patience: a bad verdict is always acted on; a step is taken only when nothing speaks
against it. Everything that must outlive a restart is in the `Override`: the step, since when, how often modern was
sent back. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, log
from typing import Final, NamedTuple

from rules.guard.evidence import BAD, CANNOT_TELL, TOO_LITTLE, Verdict
from rules.guard.exact_tests import greatest_share
from rules.guard.window import SESSION, ComparedTally, Tally
from rules.model import GuardPolicy, Override, Route, Step
from rules.routing.compiled_route import effective_weight

# Sums up what is known of a route before more users are sent to it, and what is not.
#
# Finding no difference in n pairs shows that at most about 3/n of all differ, no more: the bound is what counts, not
# the observed rate.


DOUBT: Final = 0.05
"""The chance that the truth is above the bound."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The comparison since the route's window was restarted.

    `upper_bound` is the share of differing answers that the truth is below, at 95 %. `coverage` is compared of
    eligible. `open_groups` counts groups of differences that are not declared known. `never_compared` names kinds
    of request that users send, of which no pair was compared. `wanting` lists in words what is missing for `ready`.
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
    slow: Iterable[str] = (),
) -> Readiness:
    """Return how ready a mirrored route is whose answers may differ in a share of `limit`.

    Open groups, kinds that were never compared are reported, but do not hold a route back: the bound does. Copies that
    modern failed once count in it as if they differed: they may be what overloads modern, or what awaits its users.
    """
    upper = greatest_share(seen.different + seen.failed_once, seen.compared + seen.failed_once, DOUBT)
    wanting = (*_comparison_wanting(seen, upper, limit), *slow)
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


def slow_copies(policy: GuardPolicy, copies: Tally, legacy: Tally) -> Iterator[str]:
    """Yield why modern's copies are too slow for its users to be sent there, by the limits its users' requests have.

    `legacy` is what users got of legacy in the same window. Too few copies yield nothing.
    """
    seen = copies.percentile(_P95)
    if seen is None or copies.requests < policy.min_requests:
        return
    if policy.p95 and seen > policy.p95:
        yield f"P95 of modern's copies is {_milliseconds(seen)}, {_milliseconds(policy.p95)} are allowed"
    worse, usual = policy.worse_than_legacy, legacy.percentile(_P95)
    if worse is None or not worse.p95 or usual is None or legacy.requests < policy.min_requests:
        return
    limit = max(usual * worse.p95, usual + worse.p95_floor)
    if seen > limit:
        told = f"P95 of modern's copies is {_milliseconds(seen)}, that of legacy's users {_milliseconds(usual)}"
        yield f"{told}: {_milliseconds(limit)} are allowed"


_P95: Final = 0.95


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


SESSION_CURE: Final = "set `shadow: {session: share}`, or send backends the user's identity in a header"
"""What helps a route that can only be compared with a session."""


def pairs_needed(limit: float) -> int:
    """Return how many pairs without a difference show that at most `limit` (0…1) differ; 0 if none could."""
    return ceil(log(DOUBT) / log(1.0 - limit)) if 0.0 < limit < 1.0 else 0


def _comparison_wanting(seen: ComparedTally, upper: float, limit: float) -> Iterable[str]:
    if seen.needs_sessions:
        told = f"coverage: session: {seen.not_compared[SESSION]} of {seen.eligible} pairs need the user's session"
        yield f"{told}; {SESSION_CURE}"
    if not seen.compared:
        yield "nothing has been compared"
    elif upper > limit:
        told = f"{seen.different} of {seen.compared} differ: up to {upper:.2%} may, {limit:.2%} are allowed"
        if seen.failed_once:
            told = f"{seen.failed_once} copies were answered 5xx, and well when asked again; with these {told}"
        nothing_yet = f"{told} (shown by {pairs_needed(limit)} pairs without a difference)"
        yield told if seen.different or seen.failed_once else nothing_yet


FIRST_HOLD_OFF: Final = 300.0
"""Seconds in which no step is taken after the first time modern was sent back; each further time doubles them."""
LONGEST_HOLD_OFF: Final = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Volume:
    """Responses of modern and compared pairs since the present step was entered."""

    requests: int = 0
    compared: int = 0


@dataclass(frozen=True, slots=True)
class RolloutAction:
    """The next action on a route.

    `kind` is stay, advance, step_back, roll_back, hold (no progress; with `latch` until a person resumes) or ask (a
    person must approve the next step). `weight` is the percent afterwards, `step` its number from 1, 0 before the
    first. `reason` is one word: that of a verdict, or why a route stays. `hold_off` seconds are to pass before a step
    is taken. `fresh` asks for an empty window, because the present one holds the evidence that was acted on.
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

    def described(self) -> str:
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
) -> RolloutAction:
    """Return what should happen to `route` now.

    `verdict` is None with `guard: none`, `readiness` None where nothing is mirrored.

    1. rolled back: only an operator lifts that
    2. a bad verdict: roll back, step back, hold or report, as the policy has it
    3. held, or no verdict possible: no progress
    4. on a step: bake, see enough, be ready, be approved, then advance
    """
    step, weight = step_of(route, override), effective_weight(route, override)
    if override is not None and override.rolled_back:
        return RolloutAction("stay", 0.0, step, "rolled_back")
    if verdict is not None and verdict.outcome == BAD and route.guard is not None:
        return _breach(route, override, verdict, route.guard)
    if override is not None and override.held:
        return RolloutAction("stay", weight, step, "held")
    if verdict is not None and verdict.outcome == CANNOT_TELL:
        return RolloutAction("hold", weight, step, verdict.reason, verdict.detail)
    if override is None or not 0 < step < len(route.rollout.steps):
        return RolloutAction("stay", weight, step, _resting(route, override, step))
    return _progress(route, override, _Seen(verdict, readiness, volume or Volume()), now)


def _progress(route: Route, override: Override, seen: _Seen, now: float) -> RolloutAction:
    """Return the next step, or what the present one still lacks."""
    step = step_of(route, override)
    present, following = route.rollout.steps[step - 1 : step + 1]
    for reason, detail in _step_wanting(route, override, present, seen, now):
        return RolloutAction("stay", present.weight, step, reason, detail)
    if present.manual:
        detail = f"step {step + 1} ({following.weight:g} %) waits for a person"
        return RolloutAction("ask", present.weight, step, "approval", detail)
    return RolloutAction("advance", following.weight, step + 1, "good", seen.described())


def _resting(route: Route, override: Override | None, step: int) -> str:
    """Return why a route has no step to take: its weight is one number, its rollout was not started, or is complete."""
    if not route.rollout.steps or (override is not None and override.weight is not None):
        return "weight"
    return "last_step" if step else "waiting"


def _breach(route: Route, override: Override | None, verdict: Verdict, policy: GuardPolicy) -> RolloutAction:
    """Return how a bad verdict is acted on."""
    step, weight = step_of(route, override), effective_weight(route, override)
    reason, detail = verdict.reason, verdict.detail
    if policy.on_breach == "observe" or not _has_users(route, weight):
        return RolloutAction("stay", weight, step, reason, detail)
    if policy.rollback == "forbidden":
        if override is not None and override.held:
            return RolloutAction("stay", weight, step, reason, detail)
        return RolloutAction("hold", weight, step, reason, detail, latch=True)
    wait = hold_off((override.rollbacks if override is not None else 0) + 1)
    if policy.on_breach == "step_back" and step > 1 and reason != "invariant":
        before = route.rollout.steps[step - 2].weight
        return RolloutAction("step_back", before, step - 1, reason, detail, hold_off=wait, fresh=True)
    return RolloutAction("roll_back", 0.0, step, reason, detail, hold_off=wait, fresh=True)


def _has_users(route: Route, weight: float) -> bool:
    """Whether modern serves any users: a route that is only mirrored harms no user and has none to send back."""
    return weight > 0.0 or bool(route.rollout.include)


def _may_mirror(route: Route) -> bool:
    """Whether any request of the route is of a method that is mirrored."""
    asked = route.match.methods
    return not asked or not set(asked).isdisjoint(route.shadow.methods)


def _step_wanting(route: Route, override: Override, step: Step, seen: _Seen, now: float) -> Iterator[tuple[str, str]]:
    """Yield what a step still lacks before the next may be taken: one word with the numbers."""
    if now < override.hold_off_until:
        yield "hold_off", f"{override.hold_off_until - now:.0f} s of hold-off are left"
    baked = now - (override.step_since or override.at)
    if baked < step.seconds:
        yield "baking", f"{max(0.0, baked):.0f} of {step.seconds:.0f} s"
    verdict, readiness, volume = seen
    least = route.guard.min_requests if route.guard is not None else 0
    wanted = max(step.min_requests, least)
    if not _has_users(route, step.weight):
        # a step that only mirrors has nothing to count but the pairs
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


# Decides when legacy's code behind a route may be deleted, or what is still missing for that.


QUIET_DAYS = 7.0
"""Days at 100 % without an unexplained difference; the longest cycle of most businesses is a week."""
_DAY = 86_400.0
_ALL = 100.0
_RARE = 1000
"""Requests below which a week is too little evidence."""


@dataclass(frozen=True, slots=True)
class Served:
    """What has happened on a route since modern answers all of it.

    `since` is epoch seconds, None while modern does not; `open_groups` counts unexplained differences,
    last seen `differed_at`; `legacy_requests` are those that legacy answered all the same (fallbacks, users without
    an identity, exceptions).
    """

    weight: float
    since: float | None
    requests: int = 0
    legacy_requests: int = 0
    open_groups: int = 0
    differed_at: float | None = None
    rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """`safe` when nothing is missing; `what` may be deleted then, `look` is what a proxy cannot see."""

    safe: bool
    quiet_days: float
    waits_for: tuple[str, ...]
    what: tuple[str, ...]
    look: tuple[str, ...]


def retirement(
    route: Route, served: Served, others: Iterable[Route], now: float, days: float = QUIET_DAYS
) -> Retirement:
    """Judge one route; `others` are the file's other routes, `now` is epoch seconds."""
    quiet = _quiet_days(served, now)
    waits = tuple(_waits(route, served, others, quiet, days))
    where = route.legacy.path or route.match.path
    methods = " ".join(route.match.methods) or "every method"
    return Retirement(
        safe=not waits,
        quiet_days=quiet,
        waits_for=waits,
        what=(
            f"{methods} {where} on backend {route.legacy.backend}",
            f"the shadow and compare settings of route {route.name}",
        ),
        look=(
            f"legacy's own access log for callers of {where} that do not come through the proxy",
            "cron jobs, queues and other code of legacy that use what is behind it",
        ),
    )


def _quiet_days(served: Served, now: float) -> float:
    if served.since is None:
        return 0.0
    begun = max(served.since, served.differed_at if served.open_groups and served.differed_at is not None else 0.0)
    return max(0.0, now - begun) / _DAY


def _waits(route: Route, served: Served, others: Iterable[Route], quiet: float, days: float) -> Iterator[str]:
    if served.rolled_back:
        yield "it is rolled back"
    if served.weight < _ALL or served.since is None:
        yield f"modern answers {served.weight:g} % of it"
        return
    if served.open_groups:
        yield f"{served.open_groups} groups of differences are not explained"
    if quiet < days:
        yield f"{days - quiet:.1f} more quiet days"
    if served.requests < _RARE:
        yield f"only {served.requests} requests came since: rare ones may not have come yet"
    if served.legacy_requests:
        yield f"legacy still answered {served.legacy_requests} requests of it"
    if route.rollout.exclude:
        yield f"{len(route.rollout.exclude)} users are excluded from modern"
    if route.fallback.mode != "none":
        yield "fallback still leads to legacy"
    for other in others:
        if other.name != route.name and _shares(other, route):
            yield f"route {other.name} leads to the same place on legacy"


def _shares(other: Route, route: Route) -> bool:
    place = (route.legacy.backend, route.legacy.path or route.match.path)
    return (other.legacy.backend, other.legacy.path or other.match.path) == place
