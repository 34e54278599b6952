"""Checks on who is sent to the modern side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rules.checks.plan import Path, Plan
from rules.model import Route
from rules.problems import WARNING, Finding


def may_get_weight(route: Route) -> bool:
    """Whether the file ever sends users to the modern side."""
    return route.rollout.weight > 0 or any(step.weight > 0 for step in route.rollout.steps)


def weight_without_identity(plan: Plan) -> Iterator[Finding]:
    """A share of users needs to know who a user is."""
    if plan.snapshot.identity or "identity" in plan.lost:
        return
    for path, route in plan.routes():
        if route.rollout.by == "user" and may_get_weight(route):
            key = "steps" if route.rollout.steps else "weight"
            yield Finding(
                (*path, "rollout", key),
                f"`{key}` above 0 by user, with no `identity` in the file",
                "add `identity: [sticky]`, or `by: request`",
            )


def lists_without_identity(plan: Plan) -> Iterator[Finding]:
    """Nobody is on a list where nobody is known."""
    if plan.snapshot.identity or "identity" in plan.lost:
        return
    for path, route in plan.routes():
        for key, listed in (("include", route.rollout.include), ("exclude", route.rollout.exclude)):
            if listed:
                message = f"`{key}` names users, with no `identity` in the file"
                yield Finding((*path, "rollout", key), message, "add `identity:`", at_key=True, level=WARNING)


def on_both_lists(plan: Plan) -> Iterator[Finding]:
    """A user on both lists is excluded, which is worth knowing."""
    for path, route in plan.routes():
        both = sorted(set(route.rollout.include) & set(route.rollout.exclude))
        if both:
            message = f"`{both[0]}` is included and excluded; `exclude` wins"
            yield Finding((*path, "rollout", "include"), message, "take it off one list", level=WARNING)


def shrinking_steps(plan: Plan) -> Iterator[Finding]:
    """Steps go up: a smaller one takes users back to legacy."""
    for path, route in plan.routes():
        for index, (before, after) in enumerate(pairwise(route.rollout.steps), start=1):
            if after.weight <= before.weight:
                place: Path = (*path, "rollout", "steps", index)
                message = f"step {index + 1} ({after.weight:g} %) is not above step {index} ({before.weight:g} %)"
                yield Finding(place, message, "order the steps by weight", level=WARNING)


def uneven_groups(plan: Plan) -> Iterator[Finding]:
    """Routes of one group stay together only at one weight, hashed one way."""
    first: dict[str, Route] = {}
    for path, route in plan.routes():
        group = route.rollout.group
        if group is None:
            continue
        other = first.setdefault(group, route)
        mine, theirs = route.rollout, other.rollout
        same = (mine.weight, mine.steps, mine.hash, mine.by) == (theirs.weight, theirs.steps, theirs.hash, theirs.by)
        if not same:
            message = f"group `{group}` does not stay together: `{route.name}` rolls out unlike `{other.name}`"
            hint = f"give both the same weight, hash and `by`; the other is on line {other.line}"
            yield Finding((*path, "rollout", "group"), message, hint, level=WARNING)


def unguarded_weight(plan: Plan) -> Iterator[Finding]:
    """`guard: none` on a route that gets users is possible, but said."""
    for path, route in plan.routes():
        if route.guard is None and may_get_weight(route):
            message = f"`guard: none`: nothing rolls `{route.name}` back when the modern side fails"
            yield Finding((*path, "guard"), message, "leave `guard` out for the usual limits", level=WARNING)
