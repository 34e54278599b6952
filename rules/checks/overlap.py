"""Whether two routes' conditions can hold for one request."""

from __future__ import annotations

import re

from rules.conditions import bare_host, methods_of
from rules.model import Match
from rules.regexes import literal_start


def can_meet(one: Match, two: Match) -> bool:
    """Whether some request meets the conditions of both; where that cannot be told, yes."""
    mine, theirs = methods_of(one), methods_of(two)
    if mine is not None and theirs is not None and not mine & theirs:
        return False
    if one.host is not None and two.host is not None and _hosts_apart(one.host, two.host):
        return False
    return not (_pairs_apart(one.headers, two.headers, fold=True) or _pairs_apart(one.query, two.query, fold=False))


def exact_values(match: Match) -> dict[str, str]:
    """Return what a route wants to be exactly so, by where it looks: two that differ in one never meet."""
    named = [(f"header {name.lower()}", value) for name, value in match.headers]
    named += [(f"query {name}", value) for name, value in match.query]
    if match.host is not None and not match.host.startswith("*."):
        named.append(("host", bare_host(match.host)))
    return {name: value for name, value in named if not value.startswith("~")}


def _hosts_apart(one: str, two: str) -> bool:
    if one.startswith("~") or two.startswith("~"):
        return _values_apart(one, two)
    first, second = bare_host(one), bare_host(two)
    if first.startswith("*.") and second.startswith("*."):
        return not (first[1:].endswith(second[1:]) or second[1:].endswith(first[1:]))
    if first.startswith("*."):
        return not second.endswith(first[1:])
    if second.startswith("*."):
        return not first.endswith(second[1:])
    return first != second


def _pairs_apart(one: tuple[tuple[str, str], ...], two: tuple[tuple[str, str], ...], *, fold: bool) -> bool:
    """Whether a name is asked for by both with values that cannot be one."""
    theirs = {name.lower() if fold else name: value for name, value in two}
    return any(
        _values_apart(value, theirs[key])
        for key, value in ((name.lower() if fold else name, value) for name, value in one)
        if key in theirs
    )


def _values_apart(one: str, two: str) -> bool:
    if not one.startswith("~") and not two.startswith("~"):
        return one != two
    if one.startswith("~") and two.startswith("~"):
        first, second = literal_start(one[1:]), literal_start(two[1:])
        if first is None or second is None:
            return False
        return not (first.startswith(second) or second.startswith(first))
    regex, text = (one, two) if one.startswith("~") else (two, one)
    return re.search(regex[1:], text) is None
