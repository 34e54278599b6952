"""What became of every mirrored request of every route: lately, since the start, as metrics.

Workers count what they decide themselves (byte-equal, transient by their own knowledge, not compared) within
`Outcomes`; the judging adds what it decides of the pairs they sent. A request stands in exactly one place.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from proxy.ipc.messages import Outcomes, PairCounts
from proxy.telemetry import events, metric_names
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import Metric
from proxy.telemetry.request_kinds import Kinds
from rules.guard.evidence import Violation
from rules.guard.excuses import NOTHING_EXCUSED, Excused, Place, Sampled, excused
from rules.guard.rollout import SESSION_CURE
from rules.guard.window import SESSION, ComparedTally

Result = tuple[str, str]
"""A result (equal, different, noise, transient, not_compared) with its reason; only `not_compared` always has one."""


_MOST_PAIRS = 5000


class _Counts:
    """Counts of one route in some span; every field only grows."""

    __slots__ = ("eligible", "results")

    def __init__(self) -> None:
        self.eligible = 0
        self.results: Counter[Result] = Counter()

    def tally(self) -> ComparedTally:
        """Return the counts as the judge of routes reads them."""
        by_result: Counter[str] = Counter()
        for (result, _), count in self.results.items():
            by_result[result] += count
        reasons = {reason: n for (result, reason), n in self.results.items() if result == "not_compared" and n}
        return ComparedTally(
            by_result["equal"],
            by_result["different"],
            by_result["noise"],
            by_result["transient"],
            reasons,
            # pairs that are still being judged are eligible already; those of before a restart are not counted twice
            max(self.eligible, sum(by_result.values())),
            failed_once=self.results["transient", "status"],
        )


class _OwnDifferences:
    """Where pairs of the window differ, where legacy differs from itself; both by second, the oldest go.

    What is left out because it is too much is not excused.
    """

    def __init__(self) -> None:
        self.differing: deque[tuple[int, frozenset[Place]]] = deque(maxlen=_MOST_PAIRS)
        self.samples: deque[tuple[int, Sampled]] = deque(maxlen=_MOST_PAIRS)

    def excused(self, oldest: int) -> Excused:
        """Return what is excused of the pairs after the second `oldest`."""
        samples = [sampled for second, sampled in self.samples if second > oldest]
        return (
            excused((places for second, places in self.differing if second > oldest), samples)
            if samples
            else NOTHING_EXCUSED
        )


class _Route:
    """One route: its seconds, `seen` and `kinds` since its rules are what they are, `totals` since the start.

    `since` is the oldest generation that counts in all but the totals.
    """

    def __init__(self, window: float, since: int) -> None:
        self.window = window
        self.kept = int(window) + 2
        self.since = since
        self.seconds: dict[int, _Counts] = {}
        self.seen = _Counts()
        self.totals = _Counts()
        self.kinds = Kinds()
        self.violations: dict[int, Counter[tuple[str, str]]] = {}
        self.details: dict[str, str] = {}
        self.own = _OwnDifferences()

    def counts(self, second: int) -> _Counts:
        """Return the counts of `second`; older ones go."""
        there = self.seconds.get(second)
        if there is None:
            there = self.seconds[second] = _Counts()
            for old in [each for each in self.seconds if each <= second - self.kept]:
                del self.seconds[old]
        return there


class ComparisonCounters:
    """All routes.

    They grow by `record_outcomes`, `count_result`, `violated`; `apply_spans` restarts those whose rules are others now.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._routes: dict[str, _Route] = {}
        self._forgiven: Counter[tuple[str, ...]] = Counter()
        self._differences: Counter[tuple[str, ...]] = Counter()
        self._violations: Counter[tuple[str, ...]] = Counter()
        self._checks: Counter[tuple[str, ...]] = Counter()

    def apply_spans(self, spans: Mapping[str, tuple[float, int]]) -> None:
        """Count these routes over windows of so many seconds, each from its generation on."""
        known, self._routes = self._routes, {}
        for name, (window, since) in spans.items():
            there = known.get(name)
            route = self._routes[name] = _Route(window, since)
            if there is not None:
                route.totals = there.totals
                if there.since >= since:
                    route.since, route.seen, route.kinds = there.since, there.seen, there.kinds
                    route.seconds, route.violations, route.details = there.seconds, there.violations, there.details
                    route.own = there.own

    def restart(self, route: str, since: int) -> None:
        """Forget the window of `route`: what was decided before generation `since` does not count any more."""
        there = self._routes.get(route)
        if there is not None:
            there.since = max(there.since, since)
            there.seconds, there.violations, there.seen, there.kinds = {}, {}, _Counts(), Kinds()
            there.own = _OwnDifferences()

    def record_outcomes(self, outcomes: Outcomes) -> None:
        """Add what one worker decided in one second."""
        for pairs in outcomes.pairs:
            route = self._routes.get(pairs.route)
            if route is not None:
                spans = [route.totals]
                if pairs.generation >= route.since:
                    spans += [route.seen, route.counts(outcomes.second)]
                    for kind in pairs.kinds:
                        route.kinds.saw(kind)
                    for kind in pairs.kinds_compared:
                        route.kinds.compare(kind)
                for counts in spans:
                    _add(counts, pairs)
                self.forgave(pairs.route, pairs.forgiven)

    def count_result(self, route: str, generation: int, result: str, reason: str = "", pairs: int = 1) -> None:
        """Count pairs of which was decided here, or by a judge, as a rule one."""
        there = self._routes.get(route)
        if there is None:
            return
        spans = [there.totals]
        if generation >= there.since:
            spans += [there.seen, there.counts(int(self._clock()))]
        for counts in spans:
            counts.results[result, reason] += pairs

    def compared(self, route: str, generation: int, kind: str) -> None:
        """Note that a pair of answers to such a request has a result that counts."""
        there = self._routes.get(route)
        if there is not None and generation >= there.since:
            there.kinds.compare(kind)

    def differs(self, route: str, generation: int, places: frozenset[Place], pairs: int = 1) -> None:
        """Note where pairs differ that were counted as different."""
        there = self._routes.get(route)
        if there is not None and generation >= there.since:
            there.own.differing.extend([(int(self._clock()), places)] * pairs)

    def sampled(self, route: str, generation: int, sampled: Sampled) -> None:
        """Note where second answers of legacy differ from the first ones."""
        there = self._routes.get(route)
        if there is not None and generation >= there.since and sampled.count:
            there.own.samples.append((int(self._clock()), sampled))

    def forgave(self, route: str, forgiven: Iterable[tuple[str, int]]) -> None:
        """Count values that a rule forgave."""
        for rule, count in forgiven:
            self._forgiven[route, rule] += count

    def differed(self, route: str, kinds: Iterable[str], pairs: int = 1) -> None:
        """Count differences by their kind, those of so many pairs."""
        for kind in kinds:
            self._differences[route, kind] += pairs

    def checked(self, route: str, states: Iterable[tuple[str, str, int]]) -> None:
        """Count the states of invariants, by name, with the number of pairs of each."""
        for name, state, pairs in states:
            self._checks[route, name, state] += pairs

    def violated(self, route: str, generation: int, invariant: str, on_violation: str, detail: str) -> None:
        """Count a violation that survived being asked again."""
        self._violations[route, invariant] += 1
        there = self._routes.get(route)
        if there is not None and generation >= there.since:
            second = int(self._clock())
            there.violations.setdefault(second, Counter())[invariant, on_violation] += 1
            there.details[invariant] = detail
            for old in [each for each in there.violations if each <= second - there.kept]:
                del there.violations[old]

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def lately(self, route: str) -> ComparedTally:
        """Return what became of the route's mirrored requests within its window."""
        there = self._routes.get(route)
        whole = _Counts()
        if there is not None:
            oldest = int(self._clock()) - int(there.window)
            for second, counts in there.seconds.items():
                if second > oldest:
                    whole.eligible += counts.eligible
                    whole.results.update(counts.results)
            tally = whole.tally()
            return replace(tally, excused=there.own.excused(oldest)) if tally.different else tally
        return whole.tally()

    def seen(self, route: str) -> ComparedTally:
        """Return the same since the route's rules are what they are."""
        there = self._routes.get(route)
        return ComparedTally() if there is None else there.seen.tally()

    def never_compared(self, route: str) -> frozenset[str]:
        """Return the kinds of request that users send, of which no pair was compared, since the rules are these."""
        there = self._routes.get(route)
        return frozenset() if there is None else there.kinds.never_compared

    def totals(self, route: str) -> ComparedTally:
        """Return the same since the start."""
        there = self._routes.get(route)
        return ComparedTally() if there is None else there.totals.tally()

    def violations(self, route: str) -> tuple[Violation, ...]:
        """Return which invariants were broken within the route's window."""
        there = self._routes.get(route)
        if there is None:
            return ()
        oldest = int(self._clock()) - int(there.window)
        lately: Counter[tuple[str, str]] = Counter()
        for second, counted in there.violations.items():
            if second > oldest:
                lately.update(counted)
        return tuple(Violation(name, act, count, there.details[name]) for (name, act), count in lately.items())

    def invariants(self, route: str) -> dict[str, dict[str, int]]:
        """Return how often each invariant of a route was held, violated, indeterminate since the start."""
        counts: dict[str, dict[str, int]] = {}
        for (of, name, state), count in self._checks.items():
            if of == route:
                counts.setdefault(name, {"held": 0, "violated": 0, "indeterminate": 0})[state] = count
        return counts

    def series(self) -> Iterator[tuple[Key, Values]]:
        """Yield every series that this adds to a scrape."""
        for name, route in self._routes.items():
            for (result, reason), count in route.totals.results.items():
                yield (metric_names.COMPARISONS.name, (name, result, reason)), (count,)
        counted: tuple[tuple[Metric, Counter[tuple[str, ...]]], ...] = (
            (metric_names.FORGIVEN, self._forgiven),
            (metric_names.DIFFERENCES, self._differences),
            (metric_names.INVARIANT_CHECKS, self._checks),
            (metric_names.INVARIANT_VIOLATIONS, self._violations),
        )
        for metric, counter in counted:
            for labels, count in counter.items():
                if labels[0] in self._routes:
                    yield (metric.name, labels), (count,)


FEWEST_ELIGIBLE = 20
"""Eligible requests in a window before a route is said to need sessions."""


class WithoutSessions:
    """Reports routes where most pairs need the users' sessions; `_told` holds those as long as it is so."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._told: set[str] = set()

    def look(self, route: str, lately: ComparedTally) -> None:
        """Report `route`, once as long as most of its pairs are `not_compared: session`."""
        if lately.eligible < FEWEST_ELIGIBLE:
            return
        if not lately.needs_sessions:
            self._told.discard(route)
        elif route not in self._told:
            self._told.add(route)
            self._emit(events.COVERAGE_SESSION, "warning", route=route, coverage=SESSION, cure=SESSION_CURE)


def _add(counts: _Counts, pairs: PairCounts) -> None:
    counts.eligible += pairs.eligible
    counts.results["equal", ""] += pairs.equal
    counts.results["transient", ""] += pairs.transient
    for reason, count in pairs.not_compared:
        counts.results["not_compared", reason] += count
