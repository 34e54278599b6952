"""The judge: limits, what was seen, the time in; a verdict with its reasons out.

1. has a worker tripped, is a business rule broken?
2. are the hard ceilings kept?
3. is modern worse than legacy at the same time?
4. do the answers agree?
5. the worst of it is the verdict; questions that could not be asked do not make it worse, but for the ceilings:
   without enough requests to judge these by, nothing is good
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
