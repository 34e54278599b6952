"""Judges modern beside legacy at the same time: errors, 4xx, latency, pairs with responses of both sides.

Each check asks two questions about the same span. Is "no worse" disproved (see `sequential`)? Is what was seen
worse by at least as much as the policy names? The chance that any of the four ever accuses a modern side that is no
worse is at most `ALPHA`: two fifths of it for errors, which matter most, a fifth for each of the others.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Check, Evidence
from rules.guard.sequential import Span, Trial, Trials
from rules.model import GuardPolicy, WorseThanLegacy

ALPHA: Final = 0.01
_FOR_ERRORS: Final = log(5 / (2 * ALPHA))
_FOR_OTHERS: Final = log(5 / ALPHA)
"""The logarithm of e from which on "no worse" is given up."""
_LASTING: Final = 3
"""Seconds with slow or refused requests: one pause of the machine or one bad client does not spread over three."""
_SLOW_SHARE: Final = 0.05
_MANY: Final = 700.0
_KNOWN: Final = 5


def checks(policy: GuardPolicy, evidence: Evidence) -> tuple[Check, ...]:
    """Return the comparative checks; none where the policy has none or nothing is collected."""
    worse, trials = policy.worse_than_legacy, evidence.trials
    if worse is None or trials is None or trials.worse is None:
        return ()
    return (_errors(policy, worse, trials, evidence), _client_errors(policy, worse, trials), _latency(policy, trials))


def _errors(policy: GuardPolicy, worse: WorseThanLegacy, trials: Trials, evidence: Evidence) -> Check:
    """Do more requests fail than on legacy? Pairs are used first: there both sides had the same request."""

    def worth(span: Span) -> bool:
        return span.excess >= worse.errors and _is_enough(span, policy)

    paired = trials.paired.finding(worth)
    if paired.span is not None and paired.evidence >= _FOR_OTHERS:
        return _bad(
            "worse_errors", paired.evidence, paired.span, worse.errors, "failed though legacy answered, against"
        )
    alone = trials.errors.finding(worth)
    if alone.span is None or alone.evidence < _FOR_ERRORS:
        return _calm("worse_errors", trials.errors, worse.errors, "failed, on legacy")
    seen = evidence.pairs
    shared, known = seen.both_failed + seen.lost, seen.both_failed + seen.lost + seen.modern_failed + seen.rescued
    if known >= _KNOWN and 2 * shared > known:
        told = f"of {known} failed requests that legacy got too, {shared} failed there as well"
        return Check("worse_errors", CANNOT_TELL, alone.span.excess, worse.errors, told)
    return _bad("worse_errors", alone.evidence, alone.span, worse.errors, "failed, on legacy")


def _client_errors(policy: GuardPolicy, worse: WorseThanLegacy, trials: Trials) -> Check:
    """Are more requests answered with 4xx than on legacy? A modern that returns only 401 has no errors."""

    def worth(span: Span) -> bool:
        return span.excess >= worse.errors and span.seconds >= _LASTING and _is_enough(span, policy)

    found = trials.client_errors.finding(worth)
    if found.span is None or found.evidence < _FOR_OTHERS:
        return _calm("worse_4xx", trials.client_errors, worse.errors, "were 4xx, on legacy")
    return _bad("worse_4xx", found.evidence, found.span, worse.errors, "were 4xx, on legacy")


def _latency(policy: GuardPolicy, trials: Trials) -> Check:
    """Is modern slower? `far` above 5 % says that P95 itself is, by the factor and the floor of the policy."""

    def worth(span: Span) -> bool:
        usual = max(_SLOW_SHARE, span.legacy.bad / span.legacy.requests)
        is_far = span.far >= usual * span.modern.requests
        return is_far and span.seconds >= _LASTING and _is_enough(span, policy)

    told = "were slower than legacy's P95 of late, of legacy's own"
    found = trials.latency.finding(worth)
    if found.span is None or found.evidence < _FOR_OTHERS:
        return _calm("worse_p95", trials.latency, _SLOW_SHARE, told)
    modern = found.span.modern
    check = _bad("worse_p95", found.evidence, found.span, _SLOW_SHARE, told)
    far = f"; {found.span.far} were slower by more than is allowed"
    return Check(check.name, check.outcome, found.span.far / modern.requests, check.limit, check.detail + far)


def _calm(name: str, trial: Trial, limit: float, told: str) -> Check:
    """Return the check that passes: with the numbers since the window's restart, if there are any."""
    whole = trial.whole()
    if whole is None:
        return Check(name, TOO_LITTLE, None, limit, "no traffic on both sides at the same time")
    return Check(name, GOOD, whole.excess, limit, _counts(whole, told))


def _bad(name: str, evidence: float, span: Span, limit: float, told: str) -> Check:
    detail = f"{_counts(span, told)}; chance under no worse {exp(-min(_MANY, evidence)):.1g}"
    return Check(name, BAD, span.excess, limit, detail)


def _counts(span: Span, told: str) -> str:
    modern, legacy = span.modern, span.legacy
    return f"{modern.bad} of {modern.requests} {told} {legacy.bad} of {legacy.requests}"


def _is_enough(span: Span, policy: GuardPolicy) -> bool:
    return min(span.modern.requests, span.legacy.requests) >= max(1, policy.min_requests)
