"""A captured value reaches a side as the client spelled it (docs/decisions/0003-path-matching.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.routing.decide import Generation
from rules.routing.rewrite import TranslationError, target
from tests.rules.asking import facts, generation, route


def running(match: str, modern: str) -> Generation:
    return generation(route(match, modern={"path": modern}))


PREFIX = running("/files/**", "/new/**")
NAMED = running("/users/{id}/{tab}", "/new/{tab}/{id}")
BOTH = running("/t/{tenant}/**", "/new/{tenant}/x/**")
REGEX = running("~^/pages/(?P<page>.+)$", "/new/{page}")


def sent(chosen: Generation, path: str) -> str | None:
    """The path as modern gets it; None where no route takes the request."""
    asked = facts(target=path)
    compiled, names = chosen.table.find(asked)
    return None if compiled.route.name == "_default" else target(compiled.route.modern, names, asked.path, None)


@pytest.mark.parametrize(
    ("chosen", "path", "there"),
    [
        (PREFIX, "/files/a%2Fb", "/new/a%2Fb"),
        (PREFIX, "/files/a%2fb/c", "/new/a%2fb/c"),
        (PREFIX, "/files/a//b", "/new/a//b"),
        (PREFIX, "/files//a", "/new//a"),
        (PREFIX, "/files/a//", "/new/a//"),
        (PREFIX, "/files//", "/new//"),
        (PREFIX, "/files/a;v=1/b", "/new/a;v=1/b"),
        (PREFIX, "/files/a%3Bv", "/new/a%3Bv"),
        (PREFIX, "/files/100%25/%7Ea", "/new/100%25/%7Ea"),
        (PREFIX, "/files/100%", "/new/100%"),
        (PREFIX, "/files/jos%c3%a9", "/new/jos%c3%a9"),
        (PREFIX, '/files/a"<b>[c]^{d}|`', '/new/a"<b>[c]^{d}|`'),
        (PREFIX, "/files/%22", "/new/%22"),
        (PREFIX, "/files", "/new"),
        (PREFIX, "/files/", "/new/"),
        (PREFIX, "/%66iles/a%2Fb", "/new/a%2Fb"),
        (NAMED, "/users/a;v=1/b%20c", "/new/b%20c/a;v=1"),
        (NAMED, "/users/%41/b+c", "/new/b+c/%41"),
        (NAMED, "/users/%ff/b", "/new/b/%ff"),
        (BOTH, "/t/a;b/c%2Fd//e", "/new/a;b/x/c%2Fd//e"),
        (REGEX, "/pages/a%2Fb;c", "/new/a%2Fb;c"),
        (REGEX, "/pages/a//b", "/new/a//b"),
    ],
)
def test_a_captured_segment_crosses_as_it_was_spelled(chosen: Generation, path: str, there: str) -> None:
    assert sent(chosen, path) == there


@pytest.mark.parametrize(
    ("chosen", "path", "there"),
    [
        (PREFIX, "/files/./a", "/new/a"),
        (PREFIX, "/files/a/../b", "/new/b"),
        (PREFIX, "/files/a/%2e%2E/b", "/new/b"),
        (PREFIX, "/files/a/%2e%2e%2fb", "/new/b"),
        (PREFIX, "/files/%2e/a;b", "/new/a%3Bb"),
        (PREFIX, "/files/..%2f..%2fetc", None),
        (PREFIX, "/files/a%5c..%5cb", "/new/a%5C..%5Cb"),
        (BOTH, "/t/a%2Fb/c", "/new/a/x/b/c"),
        (NAMED, "/users/a%2Fb/c", None),
    ],
)
def test_what_would_climb_or_part_otherwise_is_read_before_it_crosses(
    chosen: Generation, path: str, there: str | None
) -> None:
    assert sent(chosen, path) == there


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="?#"), max_size=24))
def test_a_rest_crosses_byte_for_byte_or_never_climbs(rest: str) -> None:
    try:
        there = sent(PREFIX, f"/files/{rest}")
    except TranslationError:
        return

    if there is not None and there != f"/new/{rest}":
        assert "." in rest or "%2" in rest.lower()
        assert not {".", ".."} & set(there.split("/"))
