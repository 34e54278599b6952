"""Counts results, keeps differences, knows the known ones."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import orjson

from proxy.control.comparison.counters import ComparisonCounters
from proxy.ipc.judge_messages import MOST_FOUND, Checked, Found, Opinion, Repeated, RouteTally
from proxy.ipc.messages import Pair, Unjudged
from proxy.storage.diff_store import TRANSIENT, Difference, Known
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.telemetry.request_kinds import kind_of
from rules.guard.excuses import Place, Sampled
from rules.model import LEGACY, Invariant, Snapshot

# Which differences an operator has marked as known, and whether they still keep within the marked limits.
#
# A known difference goes on being counted. It is forgiven until its day has come, as long as it is not more frequent
# than it may be.


WINDOW = 600.0
FEWEST = 20
"""Pairs of a route within the window before a rate says anything."""
_KEPT = 5000


class Rates:
    """How frequent something was among a route's compared pairs lately; the events leave after `WINDOW` seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events: dict[str, deque[tuple[float, int, Mapping[str, int]]]] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._pairs: Counter[str] = Counter()

    def note(self, route: str, things: Iterable[str], pairs: int = 1) -> None:
        """Note that so many pairs of `route` were compared, in each of which were these things."""
        self.count_pairs(route, pairs, dict.fromkeys(things, pairs))

    def count_pairs(self, route: str, pairs: int, things: Mapping[str, int]) -> None:
        """Note that so many pairs of `route` were compared, and in how many of them each thing was."""
        events = self._events.setdefault(route, deque())
        now = self._clock()
        events.append((now, pairs, things))
        self._count(route, pairs, things, 1)
        while events and (events[0][0] < now - WINDOW or len(events) > _KEPT):
            _, many, gone = events.popleft()
            self._count(route, many, gone, -1)

    def over(self, route: str, thing: str, most: float | None) -> bool:
        """Whether `thing` was in more than the share `most` of the pairs; None is no limit."""
        seen = self._pairs[route]
        return most is not None and seen >= FEWEST and self._counts[route][thing] > most * seen

    def _count(self, route: str, pairs: int, things: Mapping[str, int], sign: int) -> None:
        self._pairs[route] += sign * pairs
        counts = self._counts.setdefault(route, Counter())
        for thing, many in things.items():
            counts[thing] += sign * many


class KnownDifferences:
    """What was said at run time, by group. `_known` changes by `learn`, from the store or by an operator."""

    def __init__(self, rates: Rates, today: Callable[[], str]) -> None:
        self._known: dict[str, Known] = {}
        self._rates = rates
        self._today = today

    def learn(self, known: Mapping[str, Known]) -> None:
        """Replace all that is known."""
        self._known = dict(known)

    def set(self, group: str, known: Known | None) -> None:
        """Say that one group is known, or not any more."""
        if known is None:
            self._known.pop(group, None)
        else:
            self._known[group] = known

    def forgives(self, route: str, group: str) -> bool:
        """Whether a difference of this group is not to count as a mismatch now."""
        known = self._known.get(group)
        if known is None or (known.until and known.until < self._today()):
            return False
        return not self._rates.over(route, group, known.max_rate)


def limited_ignores(snapshot: Snapshot) -> dict[str, dict[str, float]]:
    """Return the ignored paths of the file that have a `max_rate`, by route."""
    limits: dict[str, dict[str, float]] = {}
    for route in snapshot.routes:
        ignored: list[Any] = list(route.compare.get("ignore", ()))
        found = {one["path"]: share(one["max_rate"]) for one in ignored if isinstance(one, dict) and "max_rate" in one}
        if found:
            limits[route.name] = found
    return limits


def share(written: float | str) -> float:
    """Return a share as the file may write it, `5%` or `0.05`; it was checked when the file was loaded."""
    if isinstance(written, str):
        text = written.strip()
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    return float(written)


_ALONE = "alone"
_COUNT = ("equal", "different", "noise")
_TOLD = 1000
"""Groups that were reported in the log; further ones are not logged."""


@dataclass(frozen=True, slots=True)
class ViolationSeen:
    """An invariant that does not hold, asked again included; `pair` names the example, `values` are both operands."""

    route: str
    generation: int
    invariant: str
    on_violation: str
    detail: str
    values: tuple[str, str]
    pair: str
    at: float


