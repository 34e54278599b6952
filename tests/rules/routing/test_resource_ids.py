"""A path's segments are resource ids, or names of collections."""

from __future__ import annotations

import pytest

from rules.routing.mirroring import is_name, pattern_of

UUID = "2f1c8a52-9a4c-4f1e-8f30-0d1c6a4b7e11"
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    ("before", "segment"),
    [
        ("orders", "17"),
        ("api", UUID),
        ("api", ULID),
        ("api", "9f86d081"),
        ("tickets", "printer-on-fire"),
        ("tickets", "abc-def"),
        ("articles", "a_title_of_mine"),
        ("pages", "wiki:start"),
        ("users", "ann@example.com"),
    ],
)
def test_these_name_a_thing(before: str, segment: str):
    assert is_name(segment, before)


@pytest.mark.parametrize(
    ("before", "segment"),
    [
        ("api", "gift-cards"),
        ("", "knowledge-base"),
        ("api", "v2"),
        ("orders", "open"),
        ("js", "the-app"),
        ("api", "me"),
    ],
)
def test_these_name_none(before: str, segment: str):
    assert not is_name(segment, before)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", "/"),
        ("*", "/"),
        ("/orders/17/lines", "/orders/*/lines"),
        ("/api/v1/tickets/abc-def", "/api/v1/tickets/*"),
        ("/users/J%C3%B6rg", "/users/*"),
        ("/reset/" + "secret" * 10, "/reset/*"),
        ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h"),
        ("/orders/", "/orders/"),
    ],
)
def test_a_pattern_has_no_names(path: str, pattern: str):
    assert pattern_of(path) == pattern
