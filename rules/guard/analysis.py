"""The analysis: limits, evidence and the time in; a verdict with its reasons out.

1. has a worker's circuit breaker opened, is a business rule violated?
2. are the absolute limits kept?
3. is modern worse than legacy at the same time?
4. do the responses agree?
5. the worst check is the verdict; checks that could not be made do not make it worse, except the absolute limits:
   without enough requests for these, no verdict is good
"""

from __future__ import annotations

from rules.guard import limits, versus_legacy
from rules.guard.evidence import BAD, CANNOT_TELL, GOOD, REASONS, TOO_LITTLE, Check, Evidence, Verdict
from rules.model import GuardPolicy

_NEEDED = frozenset({"errors", "p95"})


def judge(policy: GuardPolicy, evidence: Evidence, now: float) -> Verdict:
    """Return how the modern side of a route behaves; `now` is the time of the verdict."""
    checks = tuple(_checks(policy, evidence))
    for outcome in (BAD, CANNOT_TELL):
        names = {check.name for check in checks if check.outcome == outcome}
        if names:
            return Verdict(outcome, min(names, key=REASONS.index), checks, policy.window, now)
    wanting = any(check.name in _NEEDED and check.outcome == TOO_LITTLE for check in checks)
    return Verdict(TOO_LITTLE if wanting else GOOD, "", checks, policy.window, now)


def _checks(policy: GuardPolicy, evidence: Evidence) -> list[Check]:
    checks = []
    if policy.consecutive_failures:
        outcome = BAD if evidence.trip else GOOD
        checks.append(Check("consecutive", outcome, None, float(policy.consecutive_failures), evidence.trip))
    if evidence.violations:
        checks.append(limits.invariants(evidence))
    checks.append(limits.errors(policy, evidence))
    if policy.p95:
        checks.append(limits.latency(policy, evidence))
    checks.extend(versus_legacy.checks(policy, evidence))
    if evidence.mirrored:
        checks.append(limits.mismatch(policy, evidence))
    return checks
