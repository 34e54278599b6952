"""Finds out how each route behaves: the verdict, how ready it is, how much its present step has seen.

It only looks; what follows from what it sees is for the guard to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.operating.collected import Collected
from proxy.operating.figures import Figures
from proxy.operating.judged import Judged, since
from proxy.operating.together import Together
from rules.guard.analysis import judge
from rules.guard.evidence import BAD, Verdict
from rules.guard.rollout import Readiness, Volume, readiness
from rules.guard.window import ComparedTally, added
from rules.model import MODERN, Override, Route


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a route; `readiness` is None where nothing is mirrored.

    `others` are the instances whose traffic the verdict is by, beside our own; none where ours alone decides.
    """

    verdict: Verdict
    readiness: Readiness | None
    volume: Volume
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the totals of a route were when its present step began."""

    step_since: float
    requests: int
    compared: int


class Watching:
    """All routes that have a guard. `_steps` holds where each step began, `_restarts` where each window did.

    Our own traffic is judged by itself, and `together` with that of the other instances: a fault of one host must not
    drown in the health of ten, nor one of all of them hide in the little that each sees.
    """

    def __init__(
        self, figures: Figures, collected: Collected, judged: Judged, together: Together | None = None
    ) -> None:
        self.collected = collected
        self._figures = figures
        self._judged = judged
        self._together = together
        self._steps: dict[str, _Mark] = {}
        self._restarts: dict[str, ComparedTally] = {}

    def restart(self, route: str, number: int) -> None:
        """Let a route begin anew: what was decided before generation `number` does not count any more."""
        self._figures.restart(route, number)
        self.collected.restart(route)
        self._judged.restart(route, number)
        if self._together is not None:
            self._together.restart(route, number)
        self._restarts[route] = self._totals(route)

    def look(self, route: Route, override: Override | None, now: float, at: float, trip: str = "") -> Seen:
        """Look at a route that has a guard; `now` is monotonic, `at` epoch seconds."""
        assert route.guard is not None  # noqa: S101 - the caller's promise
        name = route.name
        compared, violations = self._judged.counts(name), self._judged.violations(name)
        evidence = self.collected.evidence(name, int(now), compared, violations, trip)
        verdict = judge(route.guard, evidence, at)
        others = self._together.others(name) if self._together is not None and verdict.outcome != BAD else ()
        if self._together is not None and others:
            whole = self._together.merged.evidence(name, int(now), compared, violations)
            verdict = judge(route.guard, whole, at)
        return Seen(verdict, self._readiness(route), self._volume(name, override), others)

    def _readiness(self, route: Route) -> Readiness | None:
        if route.shadow.sample <= 0 or route.guard is None:
            return None
        whole = since(self._totals(route.name), self._restarts.get(route.name, ComparedTally()))
        return readiness(
            whole,
            route.guard.mismatch_rate,
            open_groups=self._judged.open_groups(route.name),
            never_compared=self._judged.never_compared(route.name),
        )

    def _volume(self, name: str, override: Override | None) -> Volume:
        figures = self._figures if self._together is None else self._together.merged.figures
        requests = figures.totals(name, MODERN).requests
        compared = self._totals(name).compared
        began = override.step_since if override is not None else 0.0
        mark = self._steps.get(name)
        if mark is None or mark.step_since != began:
            # after a restart of control it counts from here: a step then only takes longer
            mark = self._steps[name] = _Mark(began, requests, compared)
        return Volume(requests - mark.requests, compared - mark.compared)

    def _totals(self, name: str) -> ComparedTally:
        """Return what became of all mirrored requests, those of other instances included."""
        own = self._judged.totals(name)
        return own if self._together is None else added(own, self._together.merged.totals(name))
