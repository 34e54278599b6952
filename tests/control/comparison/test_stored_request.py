"""What a stored example lacks of the original request is stated, not made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proxy.control.comparison.reproduce import Address, StoredRequest, question, with_questions
from rules.model import HeaderEdit, Match, Route, SidePolicy
from tests.support import snapshots

ROUTE = snapshots.route("/a/{id}", name="thing", compare={"preset": "php"})
EXAMPLE = {"request": "GET /a/7?b=1", "path": "/total", "kind": "value"}


def asked(route: Route = ROUTE, modern: str = "http://127.0.0.1:2", **changes: Any) -> StoredRequest:
    sides = {"legacy": ["http://127.0.0.1:1"], "modern": [modern]}
    found = question(snapshots.snapshot(sides, routes=(route,)), "thing", {**EXAMPLE, **changes})
    assert found is not None
    return found


def test_both_sides_are_asked_at_their_own_address():
    assert asked().sides == (
        Address("legacy", "http://127.0.0.1:1", "/a/7?b=1"),
        Address("modern", "http://127.0.0.1:2", "/a/7?b=1"),
    )


def test_it_is_judged_as_the_route_judges():
    found = asked()

    assert (found.compare, found.hosts) == ({"preset": "php"}, (("127.0.0.1:1",), ("127.0.0.1:2",)))


def test_a_socket_is_asked_through_its_path():
    found = asked(modern="unix:run/modern.sock")

    assert found.sides[1] == Address("modern", "http://localhost", "/a/7?b=1", "run/modern.sock")
    assert "modern listens on a Unix socket" in found.notes


def test_what_legacy_answered_is_expected_again_where_it_is_known():
    assert asked(answers={"legacy": {"status": 404}, "modern": None}).status == 404
    assert asked(answers=None).status == 0


@pytest.mark.parametrize(
    ("route", "changes", "note"),
    [
        (ROUTE, {}, "cookies"),
        (ROUTE, {"request": "POST /a/7"}, "its body is not stored"),
        (ROUTE, {"request": "DELETE /a/7"}, "careful"),
        (ROUTE, {"request": "GET /a/logout"}, "careful"),
        (ROUTE, {"request": "GET /a/7?t=<redacted:1a2b3c4d>"}, "stands for a secret"),
        (replace(ROUTE, match=Match("/a/{id}", host="b.example")), {}, "asks for a host"),
        (replace(ROUTE, legacy=SidePolicy("legacy", headers=HeaderEdit(set=(("X-Key", "k"),)))), {}, "legacy X-Key"),
        (replace(ROUTE, modern=SidePolicy("modern", response_json="@")), {}, "other words"),
    ],
)
def test_what_is_missing_is_told(route: Route, changes: dict[str, Any], note: str):
    assert any(note in each for each in asked(route, **changes).notes)


def test_a_plain_read_has_no_more_to_say_than_who_asks():
    assert len(asked().notes) == 1


def test_an_example_whose_route_is_gone_has_nothing_to_ask():
    document = {"route": "gone", "examples": [dict(EXAMPLE)]}

    found = with_questions(document, snapshots.snapshot({"legacy": ["http://a"], "modern": ["http://b"]}))

    assert found is not None
    assert found["examples"][0]["again"] is None
