"""A described request is explained as the proxy would decide it."""

from __future__ import annotations

import pytest

from proxy.described_request import facts_of
from rules.routing.decide import decide, generation
from tests.support import snapshots

RUNNING = generation(
    1,
    snapshots.snapshot(
        {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]},
        routes=[snapshots.route("/api/me", name="profile")],
        identity=["header:X-User-Id", "cookie:uid"],
    ),
)


@pytest.mark.parametrize(
    ("headers", "user", "identity"),
    [
        ([], "42", "42"),
        ([("x-user-id", "7")], None, "7"),
        ([("Cookie", "a=b; uid=9; c=d")], None, "9"),
        ([("Cookie", "uid=9"), ("X-USER-ID", "7")], None, "7"),
        ([("Cookie", "uid=")], None, None),
        ([], None, None),
    ],
)
def test_the_user_is_who_is_named_or_who_the_headers_say(
    headers: list[tuple[str, str]], user: str | None, identity: str | None
):
    assert facts_of(RUNNING, "get", "/api/me", headers, user).user() == identity


def test_path_and_query_are_taken_apart_as_on_the_wire():
    facts = facts_of(RUNNING, "get", "/api/me?a=1&b")

    assert (facts.method, facts.path, facts.query) == ("GET", "/api/me", "a=1&b")
    assert facts_of(RUNNING, "GET", "/api/me").query is None
    assert facts_of(RUNNING, "GET", "/api/me?").query == ""


def test_the_facts_are_good_enough_to_decide_on():
    assert decide(RUNNING, facts_of(RUNNING, "GET", "/api/me"), 0.5).route.name == "profile"