class ComparisonResults:
    """Where every judged pair ends, in exactly one count. `_told` grows with each new group.

    `keep` hands a difference to the store. `invariants` returns the invariants of a route. `observe` gets what
    noise is learned from.
    """

    def __init__(
        self,
        comparisons: ComparisonCounters,
        known: KnownDifferences,
        rates: Rates,
        *,
        keep: Callable[[Difference], bool],
        invariants: Callable[[str], Sequence[Invariant]],
        on_violation: Callable[[ViolationSeen], None],
        observe: Callable[[str, bytes, float], None],
        emit: Emit,
    ) -> None:
        self._counters = comparisons
        self._known = known
        self._rates = rates
        self._keep = keep
        self._invariants = invariants
        self._on_violation = on_violation
        self._observe = observe
        self._emit = emit
        self._told: set[str] = set()

    def learn(self, pair: Pair, opinion: Opinion) -> None:
        """Note what every first opinion holds, whatever comes of it: what was forgiven, what legacy itself varies."""
        self._counters.forgave(pair.route, opinion.forgiven)
        self._counters.checked(pair.route, [(one.name, one.state, 1) for one in opinion.checked])
        self.observed(pair, opinion)
        if opinion.verdict != "not_compared":
            self._rates.note(pair.route, [*(rule for rule, _ in opinion.forgiven), *_groups(opinion.found)])

    def observed(self, pair: Pair, opinion: Opinion) -> None:
        """Note what two answers of legacy to one request show: what it varies by itself."""
        if opinion.sampled:
            paths = frozenset(_places_of(opinion.observed)) if opinion.observed else frozenset()
            self._counters.sampled(pair.route, pair.generation, Sampled(paths))
        if opinion.observed:
            self._observe(pair.route, opinion.observed, pair.at)

    def tally(self, row: RouteTally) -> None:
        """Count pairs about which there is nothing to decide."""
        route, generation = row.route, row.generation
        self._counters.forgave(route, row.forgiven)
        self._counters.checked(route, row.checked)
        for result, reason, pairs in row.results:
            self._counters.count_result(route, generation, result, reason, pairs)
        for kind in row.kinds:
            self._counters.compared(route, generation, kind)
        self._counters.sampled(route, generation, Sampled(frozenset(), row.sampled))
        if row.compared:
            self._rates.count_pairs(route, row.compared, dict(row.rated))

    def repeat(self, message: Repeated, *, is_race: bool) -> None:
        """Count pairs that differ as one that came whole; `is_race`: what they differ in was gone when asked again.

        They are added to their groups, of which that one is an example.
        """
        pair, opinion, count = message.pair, message.opinion, message.count
        route, groups = pair.route, _groups(opinion.found)
        self._counters.forgave(route, opinion.forgiven)
        self._rates.count_pairs(route, count, {**dict(message.rated), **dict.fromkeys(groups, count)})
        if self.is_known(pair, opinion):
            self._counters.forgave(route, (("known", count * len(opinion.found)),))
            self._count(pair, "equal", "known", count)
        elif is_race:
            self._count(pair, "not_compared", "unchecked", count)
            return
        else:
            self._count(pair, "different", pairs=count)
            self._counters.differs(route, pair.generation, places_of(opinion.found), count)
            self._counters.differed(route, [each.kind for each in opinion.found], count)
        self._keep(Difference(pair.id, pair.at, route, "", opinion.found, count=count, is_example=False))

    def unjudged(self, message: Unjudged) -> None:
        """Count pairs that ended their judge, or were not judged because others of their route have."""
        if message.count:
            self._counters.count_result(
                message.route, message.generation, "not_compared", message.reason, message.count
            )

    def is_known(self, pair: Pair, opinion: Opinion) -> bool:
        """Whether everything that differs is known, as often as it may be."""
        return bool(opinion.found) and all(self._known.forgives(pair.route, each.group) for each in opinion.found)

    def not_compared(self, pair: Pair, reason: str) -> None:
        """Count a pair that could not be judged."""
        self._count(pair, "not_compared", reason)

    def noise(self, pair: Pair) -> None:
        """Count a pair that differs only where legacy differs from itself."""
        self._count(pair, "noise")

    def transient(self, pair: Pair, opinion: Opinion) -> None:
        """Count a difference that was a race, or a copy that modern failed once; keep it as an example of that."""
        reason = "status" if is_failed_copy(pair) else ""
        self._count(pair, "transient", reason)
        found = [replace(each, group=f"{TRANSIENT}{each.group}") for each in opinion.found]
        self._store(pair, opinion, found, (_FAILED_ONCE if reason else _GONE,))

    def settle(self, pair: Pair, opinion: Opinion) -> None:
        """Count a pair about which there is no more to find out."""
        if opinion.verdict == "different":
            # known differences stay counted: in their group, as forgiven, under a reason of their own
            self._counters.forgave(pair.route, (("known", len(opinion.found)),))
            self._store(pair, opinion, opinion.found, ())
            self._count(pair, "equal", "known")
        else:
            if opinion.found:  # a comparator of the operator's, or ours, has failed: it must be seen
                self._counters.differed(pair.route, [each.kind for each in opinion.found])
                self._emit_differences(pair, opinion.found)
                self._store(pair, opinion, opinion.found, ())
            self._count(pair, opinion.verdict, opinion.reason if opinion.verdict == "not_compared" else "")

    def confirm(self, pair: Pair, opinion: Opinion, violations: Sequence[Checked], notes: tuple[str, ...]) -> None:
        """Count a pair that differs, or breaks invariants, beyond doubt; keep it, report it."""
        told = {one.name: one for one in violations}
        if opinion.verdict == "different" and not self.is_known(pair, opinion):
            self._count(pair, "different")
            self._counters.differs(pair.route, pair.generation, places_of(opinion.found))
            self._counters.differed(pair.route, [each.kind for each in opinion.found])
            self._emit_differences(pair, opinion.found)
            self._store(pair, opinion, opinion.found, notes)
        else:
            self.settle(pair, opinion)
        if violations:
            self._store(pair, opinion, [_broken(pair.route, one) for one in violations], notes)
        for invariant in self._invariants(pair.route):
            if invariant.name in told:
                self._violated(pair, invariant, told[invariant.name])

    def _violated(self, pair: Pair, invariant: Invariant, checked: Checked) -> None:
        seen = ViolationSeen(
            pair.route,
            pair.generation,
            invariant.name,
            invariant.on_violation,
            checked.detail,
            (checked.left, checked.right),
            pair.id,
            pair.at,
        )
        self._counters.violated(pair.route, pair.generation, invariant.name, invariant.on_violation, checked.detail)
        self._emit(
            events.INVARIANT_VIOLATED, "error", route=pair.route, invariant=invariant.name, detail=checked.detail
        )
        self._on_violation(seen)

    def _store(self, pair: Pair, opinion: Opinion, found: Sequence[Found], notes: tuple[str, ...]) -> None:
        told = (*opinion.notes, *notes)
        self._keep(Difference(pair.id, pair.at, pair.route, opinion.request, tuple(found), told, opinion.payload))

    def _emit_differences(self, pair: Pair, found: Sequence[Found]) -> None:
        for each in found:
            if each.group not in self._told and len(self._told) < _TOLD:
                self._told.add(each.group)
                # the values stay in the store: a log is read by more people
                where = {"route": pair.route, "group": each.group, "path": each.path, "kind": each.kind}
                self._emit(events.DIFFERENCE, "warning", **where)

    def _count(self, pair: Pair, result: str, reason: str = "", pairs: int = 1) -> None:
        if pair.reason != _ALONE:  # there was nothing to compare: it was never eligible
            self._counters.count_result(pair.route, pair.generation, result, reason, pairs)
            if result in _COUNT:
                status = (pair.legacy if pair.live_side == LEGACY else pair.modern).status
                self._counters.compared(pair.route, pair.generation, kind_of(pair.method, pair.path, status))


