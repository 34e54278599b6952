"""Checks on names that must be unique, or must be known where they are used."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from rules import pattern
from rules.checks.plan import Path, Plan
from rules.model import Route
from rules.problems import Finding

_USED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def repeated_routes(plan: Plan) -> Iterator[Finding]:
    """A route's name is its label in metrics: there is one of each."""
    first: dict[str, int] = {}
    for path, route in plan.routes():
        line = first.setdefault(route.name, route.line)
        if line != route.line:
            yield Finding((*path, "name"), f"a second route named `{route.name}`", f"the first is on line {line}")


def repeated_invariants(plan: Plan) -> Iterator[Finding]:
    """An invariant's name is unique in its route."""
    for path, route in plan.routes():
        seen: set[str] = set()
        for index, invariant in enumerate(route.invariants):
            if invariant.name in seen:
                place: Path = (*path, "invariants", index, "name")
                yield Finding(place, f"a second invariant named `{invariant.name}`", "give each its own name")
            seen.add(invariant.name)


def uncaptured_names(plan: Plan) -> Iterator[Finding]:
    """A side's path uses only what the match captures."""
    for path, route in plan.routes():
        captured = captured_names(route)
        prefix = pattern.parse(route.match.path).kind == pattern.PREFIX
        for side, policy in (("legacy", route.legacy), ("modern", route.modern)):
            if policy.path is None:
                continue
            place: Path = (*path, side, "path")
            if policy.path.endswith("/**") and not prefix:
                yield Finding(place, "`/**` here needs a match that ends in `/**`", f"the match is {route.match.path}")
            for name in _USED.findall(policy.path):
                if name not in captured:
                    near = difflib.get_close_matches(name, captured, n=1)
                    hint = f"did you mean {{{near[0]}}}?" if near else f"the match is {route.match.path}"
                    yield Finding(place, f"the match captures no {{{name}}}", hint)


def captured_names(route: Route) -> tuple[str, ...]:
    """Return the names that a route's match gives to its sides."""
    form = pattern.parse(route.match.path)
    if form.kind == pattern.REGEX:
        return tuple(re.compile(form.text).groupindex)
    return tuple(name for name, _ in form.names)
