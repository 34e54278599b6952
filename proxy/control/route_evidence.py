"""Windows of each route and all other evidence of the guard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from hashlib import blake2b
from typing import Protocol

from proxy.ipc.codec import to_json
from proxy.ipc.messages import Outcomes, PairCounts, SideOutcomes
from proxy.state.request_outcomes import unpack
from proxy.telemetry.metric_names import LIVE
from rules.guard.evidence import BURST, Evidence, Sides, Violation
from rules.guard.sequential import Trials
from rules.guard.window import ComparedTally, PairTally, Tally, Totals, Window
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Route, Snapshot

DEFAULT_WINDOW = 60.0
Side = tuple[str, str]
"""Route with side."""


class RouteWindows:
    """The windows of users' requests, and those of copies. They fill with `record_outcomes`.

    `apply_snapshot` adds, drops, restarts them when the configuration changes.

    `_since` says from which generation on an outcome counts for a route: those decided under older rules
    of that route do not.
    """

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        self._windows: dict[Side, Window] = {}
        self._copies: dict[Side, Window] = {}
        self._lengths: dict[str, float] = {}
        self._since: dict[str, int] = {}
        self._rules: dict[str, bytes] = {}
        self.apply_snapshot(snapshot, number)

    def apply_snapshot(self, snapshot: Snapshot, number: int) -> frozenset[str]:
        """Judge by `snapshot`, generation `number`, from now on: only changed routes are restarted; returns these."""
        rules = {route.name: _rules(route, snapshot) for route in snapshot.routes}
        rules[DEFAULT_ROUTE] = _backend(snapshot.default_backend, snapshot)
        lengths = {route.name: window_of(route) for route in snapshot.routes} | {DEFAULT_ROUTE: DEFAULT_WINDOW}
        for name in self._rules.keys() - rules.keys():
            for side in (LEGACY, MODERN):
                del self._windows[name, side], self._copies[name, side]
        changed = frozenset(name for name, text in rules.items() if self._rules.get(name) != text)
        for name in rules:
            if name in changed:
                self._since[name] = number
                self._begin(name, lengths[name])
        self._since = {name: self._since[name] for name in rules}
        self._rules, self._lengths = rules, lengths
        return changed

    def restart(self, route: str, number: int) -> None:
        """Empty the window of `route`: what was decided before generation `number` does not count any more."""
        if route in self._since:
            self._since[route] = max(self._since[route], number)
            self._begin(route, self._lengths[route])

    def _begin(self, route: str, length: float) -> None:
        for windows in (self._windows, self._copies):
            for side in (LEGACY, MODERN):
                windows[route, side] = _successor(windows.get((route, side)), length)

    def digest(self, route: str) -> str:
        """Return a digest that is the same for every instance that runs `route` by the same rules and backends."""
        return blake2b(self._rules[route], digest_size=6).hexdigest()

    @property
    def since(self) -> Mapping[str, int]:
        """From which generation on the outcomes of each route count."""
        return self._since

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one worker's second."""
        for side in outcomes.sides:
            windows = self._windows if side.role == LIVE else self._copies
            window = windows.get((side.route, side.side))
            if window is not None and side.generation >= self._since[side.route]:
                window.add_tally(outcomes.second, unpack(side))

    def lately(self, route: str, side: str, now: int, seconds: float | None = None) -> Tally:
        """Return the outcomes of `side` of `route` in the guard's window before `now` (monotonic), or in less."""
        window = self._windows.get((route, side))
        length = self._lengths[route] if seconds is None else seconds
        return window.last(length, now) if window is not None else Tally()

    def copies(self, route: str, side: str, now: int) -> Tally:
        """Return the outcomes of copies on `side` of `route`, for which no user waits, in the same window."""
        window = self._copies.get((route, side))
        return window.last(self._lengths[route], now) if window is not None else Tally()

    def totals(self, route: str, side: str) -> Totals:
        """Return the counts of `side` of `route` since the start."""
        window = self._windows.get((route, side))
        return window.totals if window is not None else Totals()

    def spans(self) -> dict[str, tuple[float, int]]:
        """Return for each route the seconds of its window, the generation from which on outcomes count."""
        return {name: (length, self._since[name]) for name, length in self._lengths.items()}

    def length(self, route: str) -> float:
        """Return the seconds that `lately` looks back."""
        return self._lengths[route]


def window_of(route: Route) -> float:
    """Return the seconds a route is judged over."""
    return route.guard.window if route.guard is not None else DEFAULT_WINDOW


def _successor(window: Window | None, length: float) -> Window:
    kept = int(length) + 2
    return Window(kept) if window is None else window.restarted(kept)


def _rules(route: Route, snapshot: Snapshot) -> bytes:
    """Return all that decides how a route behaves; its line in the file and its weight do not."""
    rollout = replace(route.rollout, weight=0.0, steps=())
    used: Mapping[str, bytes] = {
        name: _backend(name, snapshot) for name in (route.legacy.backend, route.modern.backend)
    }
    return to_json(replace(route, line=0, rollout=rollout)) + b"".join(used.values())


