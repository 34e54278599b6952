"""Checks on regexes that are safe but may be slow."""

from __future__ import annotations

from collections.abc import Iterator

from rules.checks.plan import Path, Plan
from rules.model import Route
from rules.problems import WARNING, Finding
from rules.regexes import is_steep


def slow_regexes(plan: Plan) -> Iterator[Finding]:
    """A regex whose time grows with the square of the text can keep a worker busy for half a second."""
    for path, route in plan.routes():
        for place, text in _regexes(path, route):
            if is_steep(text):
                message = f"the regex `{text}` takes quadratic time on a long text"
                yield Finding(place, message, "begin it with ^, write [^/]+ instead of .*", level=WARNING)


def _regexes(path: Path, route: Route) -> Iterator[tuple[Path, str]]:
    match = route.match
    places: list[tuple[Path, str]] = [((*path, "match", "path"), match.path)]
    places.append(((*path, "match", "host"), match.host or ""))
    places += [((*path, "match", "headers", name), value) for name, value in match.headers]
    places += [((*path, "match", "query", name), value) for name, value in match.query]
    places += [((*path, "shadow", "deny", at), value) for at, value in enumerate(route.shadow.deny)]
    for place, text in places:
        if text.startswith("~"):
            yield place, text[1:]
