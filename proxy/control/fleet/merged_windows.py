"""Adds up the outcomes of a route on all instances, this one included, to judge them as one.

A second of another instance counts here at the second it was packed in, dated by its age: no two clocks are
compared. Outcomes under other rules, or from before this instance's window was restarted, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from proxy.control.route_evidence import EvidenceCollector, RouteWindows
from proxy.ipc.messages import Outcomes
from proxy.storage.fleet import RouteShare, Share, compared_of, outcomes_of, pairs_of
from rules.guard.evidence import Evidence, Violation
from rules.guard.window import ComparedTally, added
from rules.model import Snapshot

LATE_AFTER: Final = 30.0
"""Seconds after which what was packed is too old to be counted."""
OTHER_RULES: Final = "other rules"
BEHIND: Final = "does not know yet what is set"
LATE: Final = "late"
NOTHING: Final = ComparedTally()


class LeftOut(NamedTuple):
    """Why the latest message of an instance about a route was not counted, and the second of that."""

    second: int
    why: str


class _Elsewhere:
    """The other instances' outcomes of one route since its window was restarted; grows by `take`."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.seconds: dict[int, ComparedTally] = {}
        self.counted: dict[str, int] = {}
        self.left_out: dict[str, LeftOut] = {}

    def compare(self, second: int, tally: ComparedTally, kept: int) -> None:
        """Add results of mirrored requests."""
        self.seconds[second] = added(self.seconds.get(second, NOTHING), tally)
        for old in [each for each in self.seconds if each <= second - kept]:
            del self.seconds[old]


class MergedWindows:
    """The windows of all instances.

    They fill with `record_outcomes` and `merge_share`; `apply_snapshot` and `restart` restart routes.
    `_totals` are the others' mirrored requests since this instance began. `revision` returns that of the
    override of a route here.
    """

    def __init__(self, snapshot: Snapshot, number: int, revision: Callable[[str], int]) -> None:
        self.windows = RouteWindows(snapshot, number)
        self._evidence = EvidenceCollector(self.windows, snapshot)
        self._revision = revision
        self._elsewhere: dict[str, _Elsewhere] = {route.name: _Elsewhere(0) for route in snapshot.routes}
        self._totals: dict[str, ComparedTally] = {}

    def apply_snapshot(self, snapshot: Snapshot, number: int) -> frozenset[str]:
        """Judge by `snapshot`, generation `number`, from now on: only changed routes are restarted; returns these."""
        changed = self.windows.apply_snapshot(snapshot, number)
        self._evidence.apply_snapshot(snapshot, changed)
        known = {name: there for name, there in self._elsewhere.items() if name not in changed}
        self._elsewhere = {route.name: known.get(route.name) or _Elsewhere(0) for route in snapshot.routes}
        self._totals = {name: tally for name, tally in self._totals.items() if name in self._elsewhere}
        return changed

    def restart(self, route: str, number: int) -> None:
        """Restart one route, with its present override."""
        self.windows.restart(route, number)
        self._evidence.restart(route)
        if route in self._elsewhere:
            self._elsewhere[route] = _Elsewhere(self._revision(route))

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add one second of one of our own workers."""
        self.windows.record_outcomes(outcomes)
        self._evidence.record_outcomes(outcomes)

    def merge_share(self, share: Share, ago: float, now: float) -> None:
        """Add another instance's outcomes, `ago` seconds old by now (monotonic)."""
        second = int(now - ago)
        for route_share in share.routes:
            route = self._elsewhere.get(route_share.route)
            if route is None:
                continue
            if why := self._unfit(route_share, route, ago):
                route.left_out[share.name] = LeftOut(second, why)
            else:
                route.counted[share.name] = second
                self._add(share.name, route_share, route, second)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    def others(self, route: str, now: int) -> tuple[str, ...]:
        """Return the other instances whose traffic is in the route's window."""
        there = self._elsewhere.get(route)
        return () if there is None else tuple(self._recent(route, there.counted.items(), now))

    def left_out(self, route: str, now: int) -> dict[str, str]:
        """Return the instances whose recent traffic is not in the route's window, and why."""
        there = self._elsewhere.get(route)
        if there is None:
            return {}
        latest = {
            name: left.second for name, left in there.left_out.items() if left.second > there.counted.get(name, -1)
        }
        return {name: there.left_out[name].why for name in self._recent(route, latest.items(), now)}

    def evidence(self, route: str, now: int, own: ComparedTally, violations: tuple[Violation, ...] = ()) -> Evidence:
        """Return the evidence of all instances about a route.

        `own` are the recent results of our mirrored requests. `violations` are our own: one is enough on the instance
        that sees it, the others need not get it.
        """
        return self._evidence.evidence(route, now, added(own, self.compared(route, now)), violations)

    def compared(self, route: str, now: int) -> ComparedTally:
        """Return the results of the others' mirrored requests within the route's window."""
        there, whole, oldest = self._elsewhere.get(route), NOTHING, now - int(self.windows.length(route))
        for second, tally in there.seconds.items() if there is not None else ():
            if second > oldest:
                whole = added(whole, tally)
        return whole

    def totals(self, route: str) -> ComparedTally:
        """Return the same since this instance began."""
        return self._totals.get(route, NOTHING)

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _recent(self, route: str, seconds: Iterable[tuple[str, int]], now: int) -> list[str]:
        oldest = now - int(self.windows.length(route))
        return sorted(name for name, second in seconds if second > oldest)

    def _unfit(self, route_share: RouteShare, route: _Elsewhere, ago: float) -> str:
        if route_share.rules != self.windows.digest(route_share.route):
            return OTHER_RULES
        if route_share.revision < route.revision:
            return BEHIND
        return LATE if ago > LATE_AFTER else ""

    def _add(self, source: str, route_share: RouteShare, route: _Elsewhere, second: int) -> None:
        number = self.windows.since[route_share.route]
        outcomes = Outcomes(second, outcomes_of(route_share, number), pairs_of(route_share, number))
        self.windows.record_outcomes(outcomes)
        self._evidence.record_outcomes(outcomes, source)
        tally = compared_of(route_share)
        if route_share.compared or route_share.not_compared:
            route.compare(second, tally, int(self.windows.length(route_share.route)) + 2)
            self._totals[route_share.route] = added(self._totals.get(route_share.route, NOTHING), tally)
