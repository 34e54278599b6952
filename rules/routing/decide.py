"""The decision: which side gets a request, by which rule.

The order is fixed: force header of a trusted peer, rolled back or legacy-only, exclude, include, weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from rules.model import LEGACY, MODERN, Decision, Facts, Override, Snapshot
from rules.routing.bucketing import admits, bucket
from rules.routing.compiled_route import CompiledRoute, overridden
from rules.routing.route_table import Table, compile_table

NO_OVERRIDES: Mapping[str, Override] = MappingProxyType({})
_EVERYONE: Final = 100.0
_LONGEST: Final = 256
"""Characters of an id that is remembered."""
_new = tuple.__new__
"""A named tuple made without its own constructor, which costs more than the tuple."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a worker runs: one file, what was set at run time on top, compiled for matching.

    `table` carries the effective weight of each route. A request reads the generation once and holds it to the end.
    """

    number: int
    snapshot: Snapshot
    overrides: Mapping[str, Override]
    table: Table
    legacy_only: bool = False


def generation(
    number: int,
    snapshot: Snapshot,
    overrides: Mapping[str, Override] = NO_OVERRIDES,
    legacy_only: bool = False,  # noqa: FBT001, FBT002 - one of four things a generation is made of
) -> Generation:
    """Compile a snapshot with what was set at run time into what a worker runs."""
    kept = MappingProxyType(dict(overrides))
    return Generation(number, snapshot, kept, compile_table(snapshot, kept, legacy_only), legacy_only)


def with_overrides(before: Generation, number: int, overrides: Mapping[str, Override]) -> Generation:
    """Return `before` with other overrides on top, as generation `number`; only changed compiled routes are new."""
    kept = MappingProxyType(dict(overrides))
    changed: dict[str, CompiledRoute] = {}
    for name in before.overrides.keys() | kept.keys():
        compiled = before.table.compiled_route_of(name)
        if compiled is not None and before.overrides.get(name) != kept.get(name):
            changed[name] = overridden(compiled, kept.get(name), legacy_only=before.legacy_only)
    table = before.table.replaced(changed) if changed else before.table
    return Generation(number, before.snapshot, kept, table, before.legacy_only)


def decide(generation: Generation, facts: Facts, draw: float) -> Decision:
    """Return where a request goes; `draw` in [0, 1) is used only by routes that draw for each request."""
    compiled, names = generation.table.find(facts)
    return choose(compiled, names, facts, draw)


def choose(compiled: CompiledRoute, names: Mapping[str, str], facts: Facts, draw: float) -> Decision:
    """Return the decision for a request of this compiled route."""
    if compiled.stopped == "default":
        return Decision(compiled.route, LEGACY, "default", None, 0.0, None, names)
    if compiled.force is not None and facts.trusted:
        forced = facts.header(compiled.force)
        if forced in {LEGACY, MODERN}:
            return _settle(compiled, str(forced), "force", None, None, names, facts)
    if compiled.stopped is not None:
        return _settle(compiled, LEGACY, compiled.stopped, None, None, names, facts)
    user: str | None = None
    if compiled.listed:
        user = facts.user() or None
        if user is not None and user in compiled.exclude:
            return _settle(compiled, LEGACY, "exclude", None, user, names, facts)
        if user is not None and user in compiled.include:
            return _settle(compiled, MODERN, "include", None, user, names, facts)
    return _by_weight(compiled, user, names, facts, draw)


def _stand(salt: str, user: str, scheme: str, weight: float) -> tuple[float, str]:
    """Return a user's point and side."""
    point = bucket(salt, user, scheme)
    return point, MODERN if admits(point, weight, scheme) else LEGACY


_stands = lru_cache(maxsize=16_384)(_stand)
"""Points of the latest users are cached: their next requests come within seconds."""


def _by_weight(
    compiled: CompiledRoute, user: str | None, names: Mapping[str, str], facts: Facts, draw: float
) -> Decision:
    """Hash or draw, as the route says. A weight of 0 needs no identity."""
    weight = compiled.weight
    if weight <= 0.0:
        return _settle(compiled, LEGACY, "weight", None, user, names, facts)
    if not compiled.by_user:
        side = MODERN if draw < weight / 100.0 else LEGACY
        return _settle(compiled, side, "weight", draw, user, names, facts)
    if user is None and not compiled.listed:
        user = facts.user() or None
    if user is None:
        return _settle(compiled, LEGACY, "no_identity", None, None, names, facts)
    if weight >= _EVERYONE:
        return _settle(compiled, MODERN, "weight", None, user, names, facts)
    rollout = compiled.route.rollout
    stands = _stands if len(user) <= _LONGEST else _stand  # a client may send any cookie, as long as a head
    point, side = stands(rollout.salt, user, rollout.hash, weight)
    return _settle(compiled, side, "weight", point, user, names, facts)


def _settle(
    compiled: CompiledRoute,
    side: str,
    reason: str,
    point: float | None,
    user: str | None,
    names: Mapping[str, str],
    facts: Facts,
) -> Decision:
    """Make the decision; legacy replaces an unhealthy modern, unless it is unhealthy too or not allowed."""
    if (
        side == MODERN
        and facts.unhealthy
        and compiled.modern in facts.unhealthy
        and compiled.legacy not in facts.unhealthy
    ):
        may_stand_in = compiled.route.fallback.mode != "none"
        side, reason = (LEGACY, "unhealthy") if may_stand_in else (side, reason)
    return _new(Decision, (compiled.route, side, reason, point, compiled.weight, user, names))
