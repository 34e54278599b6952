"""Checks on what is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from rules.checks.plan import Path, Plan
from rules.problems import WARNING, Finding

SAFE = frozenset({"GET", "HEAD"})
NEVER = frozenset({"OPTIONS", "TRACE", "CONNECT"})


def methods_never_mirrored(plan: Plan) -> Iterator[Finding]:
    """Some methods say nothing worth comparing."""
    for path, route in plan.routes():
        for index, method in enumerate(route.shadow.methods):
            if method in NEVER:
                place: Path = (*path, "shadow", "methods", index)
                yield Finding(place, f"{method} is never mirrored", "take it off the list")


def writes_without_a_way(plan: Plan) -> Iterator[Finding]:
    """A write is mirrored only when the file says how it is made harmless."""
    for path, route in plan.routes():
        if route.shadow.writes != "none":
            continue
        for index, method in enumerate(route.shadow.methods):
            if method not in SAFE | NEVER:
                place: Path = (*path, "shadow", "methods", index)
                hint = "say `writes: dry_run` or `writes: isolated`, or mirror GET and HEAD only"
                yield Finding(place, f"{method} would be done twice", hint)


def isolated_without_backend(plan: Plan) -> Iterator[Finding]:
    """`isolated` is the statement that a certain backend has its own database."""
    for path, route in plan.routes():
        if route.shadow.writes == "isolated" and route.shadow.backend is None:
            hint = "name it as `shadow: {backend: NAME}`"
            place: Path = (*path, "shadow", "writes")
            yield Finding(place, "`writes: isolated` needs a backend with its own database", hint)


def nothing_to_mirror(plan: Plan) -> Iterator[Finding]:
    """A sample of methods the route does not take is no sample."""
    for path, route in plan.routes():
        taken = set(route.match.methods) | ({"HEAD"} if "GET" in route.match.methods else set())
        place: Path = (*path, "shadow", "sample")
        nothing = route.shadow.sample > 0 and taken and not taken & set(route.shadow.methods)
        # A sample for all routes is meant for those it fits.
        if nothing and plan.is_written(place):
            message = f"nothing is mirrored: the route takes {' '.join(route.match.methods)}"
            yield Finding(place, message, f"`shadow.methods` are {' '.join(route.shadow.methods)}", level=WARNING)
