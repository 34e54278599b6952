"""A path of a side is mapped back to the path of ours that leads there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import LEGACY, MODERN, Match, Route, SidePolicy
from rules.routing.rewrite import rewritten_path
from rules.ways_back import obstacle, ways_back
from tests.support.snapshots import route


def to(match: str, path: str | None, name: str, backend: str = "modern") -> Route:
    return route(name=name, match=Match(match), modern=SidePolicy(backend, path=path, rewrite_location=True))


USERS = to("/users/{id}", "/new/users/{id}", "users")
ME = to("/api/me", "/new/users/me", "me")
FILES = to("/files/{kind}/**", "/new/files/{kind}/all/**", "files")
SHOP = to("/shop/**", "/**", "shop")
PLAIN = to("/plain/{id}", None, "plain")
ELSEWHERE = to("/elsewhere/{id}", "/new/elsewhere/{id}", "elsewhere", "other")
ODD = to("~^/odd/(?P<id>.+)$", "/new/odd/{id}", "odd")
LOST = to("/lost/{a}/{b}", "/new/lost/{a}", "lost")
TWICE = to("/twice/{a}", "/new/{a}/twice/{a}", "twice")
ALL = (USERS, ME, FILES, PLAIN, ELSEWHERE, ODD, LOST, TWICE)


def back(path: str, of: Route = USERS, routes: tuple[Route, ...] = ALL) -> str | None:
    return next((ours for way in ways_back(of, MODERN, routes) if (ours := way.back(path)) is not None), None)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/new/users/42", "/users/42"),
        ("/new/users/me", "/api/me"),
        ("/new/users/a;b%2Fc", "/users/a;b%2Fc"),
        ("/new/users/", None),
        ("/new/users/42/posts", None),
        ("/new/files/pdf/all/a//b", "/files/pdf/a//b"),
        ("/new/files/pdf/all", "/files/pdf"),
        ("/new/files/pdf/all/", "/files/pdf/"),
        ("/new/7/twice/7", "/twice/7"),
        ("/new/7/twice/8", None),
        ("/plain/7", "/plain/7"),
        ("/new/elsewhere/7", None),
        ("/new/odd/7", None),
        ("/new/lost/7", None),
        ("/", None),
    ],
)
def test_the_route_that_would_lead_there_says_what_the_path_is_here(path: str, ours: str | None) -> None:
    assert back(path) == ours


def test_a_side_that_is_not_shown_our_prefix_gets_it_back_unless_it_says_it() -> None:
    assert back("/cart", SHOP, (SHOP,)) == "/shop/cart"
    assert back("/", SHOP, (SHOP,)) == "/shop/"
    assert back("/shop/cart", SHOP, (SHOP,)) is None


def test_of_two_routes_to_one_path_the_one_that_was_asked_is_named() -> None:
    people = to("/people/{id}", "/new/users/{id}", "people")

    assert back("/new/users/7", people, (USERS, people)) == "/people/7"
    assert back("/new/users/7", USERS, (people, USERS)) == "/users/7"


def test_nothing_is_mapped_where_no_path_is_translated() -> None:
    assert ways_back(PLAIN, MODERN, (PLAIN,)) == ()
    assert ways_back(USERS, LEGACY, ALL) == ()


@pytest.mark.parametrize(
    ("match", "path", "why"),
    [
        ("/a/{id}", "/new/{id}", ""),
        ("/a", "/new", ""),
        ("/a/**", "/new/**", ""),
        ("/a/{id}/{tab}", "/new/{id}", "{tab}"),
        ("/a/**", "/new", "/**"),
        ("~^/a/(?P<id>.+)", "/new/{id}", "regex"),
    ],
)
def test_what_cannot_be_read_backwards_is_named(match: str, path: str, why: str) -> None:
    assert why in obstacle(match, path)
    assert bool(obstacle(match, path)) is bool(why)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="/?#%;\\."), min_size=1))
def test_there_and_back_is_where_it_began(name: str) -> None:
    there = rewritten_path("/new/users/{id}", {"id": name}, verbatim=True)

    assert back(there, routes=(USERS,)) == f"/users/{name}"
