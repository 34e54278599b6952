"""What every side of every route did lately, merged from all workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

from proxy.ipc.codec import to_json
from proxy.ipc.messages import Outcomes
from proxy.state.request_outcomes import unpack
from proxy.telemetry.metric_names import LIVE
from rules.guard.window import Tally, Totals, Window
from rules.model import DEFAULT_ROUTE, LEGACY, MODERN, Route, Snapshot

DEFAULT_WINDOW = 60.0
Side = tuple[str, str]
"""Route with side."""


class Figures:
    """The windows. They fill with `take`; `follow` adds, drops, restarts them when the configuration changes.

    `_since` says from which generation on an outcome counts for a route: those decided under older rules
    of that route do not.
    """

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        self._windows: dict[Side, Window] = {}
        self._lengths: dict[str, float] = {}
        self._since: dict[str, int] = {}
        self._rules: dict[str, bytes] = {}
        self.follow(snapshot, number)

    def follow(self, snapshot: Snapshot, number: int) -> frozenset[str]:
        """Judge by `snapshot`, generation `number`, from now on: only routes that changed begin anew; returns these."""
        rules = {route.name: _rules(route, snapshot) for route in snapshot.routes}
        rules[DEFAULT_ROUTE] = _backend(snapshot.default_backend, snapshot)
        lengths = {route.name: window_of(route) for route in snapshot.routes} | {DEFAULT_ROUTE: DEFAULT_WINDOW}
        for name in self._rules.keys() - rules.keys():
            for side in (LEGACY, MODERN):
                del self._windows[name, side]
        changed = frozenset(name for name, text in rules.items() if self._rules.get(name) != text)
        for name in rules:
            if name in changed:
                self._since[name] = number
                for side in (LEGACY, MODERN):
                    self._windows[name, side] = _successor(self._windows.get((name, side)), lengths[name])
        self._since = {name: self._since[name] for name in rules}
        self._rules, self._lengths = rules, lengths
        return changed

    def restart(self, route: str, number: int) -> None:
        """Forget the window of `route`: what was decided before generation `number` does not count any more."""
        if route in self._since:
            self._since[route] = max(self._since[route], number)
            for side in (LEGACY, MODERN):
                self._windows[route, side] = _successor(self._windows.get((route, side)), self._lengths[route])

    def digest(self, route: str) -> str:
        """Return what is the same for every instance that runs `route` by the same rules and backends."""
        return blake2b(self._rules[route], digest_size=6).hexdigest()

    @property
    def since(self) -> Mapping[str, int]:
        """From which generation on the outcomes of each route count."""
        return self._since

    def take(self, outcomes: Outcomes) -> None:
        """Add one worker's second."""
        for side in outcomes.sides:
            window = self._windows.get((side.route, side.side)) if side.role == LIVE else None
            if window is not None and side.generation >= self._since[side.route]:
                window.add(outcomes.second, unpack(side))

    def lately(self, route: str, side: str, now: int, seconds: float | None = None) -> Tally:
        """Return what `side` of `route` did in the guard's window before `now` (monotonic seconds), or in less."""
        window = self._windows.get((route, side))
        length = self._lengths[route] if seconds is None else seconds
        return window.last(length, now) if window is not None else Tally()

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
    """Return all that decides how a route behaves; its line in the file, its weight do not."""
    rollout = replace(route.rollout, weight=0.0, steps=())
    used: Mapping[str, bytes] = {
        name: _backend(name, snapshot) for name in (route.legacy.backend, route.modern.backend)
    }
    return to_json(replace(route, line=0, rollout=rollout)) + b"".join(used.values())


def _backend(name: str, snapshot: Snapshot) -> bytes:
    return b"".join(to_json(backend) for backend in snapshot.backends if backend.name == name)
