"""Counts what pairs turned out to be, keeps the differences, tells of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from proxy.ipc.judge_messages import Checked, Opinion
from proxy.ipc.messages import Pair
from proxy.operating.comparisons import Comparisons
from proxy.operating.known import KnownDifferences, Rates
from proxy.state.mirror_outcomes import kind_of
from proxy.storage.diff_store import Difference, Found
from proxy.telemetry import events
from proxy.telemetry.events import Tell
from rules.model import LEGACY, Invariant

_ALONE = "alone"
_COUNT = ("equal", "different", "noise")
_TOLD = 1000
"""Groups that were told of in the log; beyond, the log says no more."""


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


class Verdicts:
    """Where every judged pair ends, in exactly one count. `_told` grows with each new group.

    `keep` hands a difference to the store. `invariants` returns the invariants of a route. `observe` gets what
    noise is learned from.
    """

    def __init__(
        self,
        comparisons: Comparisons,
        known: KnownDifferences,
        rates: Rates,
        *,
        keep: Callable[[Difference], bool],
        invariants: Callable[[str], Sequence[Invariant]],
        on_violation: Callable[[ViolationSeen], None],
        observe: Callable[[str, bytes, float], None],
        tell: Tell,
    ) -> None:
        self._comparisons = comparisons
        self._known = known
        self._rates = rates
        self._keep = keep
        self._invariants = invariants
        self._on_violation = on_violation
        self._observe = observe
        self._tell = tell
        self._told: set[str] = set()

    def learn(self, pair: Pair, opinion: Opinion) -> None:
        """Note what every first opinion tells, whatever comes of it: what was forgiven, what legacy itself varies."""
        self._comparisons.forgave(pair.route, opinion.forgiven)
        self._comparisons.checked(pair.route, [(one.name, one.state) for one in opinion.checked])
        if opinion.observed:
            self._observe(pair.route, opinion.observed, pair.at)
        if opinion.verdict != "not_compared":
            self._rates.note(pair.route, [*(rule for rule, _ in opinion.forgiven), *_groups(opinion.found)])

    def is_known(self, pair: Pair, opinion: Opinion) -> bool:
        """Whether everything that differs is known, as often as it may be."""
        return bool(opinion.found) and all(self._known.forgives(pair.route, each.group) for each in opinion.found)

    def not_compared(self, pair: Pair, reason: str) -> None:
        """Count a pair that nobody could judge."""
        self._count(pair, "not_compared", reason)

    def transient(self, pair: Pair) -> None:
        """Count a difference that was a race."""
        self._count(pair, "transient")

    def settle(self, pair: Pair, opinion: Opinion) -> None:
        """Count a pair about which there is no more to find out."""
        if opinion.verdict == "different":
            # known differences stay counted: in their group, as forgiven, under a reason of their own
            self._comparisons.forgave(pair.route, (("known", len(opinion.found)),))
            self._store(pair, opinion, opinion.found, ())
            self._count(pair, "equal", "known")
        else:
            if opinion.found:  # a comparator of the operator's, or ours, has failed: somebody should see that
                self._comparisons.differed(pair.route, [each.kind for each in opinion.found])
                self._tell_of(pair, opinion.found)
                self._store(pair, opinion, opinion.found, ())
            self._count(pair, opinion.verdict, opinion.reason if opinion.verdict == "not_compared" else "")

    def confirm(self, pair: Pair, opinion: Opinion, violations: Sequence[Checked], notes: tuple[str, ...]) -> None:
        """Count a pair that differs, or breaks invariants, beyond doubt; keep it, tell of it."""
        told = {one.name: one for one in violations}
        if opinion.verdict == "different" and not self.is_known(pair, opinion):
            self._count(pair, "different")
            self._comparisons.differed(pair.route, [each.kind for each in opinion.found])
            self._tell_of(pair, opinion.found)
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
        self._comparisons.violated(pair.route, pair.generation, invariant.name, invariant.on_violation, checked.detail)
        self._tell(
            events.INVARIANT_VIOLATED, "error", route=pair.route, invariant=invariant.name, detail=checked.detail
        )
        self._on_violation(seen)

    def _store(self, pair: Pair, opinion: Opinion, found: Sequence[Found], notes: tuple[str, ...]) -> None:
        told = (*opinion.notes, *notes)
        self._keep(Difference(pair.id, pair.at, pair.route, opinion.request, tuple(found), told, opinion.payload))

    def _tell_of(self, pair: Pair, found: Sequence[Found]) -> None:
        for each in found:
            if each.group not in self._told and len(self._told) < _TOLD:
                self._told.add(each.group)
                # the values stay in the store: a log is read by more people
                where = {"route": pair.route, "group": each.group, "path": each.path, "kind": each.kind}
                self._tell(events.DIFFERENCE, "warning", **where)

    def _count(self, pair: Pair, result: str, reason: str = "") -> None:
        if pair.reason != _ALONE:  # there was nothing to compare: it was never eligible
            self._comparisons.add(pair.route, pair.generation, result, reason)
            if result in _COUNT:
                status = (pair.legacy if pair.live_side == LEGACY else pair.modern).status
                self._comparisons.compared(pair.route, pair.generation, kind_of(pair.method, pair.path, status))


def _broken(route: str, checked: Checked) -> Found:
    """Return a broken invariant as a group of its own, so that its example is found where differences are."""
    path = f"@invariant:{checked.name}"
    group = sha256(f"{route} {path}".encode()).hexdigest()[:16]
    return Found(group, path, path, "value", checked.left, checked.right, checked.detail)


def _groups(found: Sequence[Found]) -> set[str]:
    return {each.group for each in found}
