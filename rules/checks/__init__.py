"""The checks across fields: one short function each, handed a Plan, yielding Findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rules.checks.plan import Plan
from rules.problems import Finding

__all__ = ["CHECKS", "Plan", "check"]

CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = ()


def check(plan: Plan) -> Iterator[Finding]:
    """Run every check."""
    for one in CHECKS:
        yield from one(plan)
