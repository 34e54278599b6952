from __future__ import annotations

from rules.model import Match, Rollout, Route, SidePolicy
from rules.routing.compiled_route import compiled_route_of
from rules.routing.route_table import PathRoutes
from tests.rules.asking import facts


def _bunch(*matches: Match) -> PathRoutes:
    routes = [
        Route(str(at), match, Rollout(), SidePolicy("legacy"), SidePolicy("modern")) for at, match in enumerate(matches)
    ]
    return PathRoutes([compiled_route_of(route, None, legacy_only=False) for route in routes])


def _names(path_routes: PathRoutes, target: str = "/", host: str = "example.com") -> list[str]:
    return [compiled.route.name for compiled in path_routes.candidates(facts(target=target, headers={"Host": host}))]


def test_a_few_lanes_are_tried_in_turn_the_most_conditioned_first() -> None:
    path_routes = _bunch(Match("/"), Match("/", query=(("r", "a"),)), Match("/", host="x", methods=("GET",)))

    assert path_routes.discriminator is None
    assert _names(path_routes) == ["2", "1", "0"]


def test_many_lanes_are_looked_up_by_the_value_that_tells_them_apart() -> None:
    matches = [Match("/", query=(("r", str(number)),)) for number in range(100)]
    path_routes = _bunch(*matches, Match("/"), Match("/", query=(("r", "~^5"),), methods=("GET",)))

    assert _names(path_routes, "/?r=7") == ["101", "7", "100"]
    assert _names(path_routes, "/?r=none") == ["101", "100"]
    assert _names(path_routes, "/") == ["101", "100"]


def test_hosts_tell_lanes_apart_as_well() -> None:
    path_routes = _bunch(*(Match("/", host=f"Tenant{number}.example") for number in range(10)))

    assert _names(path_routes, host="tenant3.example:443") == ["3"]


def test_regexes_alone_tell_nothing_apart() -> None:
    path_routes = _bunch(*(Match("/", query=(("r", f"~{number}"),)) for number in range(10)))

    assert path_routes.discriminator is None
    assert len(_names(path_routes)) == 10
