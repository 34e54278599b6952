"""Checks on business rules."""

from __future__ import annotations

from collections.abc import Iterator

from rules.checks.plan import Path, Plan
from rules.invariant import InvariantError, compile_invariant
from rules.problems import Finding


def unreadable_invariants(plan: Plan) -> Iterator[Finding]:
    """An expression that cannot be understood would watch over nothing."""
    for path, route in plan.routes():
        for index, invariant in enumerate(route.invariants):
            try:
                compile_invariant(invariant)
            except InvariantError as error:
                place: Path = (*path, "invariants", index, "expr")
                yield Finding(place, str(error), error.hint)
