from __future__ import annotations

import re
from typing import Any

import pytest

from rules.routing.route_table import Rejection
from tests.rules.asking import facts, generation, route, snapshot
from tests.support.tables import cases

_REQUEST = re.compile(r"(?P<method>\S+) (?P<target>\S+)(?: \((?P<headers>.*)\))? -> (?P<route>\S+)(?: (?P<names>.*))?")


def _requests() -> list[Any]:
    """One parameter for each line under `requests` of each case."""
    return [
        pytest.param(case.values[0]["routes"], line, id=f"{case.id}: {line}")
        for case in cases("matching")
        for line in case.values[0]["requests"]
    ]


@pytest.mark.parametrize(("routes", "line"), _requests())
def test_a_request_finds_the_route_the_table_says(routes: dict[str, Any], line: str) -> None:
    asked = _REQUEST.fullmatch(line)
    assert asked is not None, line
    headers = dict(pair.split(": ", 1) for pair in (asked["headers"] or "").split(", ") if pair)
    names = dict(pair.split("=", 1) for pair in (asked["names"] or "").split())
    running = generation(*({"name": name, "match": match} for name, match in routes.items()))

    compiled, found = running.table.find(facts(asked["method"], asked["target"], headers=headers))

    assert compiled.route.name == asked["route"]
    assert {name: value.replace(" ", "_") for name, value in found.items() if name != "**"} == names


def test_the_rest_of_a_prefix_is_kept_where_a_side_wants_it() -> None:
    running = generation(
        {"name": "wants", "match": {"path": "/a/**"}, "modern": {"path": "/v1/**"}},
        {"name": "leaves", "match": {"path": "/b/**"}},
    )

    wanted = running.table.find(facts(target="/a/x/y"))[1]
    left = running.table.find(facts(target="/b/x/y"))[1]

    assert dict(wanted) == {"**": "x/y"}
    assert not left


def test_the_rest_of_a_prefix_is_absent_where_the_path_ends_with_it() -> None:
    running = generation({"name": "wants", "match": {"path": "/a/**"}, "modern": {"path": "/v1/**"}})

    names = running.table.find(facts(target="/a"))[1]

    assert not names


def test_lanes_passed_over_are_told_with_the_reason() -> None:
    running = generation(
        {"name": "writes", "match": {"path": "/a", "methods": ["POST"]}},
        {"name": "hosted", "match": {"path": "/a", "host": "b.example", "headers": {"X-A": "1"}}},
    )
    passed: list[Rejection] = []

    compiled, _ = running.table.find(facts("GET", "/a"), passed)

    assert compiled.route.name == "_default"
    assert [(one.compiled.route.name, one.why) for one in passed] == [
        ("hosted", "the host is not b.example"),
        ("writes", "GET is not among its methods POST"),
    ]


def test_a_lane_is_found_by_name() -> None:
    table = generation(route(name="one", path="/a"), route(name="two", path="/b")).table

    assert table.compiled_route_of("two") is table.compiled_routes[1]
    assert table.compiled_route_of("three") is None


def test_what_no_route_takes_goes_to_the_default_backend_unshadowed_unguarded() -> None:
    table = generation(route()).table

    default = table.find(facts(target="/elsewhere"))[0].route

    assert (default.name, default.legacy.backend, default.modern.backend) == ("_default", "legacy", "legacy")
    assert default.shadow.sample == 0
    assert default.guard is None
    assert default.fallback.mode == "none"


def test_the_default_backend_is_the_one_the_defaults_name() -> None:
    file = snapshot(above='backends: {old: {url: "http://a"}, modern: {url: "http://b"}}\ndefaults: {legacy: old}\n')

    assert file.default_backend == "old"
