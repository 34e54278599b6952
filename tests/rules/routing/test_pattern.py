from __future__ import annotations

import pytest

from rules.routing.pattern import EXACT, PREFIX, REGEX, TEMPLATE, parse


@pytest.mark.parametrize(
    ("path", "kind", "segments", "names"),
    [
        ("/", EXACT, ("",), ()),
        ("/a/b", EXACT, ("a", "b"), ()),
        ("/a/", EXACT, ("a", ""), ()),
        ("/a/{id}", TEMPLATE, ("a", None), (("id", 1),)),
        ("/{a}/b/{c}/", TEMPLATE, (None, "b", None, ""), (("a", 0), ("c", 2))),
        ("/**", PREFIX, (), ()),
        ("/a/**", PREFIX, ("a",), ()),
        ("/a/{id}/**", PREFIX, ("a", None), (("id", 1),)),
        ("~^/v\\d+/", REGEX, (), ()),
    ],
)
def test_a_path_is_taken_apart(path: str, kind: str, segments: tuple[str | None, ...], names: object) -> None:
    form = parse(path)

    assert (form.kind, form.segments, form.names) == (kind, segments, names)


def test_literals_are_counted_and_placed() -> None:
    form = parse("/a/{b}/c")

    assert (form.literals, form.shape) == (2, (0, 2))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a", "begins with `/`"),
        ("", "begins with `/`"),
        ("/a//b", "repeated slashes"),
        ("/a%20b", "matched decoded"),
        ("/a?b", "use `query:`"),
        ("/a#b", "fragment"),
        ("/a;b", "parameters"),
        ("/a\\b", "backslash"),
        ("/a/../b", "where they lead"),
        ("/a/.", "where they lead"),
        ("/a b", "no spaces"),
        ("/a\x7f", "no spaces or control"),
        ("/{a}{b}", "not a whole"),
        ("/{a", "not a whole"),
        ("/{1a}", "not a whole"),
        ("/{a}/{a}", "stands twice"),
        ("/a/*", "only at the end"),
        ("/**/a", "only at the end"),
    ],
)
def test_a_path_no_request_can_have_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(path)
