"""What is left of a file once its wrong parts are taken out, so that the rest is checked all the same."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rules.problems import Finding

_UNKNOWN_KEY = "extra_forbidden"


def salvaged(data: Mapping[Any, Any], found: Iterable[Finding]) -> tuple[dict[Any, Any], list[int], frozenset[str]]:
    """Return the sound parts, the indexes of the routes among them, the names of sections left out.

    An unknown key is taken out of its route; a route, backend or section with any other mistake goes whole.
    """
    left = dict(data)
    lost: set[str] = set()
    by_route: dict[int, list[Finding]] = defaultdict(list)
    for one in found:
        section, *rest = one.path or ("",)
        if section == "routes" and rest and isinstance(rest[0], int):
            by_route[rest[0]].append(one)
        elif section == "backends" and rest:
            left["backends"] = {name: value for name, value in left["backends"].items() if name != rest[0]}
        elif section == "defaults":
            left["defaults"] = _names_only(data.get("defaults"))
        elif isinstance(section, str):
            left.pop(section, None)
            lost.add(section)
    if "backends" not in left:
        left["backends"] = {}
        lost.add("backends")
    routes = data.get("routes")
    indexes: list[int] = []
    kept: list[Any] = []
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        wrong = by_route.get(index, [])
        if all(one.kind == _UNKNOWN_KEY for one in wrong):
            indexes.append(index)
            kept.append(_without(route, wrong))
    left["routes"] = kept
    return left, indexes, frozenset(lost)


def _names_only(defaults: Any) -> dict[str, Any]:
    """Keep which backends the sides have by default; whatever else is wrong there is wrong in the routes too."""
    if not isinstance(defaults, dict):
        return {}
    sides = {side: defaults.get(side) for side in ("legacy", "modern")}
    return {
        side: {"backend": value["backend"]}
        for side, value in sides.items()
        if isinstance(value, dict) and isinstance(value.get("backend"), str)
    }


def _without(route: Any, unknown: Iterable[Finding]) -> Any:
    unknown = list(unknown)
    if not unknown:
        return route
    route = copy.deepcopy(route)
    for one in unknown:
        owner = route
        for part in one.path[2:-1]:
            owner = owner[part]
        owner.pop(one.path[-1], None)
    return route