def _backend(name: str, snapshot: Snapshot) -> bytes:
    return b"".join(to_json(backend) for backend in snapshot.backends if backend.name == name)


# Keeps the evidence of each route besides its windows: running sequential tests, pairs, waiting requests.


_SIDES = (LEGACY, MODERN)
_WAITING_FOR = 2
"""Seconds after which a report of waiting requests is too old."""
_OTHERS_WAIT_FOR = 4
"""The same for reports of other instances, which come a second later, once a second."""
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
        """Note the waiting requests of one worker of an instance; workers add up within a second."""
        reports = self.waiting.setdefault((outcomes.side, source), {})
        there = reports.setdefault(second, {})
        for step, count in outcomes.waiting:
            there[step] = there.get(step, 0) + count
        for old in [each for each in reports if each < second - _OTHERS_WAIT_FOR]:
            del reports[old]

    def waits(self, side: str, now: int) -> Mapping[int, int]:
        """Return the requests that wait for `side` by each instance's latest report."""
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


class EvidenceCollector:
    """All routes that have a guard. They fill with `record_outcomes`; `apply_snapshot` and `restart` restart routes."""

    def __init__(self, windows: RouteWindows, snapshot: Snapshot) -> None:
        self._windows = windows
        self._routes: dict[str, _Route] = {}
        self._policies: dict[str, Route] = {}
        self.apply_snapshot(snapshot, (route.name for route in snapshot.routes))

    def apply_snapshot(self, snapshot: Snapshot, restarted: Iterable[str]) -> None:
        """Apply the routes of `snapshot`; empty the `restarted` ones."""
        self._policies = {route.name: route for route in snapshot.routes if route.guard is not None}
        self._routes = {name: route for name, route in self._routes.items() if name in self._policies}
        for name in restarted:
            self.restart(name)

    def restart(self, name: str) -> None:
        """Restart one route."""
        route = self._policies.get(name)
        if route is not None and route.guard is not None:
            self._routes[name] = _Route(route.guard.window, Trials(route.guard.worse_than_legacy))

    def record_outcomes(self, outcomes: Outcomes, source: str = "") -> None:
        """Add one worker's second, both sides of a route together; `source` names another instance."""
        sides: dict[str, dict[str, Tally]] = {}
        for side in outcomes.sides:
            route = self._routes.get(side.route)
            if route is None or side.role != LIVE or side.generation < self._windows.since[side.route]:
                continue
            sides.setdefault(side.route, {}).setdefault(side.side, Tally()).merge(unpack(side))
            route.add_waiting(outcomes.second, side, source)
        pairs = {
            each.route: self._routes[each.route].add_pairs(outcomes.second, each)
            for each in outcomes.pairs
            if each.route in self._routes and each.generation >= self._windows.since[each.route]
        }
        for name in sides.keys() | pairs.keys():
            legacy, modern = (sides.get(name, {}).get(side) or Tally() for side in _SIDES)
            self._routes[name].trials.add_tallies(outcomes.second, legacy, modern, pairs.get(name))

    def evidence(
        self,
        name: str,
        now: int,
        compared: ComparedTally,
        violations: tuple[Violation, ...] = (),
        trip: str = "",
    ) -> Evidence:
        """Return the evidence about a route at `now` (monotonic seconds)."""
        route, policy = self._routes[name], self._policies[name]
        window = self._windows.length(name)
        legacy, modern = (self._windows.lately(name, side, now) for side in _SIDES)
        legacy_waiting, modern_waiting = (route.waits(side, now) for side in _SIDES)
        just_legacy, just_modern = (self._windows.lately(name, side, now, BURST) for side in _SIDES)
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


# What the guard needs of the comparison; a stand-in for where nothing is compared.


class Judged(Protocol):
    """The results of comparing, by route."""

    def counts(self, route: str) -> ComparedTally:
        """Return the results of mirrored requests within the guard's window."""

    def totals(self, route: str) -> ComparedTally:
        """Return the same since the start."""

    def open_groups(self, route: str) -> int:
        """Return how many groups of differences are unexplained."""

    def never_compared(self, route: str) -> frozenset[str]:
        """Return which kinds of request users send of which no pair was compared."""

    def violations(self, route: str) -> tuple[Violation, ...]:
        """Return which invariants were violated within the guard's window."""

    def restart(self, route: str, generation: int) -> None:
        """Empty the window: what was decided before `generation` does not count any more."""


class NothingJudged:
    """Stands in where nothing is compared."""

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
        """There is nothing to empty."""


def since(now: ComparedTally, mark: ComparedTally) -> ComparedTally:
    """Return what was added to a tally since it was `mark`."""
    return ComparedTally(
        now.equal - mark.equal,
        now.different - mark.different,
        now.noise - mark.noise,
        now.transient - mark.transient,
        {reason: count - mark.not_compared.get(reason, 0) for reason, count in now.not_compared.items()},
        now.eligible - mark.eligible,
        failed_once=now.failed_once - mark.failed_once,
    )
