"""Tells in the status document what became of a route's mirrored requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.state.mirror_outcomes import DROPPED, NOT_SAMPLED
from rules.guard.window import ComparedTally

_NEVER_SENT = (*DROPPED, NOT_SAMPLED)


def compared(
    window: ComparedTally, totals: ComparedTally, invariants: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Return the members `shadow`, `compare`, `invariants` of a route.

    Counts are of the guard's window, `totals` and invariants since the start.
    """
    return {
        "shadow": {**_sent(window), "totals": _sent(totals)},
        "compare": {**_compared(window), "totals": _compared(totals)},
        "invariants": invariants,
    }


def _sent(tally: ComparedTally) -> dict[str, int]:
    dropped = sum(tally.not_compared.get(reason, 0) for reason in DROPPED)
    never = sum(tally.not_compared.get(reason, 0) for reason in _NEVER_SENT)
    return {"sent": max(0, tally.eligible - never), "dropped": dropped}


def _compared(tally: ComparedTally) -> dict[str, Any]:
    return {
        "eligible": tally.eligible,
        "equal": tally.equal,
        "different": tally.different,
        "noise": tally.noise,
        "transient": tally.transient,
        "not_compared": sum(tally.not_compared.values()),
        "reasons": dict(tally.not_compared),
        "coverage": tally.coverage,
        "mismatch_rate": tally.mismatch_rate,
    }
