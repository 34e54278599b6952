"""The conditions of a route beyond its path: method, host, header fields, query."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from rules.model import Facts, Match

HOST: Final = "host"
HEADER: Final = "header"
QUERY: Final = "query"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold; `exact` None means that `search` decides. `says` is its text in an explanation."""

    kind: str
    name: str
    exact: str | None
    search: Callable[[str], object] | None
    says: str


def methods_of(match: Match) -> frozenset[str] | None:
    """Return the methods a route takes, HEAD with GET; None for all."""
    if not match.methods:
        return None
    methods = frozenset(match.methods)
    return methods | {"HEAD"} if "GET" in methods else methods


def conditions_of(match: Match) -> tuple[Condition, ...]:
    """Compile host, header and query conditions; a broken `~regex` raises re.error."""
    found: list[Condition] = []
    if match.host is not None:
        found.append(_host(match.host))
    found += [_valued(HEADER, name.lower(), value) for name, value in match.headers]
    found += [_valued(QUERY, name, value) for name, value in match.query]
    return tuple(found)


def weight_of(match: Match) -> int:
    """Return how many conditions a route has: within one path the route with more of them wins."""
    return bool(match.methods) + (match.host is not None) + len(match.headers) + len(match.query)


def unmet(conditions: tuple[Condition, ...], facts: Facts) -> str | None:
    """Return the text of the first unmet condition, None when all hold."""
    for condition in conditions:
        value = value_of(condition, facts)
        if value is None:
            return condition.says
        if condition.exact is not None:
            if value != condition.exact:
                return condition.says
        elif condition.search is not None and condition.search(value) is None:
            return condition.says
    return None


def bare_host(host: str) -> str:
    """Return a Host field's name in lower case, without port or final dot."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


def _host(wanted: str) -> Condition:
    says = f"the host is not {wanted}"
    if wanted.startswith("~"):
        return Condition(HOST, HOST, None, re.compile(wanted[1:], re.IGNORECASE).search, says)
    if wanted.startswith("*."):
        return Condition(HOST, HOST, None, re.compile(r".\." + re.escape(wanted[2:].lower()) + "$").search, says)
    return Condition(HOST, HOST, bare_host(wanted), None, says)


def _valued(kind: str, name: str, wanted: str) -> Condition:
    if wanted.startswith("~"):
        return Condition(kind, name, None, re.compile(wanted[1:]).search, f"{kind} {name} does not match {wanted}")
    return Condition(kind, name, wanted, None, f"{kind} {name} is not {wanted}")


def value_of(condition: Condition, facts: Facts) -> str | None:
    """Return the value of a request that a condition reads, None when it has none."""
    if condition.kind == HOST:
        return bare_host(facts.host)
    if condition.kind == HEADER:
        return facts.header(condition.name)
    return _last_parameter(facts.query, condition.name)


def _last_parameter(query: str | None, wanted: str) -> str | None:
    """Return the decoded value of a query parameter; of repeated ones the last, as PHP and Starlette take it."""
    if not query:
        return None
    found: str | None = None
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part and (name == wanted or _plain(name) == wanted):
            found = value
    return None if found is None else _plain(found)


def _plain(text: str) -> str:
    """Decode a name or value of a query; most need nothing."""
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text
