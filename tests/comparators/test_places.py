"""Pointers, patterns over them, and the places that patterns lead to."""

from __future__ import annotations

import pytest

from comparators.json_unordered import paired
from comparators.origins import Origins
from comparators.paths import Ignored, Place, matches, root


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("", [""], ["/a"]),
        ("/a", ["/a"], ["", "/a/b", "/ab", "/A"]),
        ("/*", ["/a", "/0", "/"], ["", "/a/b"]),
        ("/items/*/id", ["/items/0/id", "/items/x/id"], ["/items/id", "/items/0/1/id"]),
        ("/**/id", ["/id", "/a/id", "/a/0/id"], ["/a", "/id/a", ""]),
        ("/a/**", ["/a/b", "/a/b/c"], ["/a", "/b"]),
        ("/a/**/z", ["/a/z", "/a/b/z", "/a/z/z"], ["/a", "/z"]),
        ("/**", ["/a", "/a/b"], [""]),
        ("/**/a/**", ["/a/b", "/x/a/b/c"], ["/a", "/x/a"]),
        ("/a~1b/~0", ["/a~1b/~0"], ["/a/b/~0"]),
    ],
)
def test_a_pattern_covers_what_it_says(pattern: str, covered: list[str], others: list[str]):
    assert [path for path in covered if not matches(pattern, path)] == []
    assert [path for path in others if matches(pattern, path)] == []


@pytest.mark.parametrize("pattern", ["/a", "/**/id", "/a/**", "/*/b"])
@pytest.mark.parametrize("path", [(), ("a",), ("a", "b"), ("x", "id"), ("a", "0", "id"), ("id",)])
def test_walking_the_places_comes_to_the_same(pattern: str, path: tuple[str, ...]):
    place = root([Ignored(pattern)], frozenset())
    for step in path:
        place = place.step(step)

    assert (place.ignored is not None) == matches(pattern, "".join(f"/{step}" for step in path))


def test_names_in_bodies_make_no_places():
    place = root([Ignored("/**/id"), Ignored("/rows/*/at")], frozenset())

    met: set[int] = set()
    kept: list[Place] = []
    for number in range(500):
        here = place.step(f"name {number}").step(number).step("id")
        met.add(id(here))
        kept.append(here)

    assert len(met) == 1


@pytest.mark.parametrize(
    ("host", "text", "same"),
    [
        ("old.test:80", "http://old.test/a", True),
        ("old.test:80", "http://old.test:80/a", True),
        ("old.test:443", "https://old.test/a", True),
        ("old.test:9001", "http://old.test/a", False),
        ("old.test", "http://old.test/a", True),
        ("[::1]:9001", "http://[::1]:9001/a", True),
        ("127.0.0.1:9001", "HTTP://127.0.0.1:9001/a", True),
        ("127.0.0.1:9001", "http:\\/\\/127.0.0.1:9001/a", True),
        ("127.0.0.1:9001", "http://1127.0.0.1:9001/a", False),
        ("127.0.0.1:9001", "http://user@127.0.0.1:9001/a", False),
        ("127x0.0.1:9001", "http://127.0.0.1:9001/a", False),
    ],
)
def test_an_own_address_is_known_in_its_spellings(host: str, text: str, same: bool):
    assert Origins((host,), ("new.test:8000",)).same(text, "http://new.test:8000/a") == same


def test_without_addresses_nothing_is_ones_own():
    assert not Origins().same("http://a/x", "http://b/x")
    assert not Origins(("",), ()).same("http://a/x", "/x")


def test_as_many_as_possible_are_paired():
    fits = {(0, 0), (0, 1), (1, 0), (2, 1), (2, 2)}

    assert paired([0, 1, 2], [0, 1, 2], lambda left, right: (left, right) in fits) == {0: 1, 1: 0, 2: 2}
    assert paired([0, 1], [0], lambda *_: True) == {0: 0}
    assert paired([1], [0, 1], lambda left, right: (left, right) in fits, {0: 0}) == {0: 1, 1: 0}
