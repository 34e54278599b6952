from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from rules.config.route_checks import Plan, ties, unreachable
from rules.model import Match, Rollout, Route, SidePolicy, Snapshot
from tests.rules.asking import BACKENDS, problems, snapshot


def _plan(*matches: Match) -> Plan:
    base = snapshot()
    routes = tuple(
        Route(f"r{at}", match, Rollout(), SidePolicy("legacy"), SidePolicy("modern"), line=at + 1)
        for at, match in enumerate(matches)
    )
    whole = Snapshot(base.listen, base.admin, base.store, base.diffs, base.backends, base.identity, routes)
    return Plan(whole, tuple(range(len(routes))), frozenset(), frozenset(), lambda _: False, lambda _: True)


def _tied(*matches: Mapping[str, Any]) -> int:
    return len(list(ties(_plan(*(Match(**match) for match in matches)))))


@pytest.mark.parametrize(
    "pair",
    [
        ({"path": "/a"}, {"path": "/a/"}),
        ({"path": "/a/{x}"}, {"path": "/a/b"}),
        ({"path": "/a/{x}"}, {"path": "/a/**"}),
        ({"path": "/a/{x}/c"}, {"path": "/{x}/b/d"}),
        ({"path": "/a/{x}"}, {"path": "/{x}/{y}"}),
        ({"path": "/a/**"}, {"path": "/a/b/**"}),
        ({"path": "/a/{x}/**"}, {"path": "/a/b/**"}),
        ({"path": "~^/a"}, {"path": "~^/a/b"}),
        ({"path": "/a", "methods": ("GET",)}, {"path": "/a", "methods": ("POST",)}),
        ({"path": "/a", "methods": ("GET",)}, {"path": "/a"}),
        ({"path": "/a", "host": "x.example"}, {"path": "/a", "host": "y.example"}),
        ({"path": "/a", "host": "*.x.example"}, {"path": "/a", "host": "y.example"}),
        ({"path": "/a", "host": "*.x.example"}, {"path": "/a", "host": "*.y.example"}),
        ({"path": "/a", "host": "~^a[.]"}, {"path": "/a", "host": "b.example"}),
        ({"path": "/a", "host": "~^a[.]"}, {"path": "/a", "host": "~^b[.]"}),
        ({"path": "/a", "headers": (("X-V", "1"),)}, {"path": "/a", "headers": (("x-v", "2"),)}),
        ({"path": "/a", "query": (("r", "x"),)}, {"path": "/a", "query": (("r", "y"),)}),
        ({"path": "/a", "query": (("r", "x"),)}, {"path": "/a", "query": (("r", "~^y"),)}),
        ({"path": "/{x}/b", "methods": ("GET",)}, {"path": "/a/{x}", "methods": ("PUT",)}),
    ],
)
def test_routes_that_never_want_one_request_do_not_tie(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert _tied(*pair) == 0


@pytest.mark.parametrize(
    "pair",
    [
        ({"path": "/a"}, {"path": "/a"}),
        ({"path": "/a/{x}"}, {"path": "/a/{y}"}),
        ({"path": "/a/{x}"}, {"path": "/{x}/b"}),
        ({"path": "/a/{x}", "methods": ("GET",)}, {"path": "/{x}/b"}),
        ({"path": "/a/{x}/**"}, {"path": "/{x}/b/**"}),
        ({"path": "~^/a"}, {"path": "~^/a"}),
        ({"path": "/a", "host": "X.example"}, {"path": "/a", "host": "x.example"}),
        ({"path": "/a", "host": "*.example"}, {"path": "/a", "host": "x.example"}),
        ({"path": "/a", "host": "*.x.example"}, {"path": "/a", "host": "*.example"}),
        ({"path": "/a", "host": "~x"}, {"path": "/a", "host": "~y"}),
        ({"path": "/a", "host": "x.example"}, {"path": "/a", "methods": ("GET",)}),
        ({"path": "/a", "headers": (("X-A", "1"),)}, {"path": "/a", "headers": (("X-B", "1"),)}),
        ({"path": "/a", "query": (("r", "x"),)}, {"path": "/a", "query": (("r", "~."),)}),
    ],
)
def test_routes_that_may_want_one_request_tie(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert _tied(*pair) == 1


def test_three_on_one_path_are_told_apart_by_the_parameter_most_of_them_name() -> None:
    named = [{"path": "/i", "query": (("r", value),)} for value in ("a", "b", "c")]

    assert _tied(*named) == 0
    assert _tied(*named, {"path": "/i", "query": (("r", "b"),)}) == 1
    assert _tied(*named, {"path": "/i", "query": (("r", "~^[ab]"),)}) == 2
    assert _tied(*named, {"path": "/i", "host": "h"}) == 3


@pytest.mark.parametrize(
    ("matches", "count"),
    [
        (({"path": "/**"}, {"path": "~^/a"}), 1),
        (({"path": "/**", "methods": ("GET",)}, {"path": "~^/a"}), 0),
        (({"path": "/a/**"}, {"path": "~^/a/b"}), 1),
        (({"path": "/a/**"}, {"path": "~^/ab"}), 0),
        (({"path": "/a/**"}, {"path": "~/a/b"}), 0),
        (({"path": "/{x}/**"}, {"path": "~^/a/b"}), 0),
        (({"path": "~^/a"}, {"path": "~^/"}), 0),
        (({"path": "~^/"}, {"path": "~^/a"}), 1),
        (({"path": "~.*", "host": "h"}, {"path": "~^/a"}), 0),
        (({"path": "/{x}"}, {"path": "~^/a"}), 0),
    ],
)
def test_a_route_behind_one_that_takes_everything_is_unreachable(
    matches: tuple[dict[str, Any], ...], count: int
) -> None:
    plan = _plan(*(Match(**match) for match in matches))

    assert len(list(unreachable(plan))) == count


@pytest.mark.parametrize(
    "matches",
    [
        [Match(f"/api/r{number}/{{id}}") for number in range(2000)],
        [Match("/index.php", query=(("r", f"page/{number}"),)) for number in range(2000)],
        [Match("/", host=f"tenant-{number}.example") for number in range(2000)],
        [Match("/a", headers=(("X-Tenant", str(number)),)) for number in range(2000)],
    ],
    ids=["templates", "query", "hosts", "headers"],
)
def test_two_thousand_routes_are_checked_without_comparing_each_with_each(matches: list[Match]) -> None:
    plan = _plan(*matches)
    began = time.process_time()

    found = list(ties(plan))

    assert found == []
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "matches",
    [
        [Match("/a")] * 3000,
        [Match("/a", headers=(("X-Tenant", f"~^t{number}$"),)) for number in range(3000)],
        [Match("/{x}/b" if number % 2 else "/a/{x}") for number in range(3000)],
    ],
    ids=["the same", "patterns", "crossing"],
)
def test_routes_that_cannot_be_told_apart_take_a_bounded_time_however_many_they_are(matches: list[Match]) -> None:
    plan = _plan(*matches)
    began = time.process_time()

    found = list(ties(plan))

    assert 0 < len(found) <= 1001
    assert time.process_time() - began < 3.0


def test_of_problems_without_end_a_thousand_are_told_errors_first() -> None:
    text = BACKENDS + "routes:\n" + "".join(f"  - {{name: r{n}, match: {{path: /p/{n}}}, x: 1}}\n" for n in range(1200))

    found = problems(text)

    assert len(found) == 1001
    assert found[0].message == "200 more problems"
    assert {one.level for one in found} == {"error"}


def test_a_long_list_of_routes_is_not_refused_for_its_order() -> None:
    text = BACKENDS + "routes:\n" + "".join(f"  - {{name: r{n}, match: {{path: /p/{n}}}}}\n" for n in range(300))

    assert problems(text) == ()
