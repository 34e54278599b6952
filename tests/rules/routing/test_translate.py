from __future__ import annotations

import pytest

from rules.model import QueryEdit, SidePolicy
from rules.routing.rewrite import TranslationError, edited_query, rewritten_path, status_of, target

PLAIN = SidePolicy("legacy")


@pytest.mark.parametrize(
    ("path", "query"), [("/a", None), ("/a", ""), ("/%7Ea//b/../c;d", "x=%zz&&y"), ("/a", "?"), ("//", "a=b=c")]
)
def test_what_no_rule_touches_keeps_its_bytes(path: str, query: str | None) -> None:
    assert target(PLAIN, {}, path, query) == (path if query is None else f"{path}?{query}")


@pytest.mark.parametrize(
    ("template", "names", "path"),
    [
        ("/v1/me", {}, "/v1/me"),
        ("/v1/users/{id}", {"id": "7"}, "/v1/users/7"),
        ("/v1/{b}/{a}", {"a": "1", "b": "2"}, "/v1/2/1"),
        ("/v1/{name}", {"name": "josé"}, "/v1/jos%C3%A9"),
        ("/v1/{name}", {"name": "a b?c#d%e"}, "/v1/a%20b%3Fc%23d%25e"),
        ("/v1/{name}", {"name": "a;b"}, "/v1/a%3Bb"),
        ("/v1/{name}", {"name": "a:b@c,d=e+f!$&'()*"}, "/v1/a:b@c,d=e+f!$&'()*"),
        ("/v1/{name}", {"name": "\udcff"}, "/v1/%FF"),
        ("/v1/{rest}", {"rest": "a/b"}, "/v1/a/b"),
        ("/v1/**", {"**": "a/b/"}, "/v1/a/b/"),
        ("/v1/**", {"**": ""}, "/v1/"),
        ("/v1/**", {}, "/v1"),
        ("/**", {"**": "a"}, "/a"),
        ("/**", {}, "/"),
        ("/{v}/**", {"v": "2", "**": "x y"}, "/2/x%20y"),
    ],
)
def test_captured_names_are_put_where_the_template_says(template: str, names: dict[str, str], path: str) -> None:
    assert rewritten_path(template, names) == path


@pytest.mark.parametrize("value", ["..", ".", "a/../../b", "/..", "../x"])
def test_a_rewritten_path_never_climbs(value: str) -> None:
    with pytest.raises(TranslationError):
        rewritten_path("/v1/{x}", {"x": value})


def test_dots_inside_a_segment_are_harmless() -> None:
    assert rewritten_path("/v1/{x}", {"x": "..."}) == "/v1/..."
    assert rewritten_path("/v1/{x}", {"x": ".a"}) == "/v1/.a"


EDIT = QueryEdit(rename=(("p", "page"), ("old[]", "new[]")), set=(("v", "2"), ("s", "a b&c")), remove=("debug",))


@pytest.mark.parametrize(
    ("query", "edited"),
    [
        (None, "v=2&s=a%20b%26c"),
        ("", "&v=2&s=a%20b%26c"),
        ("p=3", "page=3&v=2&s=a%20b%26c"),
        ("%70=%33", "page=%33&v=2&s=a%20b%26c"),
        ("x=%zz&debug=1&y&debug", "x=%zz&y&v=2&s=a%20b%26c"),
        ("v=1&a=1&v=3", "a=1&v=2&s=a%20b%26c"),
        ("old%5B%5D=1&old[]=2", "new[]=1&new[]=2&v=2&s=a%20b%26c"),
    ],
)
def test_a_query_is_renamed_bared_and_set_the_rest_untouched(query: str | None, edited: str) -> None:
    assert edited_query(EDIT, query) == edited.lstrip("&")


def test_a_query_of_which_nothing_is_left_takes_its_question_mark_along() -> None:
    side = SidePolicy("modern", query=QueryEdit(remove=("a",)))

    assert target(side, {}, "/x", "a=1") == "/x"


def test_a_renamed_parameter_can_be_removed_by_its_new_name() -> None:
    assert edited_query(QueryEdit(rename=(("a", "b"),), remove=("b",)), "a=1&c=2") == "c=2"


def test_a_status_is_mapped_or_kept() -> None:
    side = SidePolicy("modern", status=((201, 200), (422, 400)))

    assert [status_of(side, status) for status in (200, 201, 422, 500)] == [200, 200, 400, 500]
