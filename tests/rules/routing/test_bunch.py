from __future__ import annotations

from rules.model import Match, Rollout, Route, SidePolicy
from rules.routing.compiled_route import lane_of
from rules.routing.route_table import Bunch
from tests.rules.asking import facts


def _bunch(*matches: Match) -> Bunch:
    routes = [
        Route(str(at), match, Rollout(), SidePolicy("legacy"), SidePolicy("modern")) for at, match in enumerate(matches)
    ]
    return Bunch([lane_of(route, None, legacy_only=False) for route in routes])


def _names(bunch: Bunch, target: str = "/", host: str = "example.com") -> list[str]:
    return [lane.route.name for lane in bunch.forked(facts(target=target, headers={"Host": host}))]


def test_a_few_lanes_are_tried_in_turn_the_most_conditioned_first() -> None:
    bunch = _bunch(Match("/"), Match("/", query=(("r", "a"),)), Match("/", host="x", methods=("GET",)))

    assert bunch.probe is None
    assert _names(bunch) == ["2", "1", "0"]


def test_many_lanes_are_looked_up_by_the_value_that_tells_them_apart() -> None:
    matches = [Match("/", query=(("r", str(number)),)) for number in range(100)]
    bunch = _bunch(*matches, Match("/"), Match("/", query=(("r", "~^5"),), methods=("GET",)))

    assert _names(bunch, "/?r=7") == ["101", "7", "100"]
    assert _names(bunch, "/?r=none") == ["101", "100"]
    assert _names(bunch, "/") == ["101", "100"]


def test_hosts_tell_lanes_apart_as_well() -> None:
    bunch = _bunch(*(Match("/", host=f"Tenant{number}.example") for number in range(10)))

    assert _names(bunch, host="tenant3.example:443") == ["3"]


def test_regexes_alone_tell_nothing_apart() -> None:
    bunch = _bunch(*(Match("/", query=(("r", f"~{number}"),)) for number in range(10)))

    assert bunch.probe is None
    assert len(_names(bunch)) == 10
