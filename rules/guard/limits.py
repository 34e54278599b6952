"""Absolute limits of a route: errors, latency, mismatches, violated business rules.

A limit is exceeded when so many bad requests would be improbable at the limit itself: 6 of 20 at 5 %, 3 % over it
among thousands, never a bare ratio. A P95 is such a share too: at most 5 % may take longer. Two spans are checked,
the window and its last seconds; the latter, checked more often for its length, must be far more improbable.

Modern is not accused where legacy, with traffic of its own in the same span, is above the limit as well and modern
not clearly worse. Failures of requests that failed on legacy as well are subtracted first.
"""

from __future__ import annotations

from math import ceil
from typing import Final, NamedTuple

from rules.guard.evidence import BAD, BURST, CANNOT_TELL, GOOD, TOO_LITTLE, Check, Evidence, Sides
from rules.guard.exact_tests import binomial_tail, hypergeometric_tail, least_share
from rules.guard.excuses import Excused
from rules.guard.window import PairTally, above, percentile
from rules.model import GuardPolicy

IMPROBABLE: Final = 1e-3
"""The chance below which a whole window exceeds a limit."""
IN_A_BURST: Final = 1e-6
"""The same for the last seconds."""
CLEARLY: Final = 1e-6
"""The chance below which modern is worse even than a legacy that exceeds the limit itself, or in a few seconds."""
SLOW_SHARE: Final = 0.05
"""The share of requests above a P95."""
_SOME: Final = 3
"""Bad requests of legacy that are no chance any more: near the limit it may be just below while modern is above."""
_KNOWN: Final = 5
"""Failures with a known result of the other side before any is subtracted."""


class _Bad(NamedTuple):
    """Bad requests and all requests of both sides, in a span."""

    modern: int
    modern_of: int
    legacy: int
    legacy_of: int


class _Look(NamedTuple):
    """How a span is checked: the requests of legacy that are needed, the chance that counts as improbable."""

    enough: int
    chance: float


_Span = tuple[_Bad, _Look]
_BURST: Final = _Look(1, IN_A_BURST)


def errors(policy: GuardPolicy, evidence: Evidence) -> Check:
    """Whether the share of errors is within `error_rate`."""
    limit, seen = policy.error_rate, evidence.modern
    value = seen.error_rate if seen.requests else None
    detail = f"{seen.errors} of {seen.requests} failed"
    if seen.requests < policy.min_requests or not seen.requests:
        return Check("errors", TOO_LITTLE, value, limit, _wanting(seen.requests, policy))
    check = _check("errors", value, limit, detail, _failures(policy, evidence, PairTally()), limit)
    shared = _shared(seen.errors, evidence.pairs)
    if check.outcome == BAD and shared:
        cleared = _check("errors", value, limit, detail, _failures(policy, evidence, evidence.pairs), limit)
        if cleared.outcome != BAD:
            return Check("errors", CANNOT_TELL, value, limit, f"{check.detail}; about {shared} of them on legacy too")
    return check


def latency(policy: GuardPolicy, evidence: Evidence) -> Check:
    """Whether P95 is within `p95`. A request that still waits counts once it has waited longer than that."""
    limit = policy.p95
    spans = [(_slow(evidence.sides, limit), _window(policy))]
    if evidence.burst is not None:
        spans.append((_slow(evidence.burst, limit), _BURST))
    seen = spans[0][0]
    value = _p95(evidence.sides, limit)
    if seen.modern_of < policy.min_requests or not seen.modern_of:
        return Check("p95", TOO_LITTLE, value, limit, _wanting(seen.modern_of, policy))
    detail = f"{seen.modern} of {seen.modern_of} took longer"
    return _check("p95", value, limit, detail, spans, SLOW_SHARE)


def _check(name: str, value: float | None, limit: float, detail: str, spans: list[_Span], share: float) -> Check:
    """Return the worst check of the spans: a good window does not excuse its last seconds."""
    outcomes = [_outcome(bad, share, look) for bad, look in spans]
    if BAD not in outcomes and CANNOT_TELL not in outcomes:
        return Check(name, GOOD, value, limit, detail)
    worst = BAD if BAD in outcomes else CANNOT_TELL
    bad = spans[outcomes.index(worst)][0]
    if outcomes.index(worst):
        detail = f"{bad.modern} of {bad.modern_of} within the last {BURST:g} s"
    if worst == CANNOT_TELL:
        detail += f"; legacy as well: {bad.legacy} of {bad.legacy_of}"
    return Check(name, worst, value, limit, detail)


def _outcome(bad: _Bad, share: float, look: _Look) -> str:
    if bad.modern <= share * bad.modern_of or binomial_tail(bad.modern, bad.modern_of, share) >= look.chance:
        return GOOD
    if bad.legacy_of < look.enough:
        return BAD
    if bad.legacy > share * bad.legacy_of:
        return BAD if _worse(bad) < CLEARLY else CANNOT_TELL
    if look.enough == 1:
        # too short to decide by what exceeds the limit: modern must be worse beyond doubt
        return BAD if _worse(bad) < CLEARLY else GOOD
    is_alike = bad.legacy >= _SOME and 2 * bad.legacy * bad.modern_of >= bad.modern * bad.legacy_of
    return CANNOT_TELL if is_alike and _worse(bad) >= IMPROBABLE else BAD