def _broken(route: str, checked: Checked) -> Found:
    """Return a broken invariant as a group of its own, so that its example is found where differences are."""
    path = f"@invariant:{checked.name}"
    group = sha256(f"{route} {path}".encode()).hexdigest()[:16]
    return Found(group, path, path, "value", checked.left, checked.right, checked.detail)


def _groups(found: Sequence[Found]) -> set[str]:
    return {each.group for each in found}


_GONE = "equal in the re-check, or a write was near: no mismatch"
_FAILED_ONCE = "modern failed this copy, and not the second one: no mismatch, but it counts against readiness"
_SERVER_ERROR = 500


def is_failed_copy(pair: Pair) -> bool:
    """Whether modern answered a mirrored request with a 5xx that legacy did not answer so."""
    return pair.live_side == LEGACY and pair.modern.status >= _SERVER_ERROR > pair.legacy.status


# Names the places where pairs differ as those where legacy differs from itself are named.


def places_of(found: Sequence[Found]) -> frozenset[Place]:
    """Return where a pair differs; one that differs in more places than are distinguished is never excused."""
    from comparators.noise_rules import is_about_money
    from comparators.paths import steps
    from comparators.sensitive_names import looks_money

    if len(found) >= MOST_FOUND:
        return frozenset((Place("", "error"),))
    return frozenset(
        Place(
            _place(each.pattern, each.legacy or each.modern),
            each.kind,
            looks_money(steps(each.path) if each.path.startswith("/") else (each.path,))
            or (each.path == "@body" and (is_about_money(each.legacy) or is_about_money(each.modern))),
        )
        for each in found
    )


def _places_of(observed: bytes) -> Iterator[str]:
    from comparators.model import path_pattern

    for path, _kind, first, again in orjson.loads(observed):
        yield _place(path_pattern(path), first or again)


def _place(pattern: str, literal: str) -> str:
    """Return a path pattern; where the path is the whole body, with the place that the literal begins with.

    Ids in its name are no part of it: an element that gets another one each time would be a place of its own each time.
    """
    from comparators.model import masked_place

    return f"{pattern} {masked_place(literal.partition(': ')[0])}" if pattern == "@body" else pattern
