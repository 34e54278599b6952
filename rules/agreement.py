"""Judges modern by what it answers: the share of answers that differ from legacy's, business rules that are broken."""

from __future__ import annotations

from typing import Final

from rules.chances import binomial_tail, least_share
from rules.evidence import Evidence
from rules.model import GuardPolicy
from rules.verdict import BAD, CANNOT_TELL, GOOD, TOO_LITTLE, Check

IMPROBABLE: Final = 1e-3
UNCOMPARED: Final = 5


def mismatch(policy: GuardPolicy, evidence: Evidence) -> Check:
    """Whether the share of differing answers is within `mismatch_rate`, be chance as kind as it can.

    What nobody managed to compare proves nothing: where mirrored requests were many, compared ones none, the check
    cannot tell. Many is `UNCOMPARED` times `min_requests`: a worker that just starts, or is short of breath for a
    second, leaves out the copies of that second.
    """
    seen, limit = evidence.compared, policy.mismatch_rate
    compared, rate = seen.compared, seen.mismatch_rate
    if not compared and seen.eligible >= UNCOMPARED * max(1, policy.min_requests):
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(seen.not_compared.items()))
        return Check("mismatch", CANNOT_TELL, None, limit, f"none of {seen.eligible} compared: {reasons or 'pending'}")
    if compared < policy.min_requests or not compared:
        return Check("mismatch", TOO_LITTLE, rate, limit, f"{compared} of the {policy.min_requests} pairs needed")
    told = f"{seen.different} of {compared} differ"
    if binomial_tail(seen.different, compared, limit) >= IMPROBABLE:
        return Check("mismatch", GOOD, rate, limit, told)
    least = least_share(seen.different, compared, IMPROBABLE)
    return Check("mismatch", BAD, rate, limit, f"{told}, which is {least:.2%} at the least")


def invariants(evidence: Evidence) -> Check:
    """Whether every business rule is kept. One violation is enough; those that are only observed are told."""
    broken = [violation for violation in evidence.violations if violation.count > 0]
    acting = [violation for violation in broken if violation.on_violation == "rollback"]
    told = "; ".join(f"{each.invariant} broken {each.count}x {each.detail}".rstrip() for each in acting or broken)
    outcome = BAD if acting else GOOD
    return Check("invariant", outcome, float(sum(each.count for each in acting or broken)), 0.0, told)