def _worse(bad: _Bad) -> float:
    """Return the chance that modern looks so much worse than legacy though it is not."""
    return hypergeometric_tail(bad.modern, bad.modern_of, bad.legacy, bad.legacy_of)


def _failures(policy: GuardPolicy, evidence: Evidence, pairs: PairTally) -> list[_Span]:
    spans = [(_failed(evidence.sides, pairs), _window(policy))]
    if evidence.burst is not None:
        spans.append((_failed(evidence.burst, pairs), _BURST))
    return spans


def _failed(sides: Sides, pairs: PairTally) -> _Bad:
    modern, legacy = sides.modern, sides.legacy
    alone = modern.errors - _shared(modern.errors, pairs)
    return _Bad(alone, modern.requests, legacy.errors, legacy.requests)


def _shared(errors: int, pairs: PairTally) -> int:
    """Return how many of modern's errors legacy had too, estimated from those with a known result of legacy."""
    alone, shared = pairs.modern_failed + pairs.rescued, pairs.both_failed + pairs.lost
    known = alone + shared
    return errors - ceil(errors * alone / known) if known >= _KNOWN else 0


def _slow(sides: Sides, limit: float) -> _Bad:
    if limit <= 0.0:
        return _Bad(0, sum(sides.modern.latencies.values()), 0, sum(sides.legacy.latencies.values()))
    modern, legacy = above(sides.modern_waiting, limit), above(sides.legacy_waiting, limit)
    return _Bad(
        above(sides.modern.latencies, limit) + modern,
        sum(sides.modern.latencies.values()) + modern,
        above(sides.legacy.latencies, limit) + legacy,
        sum(sides.legacy.latencies.values()) + legacy,
    )


def _p95(sides: Sides, limit: float) -> float | None:
    """Return modern's P95 in seconds; requests that wait longer than the limit count with their age so far."""
    if limit > 0.0 and above(sides.modern_waiting, limit):
        whole = dict(sides.modern.latencies)
        for step, count in sides.modern_waiting.items():
            if above({step: count}, limit):
                whole[step] = whole.get(step, 0) + count
        return percentile(whole, 1.0 - SLOW_SHARE)
    return sides.modern.percentile(1.0 - SLOW_SHARE)


def _window(policy: GuardPolicy) -> _Look:
    return _Look(max(2, policy.min_requests), IMPROBABLE)


def _wanting(seen: int, policy: GuardPolicy) -> str:
    if not seen:
        return "no traffic on modern"
    return f"{seen} of the {policy.min_requests} requests that are needed"


# Judges modern by its responses: the share that differs from legacy's, and violated business rules.


IMPROBABLE_MISMATCH: Final = 1e-3
UNCOMPARED: Final = 5
_PLACES_TOLD: Final = 5


def mismatch(policy: GuardPolicy, evidence: Evidence) -> Check:
    """Whether the share of differing responses is certainly within `mismatch_rate`, chance allowed for.

    What was not compared proves nothing: where mirrored requests were many and compared ones none, the check
    is undecided (`cannot_tell`). Many is `UNCOMPARED` times `min_requests`: a worker that just starts, or is
    overloaded for a second, leaves out the copies of that second. It is also undecided where what is left without
    the excused pairs is within the limit.
    """
    seen, limit = evidence.compared, policy.mismatch_rate
    compared, rate = seen.compared, seen.mismatch_rate
    if not compared and seen.eligible >= UNCOMPARED * max(1, policy.min_requests):
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(seen.not_compared.items()))
        return Check("mismatch", CANNOT_TELL, None, limit, f"none of {seen.eligible} compared: {reasons or 'pending'}")
    if compared < policy.min_requests or not compared:
        return Check("mismatch", TOO_LITTLE, rate, limit, f"{compared} of the {policy.min_requests} pairs needed")
    detail = f"{seen.different} of {compared} differ"
    if binomial_tail(seen.different, compared, limit) >= IMPROBABLE_MISMATCH:
        return Check("mismatch", GOOD, rate, limit, detail)
    left = max(0, seen.different - seen.excused.pairs)
    if left < seen.different and binomial_tail(left, compared, limit) >= IMPROBABLE_MISMATCH:
        return Check("mismatch", CANNOT_TELL, rate, limit, f"{detail}, {_excuse(seen.excused)}")
    least = least_share(seen.different, compared, IMPROBABLE_MISMATCH)
    return Check("mismatch", BAD, rate, limit, f"{detail}, a rate of at least {least:.2%}")


def _excuse(excused: Excused) -> str:
    """Return why pairs are excused, with what to do about it."""
    places = ", ".join(excused.places[:_PLACES_TOLD])
    more = len(excused.places) - _PLACES_TOLD
    where = f"{places} and {more} more places" if more > 0 else places
    return (
        f"{excused.pairs} of them only where legacy differs from itself: {where}; "
        "set `noise: learn`, or `ignore` (in texts `ignore_text`) what is meant to differ"
    )


def invariants(evidence: Evidence) -> Check:
    """Whether every business rule is kept. One violation is enough; those that are only observed are reported."""
    broken = [violation for violation in evidence.violations if violation.count > 0]
    acting = [violation for violation in broken if violation.on_violation == "rollback"]
    detail = "; ".join(f"{each.invariant} broken {each.count}x {each.detail}".rstrip() for each in acting or broken)
    outcome = BAD if acting else GOOD
    return Check("invariant", outcome, float(sum(each.count for each in acting or broken)), 0.0, detail)
