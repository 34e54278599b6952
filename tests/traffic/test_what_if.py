"""Recorded requests are decided as live ones would be."""

from __future__ import annotations

from typing import Any

import rules
from proxy.traffic.reader import Recorded
from proxy.traffic.what_if import Yesterday
from rules.routing.decide import Generation
from tests.rules.asking import facts, generation, route


def told(running: Generation, *recorded: Recorded) -> dict[str, Any]:
    found = Yesterday(running)
    for one in recorded:
        found.add_request(one)
    return found.document()


def of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["routes"] if one["name"] == name)


def requests(path: str, users: int, **more: Any) -> list[Recorded]:
    return [Recorded(1, "GET", path, user=str(number), **more) for number in range(users)]


def test_each_user_goes_where_the_proxy_would_send_them():
    running = generation(route(rollout={"weight": 30}))
    sides = [rules.decide(running, facts(target="/a", user=str(number)), 0.5).side for number in range(200)]

    found = of(told(running, *requests("/a", 200)), "a")

    assert found["to_modern"] == sides.count("modern") / 200
    assert found["switching"] == sides.count("modern")


def test_a_drawn_share_is_told_as_a_share_that_switches_nobody():
    found = of(told(generation(route(rollout={"weight": 30, "by": "request"})), *requests("/a", 10)), "a")

    assert (found["to_modern"], found["changed"], found["switching"]) == (0.3, 0.3, 0)


def test_a_log_of_ours_says_who_answered_before():
    running = generation(route(rollout={"weight": 100}))

    found = of(told(running, *requests("/a", 10, side="modern", route="a")), "a")

    assert (found["changed"], found["before"]) == (0.0, "known")


def test_a_recorded_bucket_decides_without_the_user():
    running = generation(route(rollout={"weight": 30}))
    lines = [Recorded(1, "GET", "/a", side="legacy", route="a", bucket=point / 100) for point in range(100)]

    assert of(told(running, *lines), "a")["to_modern"] == 0.3


def test_a_visitor_stands_in_for_a_user_and_that_is_said():
    document = told(
        generation(route(rollout={"weight": 50})), *(Recorded(1, "GET", "/a", visitor=str(n)) for n in range(50))
    )

    assert document["stand_ins"] == 50
    assert 0.2 < of(document, "a")["to_modern"] < 0.8


def test_what_no_route_takes_is_shown_by_path():
    document = told(generation(route()), *requests("/nobody", 3), *requests("/none", 1))

    assert document["unmatched"] == [
        {"method": "GET", "path": "/nobody", "requests": 3},
        {"method": "GET", "path": "/none", "requests": 1},
    ]


def test_mirrored_is_the_share_that_may_be_asked_twice():
    running = generation(route(shadow={"sample": "50%"}))

    document = told(running, *requests("/a", 4), *(one._replace(method="POST") for one in requests("/a", 4)))

    assert of(document, "a")["mirrored"] == 0.25
