"""Keeps what the judge is told of each route besides its windows: running trials, pairs, who is still waiting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from proxy.ipc.messages import Outcomes, PairCounts, SideOutcomes
from proxy.operating.figures import Figures
from proxy.state.request_outcomes import unpack
from proxy.telemetry.metric_names import LIVE
from rules.guard.evidence import BURST, Evidence, Sides, Violation
from rules.guard.sequential import Trials
from rules.guard.window import ComparedTally, PairTally, Tally
from rules.model import LEGACY, MODERN, Route, Snapshot

_SIDES = (LEGACY, MODERN)
_WAITING_FOR = 2
"""Seconds after which a report of who is waiting is too old to be believed."""
_OTHERS_WAIT_FOR = 4
"""The same for what other instances tell: it comes a second later, once a second."""
_COLUMNS = tuple(field.name for field in fields(PairTally))
Waiting = dict[int, int]


class _Route:
    """One route since its window was restarted; `window` is how many seconds of pairs are kept."""

    def __init__(self, window: float, trials: Trials) -> None:
        self.trials = trials
        self.kept = int(window) + 2
        self.pairs: dict[int, list[int]] = {}
        self.waiting: dict[tuple[str, str], dict[int, Waiting]] = {}

    def add_pairs(self, second: int, pairs: PairCounts) -> PairTally:
        """Add one worker's second; returns it as the judge counts."""
        row = [getattr(pairs, column) for column in _COLUMNS]
        there = self.pairs.get(second)
        if there is None:
            self.pairs[second] = row
            for old in [each for each in self.pairs if each <= second - self.kept]:
                del self.pairs[old]
        else:
            self.pairs[second] = [left + right for left, right in zip(there, row, strict=True)]
        return PairTally(*row)

    def add_waiting(self, second: int, outcomes: SideOutcomes, source: str) -> None:
        """Note who waits in one worker of an instance; workers add up within a second."""
        reports = self.waiting.setdefault((outcomes.side, source), {})
        there = reports.setdefault(second, {})
        for step, count in outcomes.waiting:
            there[step] = there.get(step, 0) + count
        for old in [each for each in reports if each < second - _OTHERS_WAIT_FOR]:
            del reports[old]

    def waits(self, side: str, now: int) -> Mapping[int, int]:
        """Return who waits for `side` by each instance's latest report."""
        whole: Waiting = {}
        for (of, source), reports in self.waiting.items():
            latest = max(reports)
            if of == side and latest >= now - (_OTHERS_WAIT_FOR if source else _WAITING_FOR):
                for step, count in reports[latest].items():
                    whole[step] = whole.get(step, 0) + count
        return whole

    def table(self, now: int, window: float) -> PairTally:
        """Return the pairs of the last `window` seconds."""
        rows = [row for second, row in self.pairs.items() if second > now - window]
        return PairTally(*map(sum, zip(*rows, strict=True))) if rows else PairTally()


class Collected:
    """All routes that have a guard. They fill with `take`; `follow` and `restart` let routes begin anew."""

    def __init__(self, figures: Figures, snapshot: Snapshot) -> None:
        self._figures = figures
        self._routes: dict[str, _Route] = {}
        self._policies: dict[str, Route] = {}
        self.follow(snapshot, (route.name for route in snapshot.routes))

    def follow(self, snapshot: Snapshot, restarted: Iterable[str]) -> None:
        """Know the routes of `snapshot`; of these the `restarted` ones begin anew."""
        self._policies = {route.name: route for route in snapshot.routes if route.guard is not None}
        self._routes = {name: route for name, route in self._routes.items() if name in self._policies}
        for name in restarted:
            self.restart(name)

    def restart(self, name: str) -> None:
        """Begin anew with one route."""
        route = self._policies.get(name)
        if route is not None and route.guard is not None:
            self._routes[name] = _Route(route.guard.window, Trials(route.guard.worse_than_legacy))

    def take(self, outcomes: Outcomes, source: str = "") -> None:
        """Add one worker's second, both sides of a route together; `source` names another instance."""
        sides: dict[str, dict[str, Tally]] = {}
        for side in outcomes.sides:
            route = self._routes.get(side.route)
            if route is None or side.role != LIVE or side.generation < self._figures.since[side.route]:
                continue
            sides.setdefault(side.route, {}).setdefault(side.side, Tally()).merge(unpack(side))
            route.add_waiting(outcomes.second, side, source)
        pairs = {
            each.route: self._routes[each.route].add_pairs(outcomes.second, each)
            for each in outcomes.pairs
            if each.route in self._routes and each.generation >= self._figures.since[each.route]
        }
        for name in sides.keys() | pairs.keys():
            legacy, modern = (sides.get(name, {}).get(side) or Tally() for side in _SIDES)
            self._routes[name].trials.add(outcomes.second, legacy, modern, pairs.get(name))

    def evidence(
        self,
        name: str,
        now: int,
        compared: ComparedTally,
        violations: tuple[Violation, ...] = (),
        trip: str = "",
    ) -> Evidence:
        """Return all that is known of a route at `now` (monotonic seconds)."""
        route, policy = self._routes[name], self._policies[name]
        window = self._figures.length(name)
        legacy, modern = (self._figures.lately(name, side, now) for side in _SIDES)
        legacy_waiting, modern_waiting = (route.waits(side, now) for side in _SIDES)
        just_legacy, just_modern = (self._figures.lately(name, side, now, BURST) for side in _SIDES)
        burst = Sides(just_legacy, just_modern, legacy_waiting, modern_waiting)
        return Evidence(
            legacy,
            modern,
            legacy_waiting,
            modern_waiting,
            burst,
            route.table(now, window),
            compared,
            policy.shadow.sample > 0,
            violations,
            trip,
            route.trials,
        )
