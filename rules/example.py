"""Makes up a request that a route takes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from rules import pattern as patterns
from rules.match import Table
from rules.model import Facts, Match, Route

_ANYTHING = "1"


def examples(route: Route, table: Table, methods: tuple[str, ...]) -> Iterator[Facts]:
    """Yield a request for each method of the route that `table` does give to this route.

    `methods` are those of a route that names none. Nothing comes where only a regex says what matches, or
    where another route takes every request that could be thought of.
    """
    for method in route.match.methods or methods:
        facts = _example(route.match, method)
        if facts is not None and table.find(facts)[0].route.name == route.name:
            yield facts


def _example(match: Match, method: str) -> Facts | None:
    values = [match.path, match.host or "", *(value for _, value in (*match.headers, *match.query))]
    if any(value.startswith("~") for value in values):
        return None
    headers = {name.lower(): value for name, value in match.headers}
    return Facts(
        method=method,
        path=_path(match.path),
        query=urlencode(match.query) or None,
        host=(match.host or "").replace("*", _ANYTHING),
        header=headers.get,
        user=_nobody,
    )


def _path(path: str) -> str:
    form = patterns.parse(path)
    segments = [_ANYTHING if segment is None else segment for segment in form.segments]
    return "/" + "/".join([*segments, _ANYTHING] if form.kind == patterns.PREFIX else segments)


def _nobody() -> None:
    return None
