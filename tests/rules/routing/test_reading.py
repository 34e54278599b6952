from __future__ import annotations

import pytest

from rules.routing.pattern import is_plain, readings


@pytest.mark.parametrize("path", ["/", "/a/b", "/a.b", "/a-b_c~d", "/a/", "/a:b@c", "/a,b=c+d"])
def test_a_path_everybody_reads_alike_is_plain(path: str) -> None:
    assert is_plain(path)
    assert readings(path) == (path,)


@pytest.mark.parametrize("path", ["/%61", "//a", "/a//b", "/./a", "/a/../b", "/a;b", "/a\\b", "/é", "/.a"])
def test_a_path_that_may_be_read_otherwise_is_not_plain(path: str) -> None:
    assert not is_plain(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/%61bc", ("/abc",)),
        ("/jos%C3%A9", ("/josé",)),
        ("/100%", ("/100%",)),
        ("/%zz", ("/%zz",)),
        ("/.well-known", ("/.well-known",)),
        ("//a", ("/a", "//a")),
        ("/a//b/", ("/a/b/", "/a//b/")),
        ("/a/./b", ("/a/b", "/a/./b")),
        ("/a/..", ("/", "/a/..")),
        ("/a/b/..", ("/a/", "/a/b/..")),
        ("/../a", ("/a", "/../a")),
        ("/a%2Fb", ("/a/b", "/a%2Fb")),
        ("/a%2fb", ("/a/b", "/a%2Fb")),
        ("/a;x=1/b", ("/a;x=1/b", "/a/b")),
        ("/a%3Bx", ("/a;x", "/a")),
        ("/a/..;/b", ("/a/..;/b", "/b")),
        ("/%2561", ("/%61", "/a")),
        ("/a\\b", ("/a\\b", "/a/b")),
        ("/é", ("/é",)),
    ],
)
def test_a_path_is_read_the_usual_way_first(path: str, expected: tuple[str, ...]) -> None:
    assert readings(path) == expected


@pytest.mark.parametrize("path", ["/a%00", "/a%0d%0ab", "/a%7f", "a", "*", "", "/a//../b", "/\ud800"])
def test_a_path_nobody_should_route_by_has_no_reading(path: str) -> None:
    assert readings(path) == ()


def test_bytes_that_are_no_text_survive() -> None:
    assert readings("/%ff") == ("/\udcff",)
