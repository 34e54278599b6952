"""Tells what each side is asked for a request that a route took."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from rules.match import compile_table
from rules.model import LEGACY, MODERN, Facts, Route, SidePolicy, Snapshot
from rules.secrets import MASK, looks_secret
from rules.translate import TranslationError, target

_MARK: Final = re.compile(r"%3[Cc]redacted(?::|%3[Aa])[0-9a-f]+%3[Ee]")
"""A redacted value that was put into a path: shown as it was before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One side's part: `target` as `backend` gets it, the names of the fields that the route sets.

    `translated` tells that the route puts this side's answer into other words before a client gets it.
    """

    side: str
    backend: str
    target: str
    sets: tuple[str, ...] = ()
    translated: bool = False


def asked(snapshot: Snapshot, name: str, method: str, sent: str) -> tuple[Asked, Asked] | None:
    """Return what legacy, then modern is asked for `sent` (a path with its query) by the route of this name.

    Only the path has to fit: which fields a past request had is not known any more. What a route adds to a query
    under a secret's name is masked. None where there is no such route, or its path is another one today.
    """
    route = next((route for route in snapshot.routes if route.name == name), None)
    path, mark, query = sent.partition("?")
    facts = Facts(method, path, query if mark else None, "", _unknown, lambda: None)
    if route is None or not path.startswith("/"):
        return None
    lane, names = compile_table(replace(snapshot, routes=(_anyone(route),)), {}, legacy_only=False).find(facts)
    if lane.route.name != name:
        return None
    mirrored = replace(route.modern, backend=route.shadow.backend or route.modern.backend)
    try:
        return (
            _part(LEGACY, route.legacy, target(_masked(route.legacy), names, path, facts.query)),
            _part(MODERN, mirrored, target(_masked(mirrored), names, path, facts.query)),
        )
    except TranslationError:
        return None


def _unknown(_: str) -> None:
    """No field of a past request is known."""


def _anyone(route: Route) -> Route:
    return replace(route, match=replace(route.match, methods=(), host=None, headers=(), query=()))


def _part(side: str, policy: SidePolicy, sent: str) -> Asked:
    sets = tuple(name for name, _ in policy.headers.set)
    translated = bool(policy.response_json or policy.status or policy.rewrite_location)
    return Asked(side, policy.backend, _MARK.sub(lambda found: unquote(found[0]), sent), sets, translated)


def _masked(policy: SidePolicy) -> SidePolicy:
    added = tuple((name, MASK if looks_secret(name) else value) for name, value in policy.query.set)
    return replace(policy, query=replace(policy.query, set=added))
