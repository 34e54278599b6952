"""The checks across fields: one short function each, handed a Plan, yielding Findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rules.checks import backends, edits, invariants, listeners, names, reach, rollouts, shadows, steep
from rules.checks.plan import Plan
from rules.problems import Finding

__all__ = ["CHECKS", "Plan", "check"]

CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    listeners.one_address_twice,
    listeners.everybody_trusted,
    listeners.header_from_nobody,
    backends.unknown_backends,
    backends.tls_without_https,
    names.repeated_routes,
    names.repeated_invariants,
    names.uncaptured_names,
    invariants.unreadable_invariants,
    reach.ties,
    reach.unreachable,
    rollouts.weight_without_identity,
    rollouts.lists_without_identity,
    rollouts.on_both_lists,
    rollouts.shrinking_steps,
    rollouts.uneven_groups,
    rollouts.unguarded_weight,
    shadows.methods_never_mirrored,
    shadows.writes_without_a_way,
    shadows.isolated_without_backend,
    shadows.nothing_to_mirror,
    edits.framing_fields,
    edits.bodies_lost,
    edits.secrets_written_out,
    steep.slow_regexes,
)


def check(plan: Plan) -> Iterator[Finding]:
    """Run every check."""
    for one in CHECKS:
        yield from one(plan)
