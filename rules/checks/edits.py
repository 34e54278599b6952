"""Checks on what a side changes in requests or answers."""

from __future__ import annotations

from collections.abc import Iterator

from rules.checks.plan import Path, Plan
from rules.model import SidePolicy
from rules.problems import Finding
from rules.secrets import looks_secret

FRAMING = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
BODILESS = frozenset({204, 205, 304})


def framing_fields(plan: Plan) -> Iterator[Finding]:
    """What frames a message, or marks a shadow, is the proxy's own."""
    for path, policy in _sides(plan):
        for key, names in (("set", [name for name, _ in policy.headers.set]), ("remove", policy.headers.remove)):
            for at, name in enumerate(names):
                place: Path = (*path, "headers", key, name if key == "set" else at)
                if name.lower() in FRAMING:
                    yield Finding(place, f"`{name}` frames the message; the proxy sets it", "take it out", at_key=True)
                elif name.lower().startswith("x-shadow"):
                    yield Finding(place, f"`{name}` marks shadows; the proxy sets it", "take it out", at_key=True)


def bodies_lost(plan: Plan) -> Iterator[Finding]:
    """An answer keeps its body, or keeps having none."""
    for path, policy in _sides(plan):
        for before, after in policy.status:
            if (before in BODILESS) != (after in BODILESS):
                without = before if before in BODILESS else after
                message = f"{before} cannot become {after}: a {without} has no body"
                yield Finding((*path, "status", before), message, "map to a status of the same form", at_key=True)


def secrets_written_out(plan: Plan) -> Iterator[Finding]:
    """A secret comes from the environment."""
    for path, policy in _sides(plan):
        for section, pairs in (("headers", policy.headers.set), ("query", policy.query.set)):
            for name, _ in pairs:
                yield from _secret(plan, (*path, section, "set", name), name)
    for path, route in plan.routes():
        for name, value in route.match.headers:
            if not value.startswith("~"):
                yield from _secret(plan, (*path, "match", "headers", name), name)


def _secret(plan: Plan, path: Path, name: str) -> Iterator[Finding]:
    if looks_secret(name) and not plan.from_environment(path):
        yield Finding(path, f"the value of `{name}` does not belong in the file", "write ${NAME} and set the variable")


def _sides(plan: Plan) -> Iterator[tuple[Path, SidePolicy]]:
    for path, route in plan.routes():
        yield (*path, "legacy"), route.legacy
        yield (*path, "modern"), route.modern
