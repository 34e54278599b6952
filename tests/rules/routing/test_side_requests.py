"""A past request is written for both sides as its route would do today, whatever its fields were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.model import HeaderEdit, Match, QueryEdit, Route, ShadowPolicy, SidePolicy, Snapshot
from rules.routing.explain import UpstreamRequest, asked
from tests.support import snapshots

PLAIN = snapshots.route("/users/{id}", name="user", modern=SidePolicy("modern", path="/v1/users/{id}"))


def between(*routes: Route) -> Snapshot:
    return snapshots.snapshot({"legacy": ["http://a"], "modern": ["http://b"], "copy": ["http://c"]}, routes=routes)


def told(route: Route, sent: str, method: str = "GET") -> tuple[UpstreamRequest, UpstreamRequest]:
    found = asked(between(route), route.name, method, sent)
    assert found is not None
    return found


def test_each_side_gets_the_target_that_its_rules_make():
    assert told(PLAIN, "/users/7?a=1") == (
        UpstreamRequest("legacy", "legacy", "/users/7?a=1"),
        UpstreamRequest("modern", "modern", "/v1/users/7?a=1"),
    )


def test_what_else_the_route_asks_for_is_taken_as_given():
    match = Match("/users/{id}", ("PUT",), "api.example.com", (("X-V", "2"),), (("do", "edit"),))

    assert told(replace(PLAIN, match=match), "/users/7")[1].target == "/v1/users/7"


def test_a_redacted_value_in_the_path_stays_readable():
    assert told(PLAIN, "/users/<redacted:1a2b3c4d>")[1].target == "/v1/users/<redacted:1a2b3c4d>"


def test_secrets_of_the_file_are_named_and_not_shown():
    modern = SidePolicy(
        "modern",
        query=QueryEdit(set=(("api_key", "s3cret"), ("v", "2"))),
        headers=HeaderEdit(set=(("X-Key", "s3cret"),)),
    )

    found = told(replace(PLAIN, modern=modern), "/users/7")[1]

    assert found.target == "/users/7?api_key=********&v=2"
    assert found.sets == ("X-Key",)


def test_the_backend_is_the_one_that_copies_go_to():
    assert told(replace(PLAIN, shadow=ShadowPolicy(backend="copy")), "/users/7")[1].backend == "copy"


def test_an_answer_in_other_words_is_told():
    assert told(replace(PLAIN, modern=SidePolicy("modern", status=((404, 200),))), "/users/7")[1].translated


@pytest.mark.parametrize(
    ("name", "sent"),
    [("user", "/orders/7"), ("user", "https://elsewhere/users/7"), ("user", "*"), ("gone", "/users/7")],
)
def test_what_the_route_does_not_take_any_more_is_nobodys(name: str, sent: str):
    assert asked(between(PLAIN), name, "GET", sent) is None


def test_a_path_that_would_climb_is_nobodys():
    climbing = snapshots.route("/f/**", name="files", modern=SidePolicy("modern", path="/new/**"))

    assert asked(between(climbing), "files", "GET", "/f/a/%2e%2e/%2e%2e/%2e%2e/b") is None
